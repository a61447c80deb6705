"""A broker with a SASL_SSL listener and ACLs: certificates made here, users with PLAIN and SCRAM, rights by ACL."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives import serialization

from pipeline.broker import EmbeddedBroker
from pipeline.broker.place import More

PASSWORD = 'c0rrect horse; "battery" staple'
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
# What the roles need; the README's table says the same.
RIGHTS = {
    ResourceType.TOPIC: ("READ", "WRITE", "CREATE", "DESCRIBE", "DESCRIBE_CONFIGS"),
    ResourceType.GROUP: ("READ", "DESCRIBE"),
    ResourceType.TRANSACTIONAL_ID: ("WRITE", "DESCRIBE"),
}


_PREFIXED = ResourcePatternType.PREFIXED


@dataclass(frozen=True)
class SecureBroker:
    """`plain` lets everybody do everything (for the oracle); `secure` asks for TLS, a login and rights."""

    plain: str
    secure: str
    ca: Path
    """Authority to trust."""
    other_ca: Path
    """An authority that signed nothing here."""

    @property
    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.plain})

    def grant(self, user: str, prefix: str, *but: ResourceType) -> None:
        """Give `user` all rights under `prefix`, save those on the kinds of resource named."""
        bindings = [
            AclBinding(
                kind, name, ResourcePatternType.PREFIXED, f"User:{user}", "*", operation, AclPermissionType.ALLOW
            )
            for kind, operations in RIGHTS.items()
            if kind not in but
            for name in (prefix if kind is ResourceType.TOPIC else f"copydesk-{prefix}",)
            for operation in (AclOperation[one] for one in operations)
        ]
        admin = self.admin
        for made in admin.create_acls(bindings).values():
            made.result(20)

    def add_scram_user(self, user: str, mechanism: ScramMechanism) -> None:
        """A user who logs in with `PASSWORD`."""
        asked = UserScramCredentialUpsertion(user, ScramCredentialInfo(mechanism, 4096), PASSWORD.encode())
        admin = self.admin
        for made in admin.alter_user_scram_credentials([asked]).values():
            made.result(20)


@contextmanager
def secure_broker(folder: Path) -> Iterator[SecureBroker]:
    """A running broker; `plain-desk` may log in with PLAIN, others after `add_scram_user`."""
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    other.cert_pem.write_to_path(folder / "other-ca.pem")
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    (folder / "broker.pem").write_bytes(_pkcs8(certificate) + b"".join(p.bytes() for p in certificate.cert_chain_pems))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    escaped = PASSWORD.replace("\\", "\\\\").replace('"', '\\\\"')
    properties = {
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": f'{_PLAIN} user_plain-desk="{escaped}";',
        "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": _SCRAM,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": _SCRAM,
        "listener.name.sasl_ssl.ssl.keystore.type": "PEM",
        "listener.name.sasl_ssl.ssl.keystore.location": str(folder / "broker.pem"),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
    more = More([f"SASL_SSL://127.0.0.1:{port}"], properties)
    with EmbeddedBroker(folder, 0, print, more=more) as running:
        yield SecureBroker(running.bootstrap, f"127.0.0.1:{port}", folder / "ca.pem", folder / "other-ca.pem")


def _pkcs8(certificate: trustme.LeafCert) -> bytes:
    """The private key as Kafka reads it."""
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
