"""Make what docker-compose.sasl.yml needs: an authority, Kafka's certificate for the names kafka and localhost, and
passwords. `make secrets` calls it; by hand: `.venv/bin/python docker/make_secrets.py FOLDER`.

A folder that has them already is left as it is.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_AUTHORITY_DAYS, _CERTIFICATE_DAYS = 3650, 825
_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_CLIENT = """security.protocol=SASL_SSL
sasl.mechanism=PLAIN
sasl.jaas.config={login} required username="copydesk" password="{password}";
ssl.truststore.type=PEM
ssl.truststore.location=/etc/kafka/secrets/ca.pem
"""


def make(folder: Path) -> None:
    """Write all files into `folder`, which only its owner may enter; the files are read by the users of two images."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    authority_key, kafka_key = _key(), _key()
    authority = _certificate("Copydesk authority", authority_key.public_key(), None, authority_key, _AUTHORITY_DAYS)
    kafka = _certificate("kafka", kafka_key.public_key(), authority, authority_key, _CERTIFICATE_DAYS)
    broker, client = secrets.token_hex(24), secrets.token_hex(24)
    write = _writer(folder)
    write("ca.key", _pem(authority_key), 0o600)
    write("ca.pem", authority.public_bytes(Encoding.PEM))
    # Kafka reads key and certificate from one file, the key as PKCS #8.
    write("kafka.pem", _pem(kafka_key) + kafka.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM))
    write("password", f"{client}\n".encode())
    users = f'username="broker" password="{broker}" user_broker="{broker}" user_copydesk="{client}"'
    write("users.properties", f"jaas={_LOGIN} required {users};\n".encode())
    write("client.properties", _CLIENT.format(login=_LOGIN, password=client).encode())


def _writer(folder: Path) -> Callable[..., None]:
    def write(name: str, content: bytes, mode: int = 0o644) -> None:
        path = folder / name
        path.touch(mode)
        path.chmod(mode)
        path.write_bytes(content)

    return write


def _key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=3072)


def _pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _certificate(
    name: str, key: x509.base.CertificatePublicKeyTypes, issuer: x509.Certificate | None, sign: RSAPrivateKey, days: int
) -> x509.Certificate:
    """A certificate of `key`; without an `issuer` it is an authority, which signs itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    is_authority = issuer is None
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(sign.public_key()), critical=False)
        .add_extension(_usage(is_authority), critical=True)
    )
    if not is_authority:
        names = [x509.DNSName("kafka"), x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(sign, hashes.SHA256())


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_encipherment=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def main(arguments: list[str]) -> int:
    """Make them in the folder named; 0."""
    if len(arguments) != 1:
        print("usage: docker/make_secrets.py FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    if (folder / "kafka.pem").exists():
        print(f"{folder} has them already; remove it to make new ones")
        return 0
    make(folder)
    print(f"made {folder}: ca.pem, kafka.pem, users.properties, client.properties, password")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
