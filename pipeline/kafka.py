"""What every Kafka client of ours needs: address, security, topics. Set once in `Settings`, used by all."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka.abc import AbstractTokenProvider
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    for_code,
)

from pipeline.errors import AccessRefusedError, BrokerUnreachableError, SettingError, UserError
from pipeline.settings import Settings
from pipeline.topics import TOPICS, claims_kept_ms, topic_name

# A record carries headers and a key beside the article; 64 KiB leaves room for the longest source name.
RECORD_OVERHEAD_BYTES = 65_536
_TOPIC_ALREADY_EXISTS = 36
# The leader of the group may be told of no partitions by a Kafka that is only just back, and hands out none. It looks
# again when it next asks: after five minutes, left to itself.
_METADATA_MS = 5_000
_REPEAT_SECONDS = 30.0
# A filter acts on what its own logger is given, not on what comes up from those below.
_TALKATIVE = (
    "aiokafka",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.sender",
)
_TOPIC_FORBIDDEN, _CLUSTER_FORBIDDEN = 29, 31
NOT_ALLOWED = (
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    ClusterAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

_MAKE_RIGHTS = "our user needs CREATE and DESCRIBE on the topics, or somebody who has them makes the topics"


class _TokenFile(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka ships no types
    """Hands out the OAUTHBEARER token that the file holds at the moment of each login."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def token(self) -> str:
        return self._settings.token()


def client_options(settings: Settings, bootstrap: str = "") -> dict[str, Any]:
    """Keyword arguments for any aiokafka client: bootstrap servers and security.

    `bootstrap` overrides `settings.broker` where the embedded broker chose its own port.
    Raises SettingError where a certificate or secret file cannot be read.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": bootstrap or settings.broker,
        "security_protocol": settings.security_protocol,
        "metadata_max_age_ms": _METADATA_MS,
    }
    if settings.security_protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(settings)
    if settings.security_protocol.startswith("SASL"):
        options |= _sasl_options(settings)
    return options


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    if settings.ssl_keyfile and not settings.ssl_certfile:
        raise SettingError("ssl_keyfile needs ssl_certfile: without one we would show no certificate; set both")
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile or None)
        if settings.ssl_certfile:
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingError(
            f"TLS: cannot use ssl_cafile={settings.ssl_cafile!r} / ssl_certfile={settings.ssl_certfile!r} ({error});"
            " both must be PEM files that this user may read"
        ) from error
    return context


def _sasl_options(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {"sasl_mechanism": settings.sasl_mechanism}
    if settings.sasl_mechanism == "OAUTHBEARER":
        return options | {"sasl_oauth_token_provider": _TokenFile(settings)}
    return options | {"sasl_plain_username": settings.sasl_username, "sasl_plain_password": settings.password()}


def unreachable(settings: Settings, error: BaseException) -> BrokerUnreachableError:
    """The one-line error for a broker that does not answer or does not let us in."""
    # aiokafka raises the same words whatever happened, and logs what did.
    why = _refusals.last if "Unable to bootstrap" in str(error) and _refusals.last else error
    return refused(settings, why) or BrokerUnreachableError(
        f"no Kafka answers at {settings.broker} ({why}); check --broker, the security settings and the network"
    )


@contextmanager
def asking(settings: Settings) -> Iterator[None]:
    """Whatever the client raises inside becomes our one line: BrokerUnreachableError, AccessRefusedError."""
    try:
        yield
    except BrokenPipeError:
        # Not Kafka: whoever reads our output went away.
        raise
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from error


def refused(settings: Settings, why: BaseException | str) -> AccessRefusedError | None:
    """The one-line error where Kafka does not let us in, or not do what we ask; None where it is something else."""
    where, user = f"Kafka at {settings.broker}", settings.sasl_username or "ANONYMOUS"
    if isinstance(why, NOT_ALLOWED):
        return AccessRefusedError(
            f"{where} does not allow User:{user} what we need ({type(why).__name__}: {' '.join(map(str, why.args))});"
            f" grant it {rights(settings)}"
        )
    text = str(why)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return AccessRefusedError(
            f"{where} shows a certificate that is not trusted ({text.partition('] ')[2] or text});"
            " name the authority that signed it with --ssl-cafile"
        )
    if "AuthenticationFailed" in text or "Authentication failed" in text:
        return AccessRefusedError(
            f"{where} refuses the login of {user!r} by {settings.sasl_mechanism} ({text});"
            " check sasl_username, the password and sasl_mechanism"
        )
    return None


def rights(settings: Settings) -> str:
    """What our user must be allowed to do where Kafka has ACLs, in one sentence."""
    return (
        f"READ, WRITE, CREATE, DESCRIBE and DESCRIBE_CONFIGS on topics {settings.prefix}.*, READ and DESCRIBE on group"
        f" {settings.group}*, WRITE and DESCRIBE on transactional ids {settings.group}-*"
    )


class _Logins(logging.Filter):
    """Keeps logins out of the log: at `debug` aiokafka writes out every request, passwords and tokens included."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "SaslAuthenticate" not in record.getMessage()


_logins = _Logins()


class _Refusals(logging.Filter):
    """Thins out what aiokafka logs while a broker is away: it says the same some fifty times a second.

    A line for each connection that fails is taken out altogether: we say it once, in our own error. All is left in
    where `shown`.
    """

    last = ""
    shown = False

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith("Unable connect to"):
            self.last = str(record.args[-1]) if isinstance(record.args, tuple) else ""
            return self.shown
        # A topic that was just made: its leader answers in a moment, and the client asks again by itself.
        given = record.args if isinstance(record.args, tuple) else ()
        if any(isinstance(found, NotLeaderForPartitionError) for found in given):
            return self.shown
        # By the words alone, without what is filled in: of those there are a dozen.
        if not self.shown and record.created - self._said.get(str(record.msg), -_REPEAT_SECONDS) < _REPEAT_SECONDS:
            return False
        self._said[str(record.msg)] = record.created
        return True


_refusals = _Refusals()


def max_record_bytes(settings: Settings) -> int:
    """The largest record we ever send: a full-size article, its headers, and what enriching adds.

    One byte of a Thai or a Windows page may be three in UTF-8, and so may a sign whose composed form is longer.
    """
    return 3 * settings.max_article_bytes + RECORD_OVERHEAD_BYTES


def declared_topics(settings: Settings) -> list[NewTopic]:
    """Every topic as we would create it."""
    wanted = []
    for topic in TOPICS:
        config = dict(topic.config)
        if topic.name == "claims":
            config["retention.ms"] = str(claims_kept_ms(settings.window_seconds))
        elif topic.name != "files":
            config["max.message.bytes"] = str(max_record_bytes(settings))
        name, partitions = topic_name(settings.prefix, topic.name), topic.partitions or settings.partitions
        new = NewTopic(name, num_partitions=partitions, replication_factor=1, topic_configs=config)
        # Kafka takes -1 for "as the cluster says" (KIP-464); aiokafka's constructor does not.
        new.replication_factor = settings.replication_factor
        wanted.append(new)
    return wanted


async def ensure_topics(settings: Settings) -> list[str]:
    """Create the topics that are missing and return their names; existing ones are left as they are.

    Raises BrokerUnreachableError where there is no broker, and UserError where it refuses to make a topic.
    """
    with asking(settings):
        async with administrator(settings) as admin:
            present = set(await admin.list_topics())
            missing = [topic for topic in declared_topics(settings) if topic.name not in present]
            if missing:
                check_created(await admin.create_topics(missing))
    return [topic.name for topic in missing]


@asynccontextmanager
async def administrator(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client that is connected; closed afterwards. Raises KafkaError or OSError."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


def check_created(response: Any) -> None:
    """Raises UserError where the broker's answer to `create_topics` names a topic that it did not make."""
    for name, code, *rest in response.topic_errors:
        # Two roles that start at the same time both find the topic missing; one creates it.
        if code not in (0, _TOPIC_ALREADY_EXISTS):
            do = _MAKE_RIGHTS if code in (_TOPIC_FORBIDDEN, _CLUSTER_FORBIDDEN) else "mend the setting that it names"
            raise UserError(
                f"Kafka does not make the topic {name} ({(rest and rest[0]) or for_code(code).__name__}); {do}"
            )


async def check_reachable(settings: Settings) -> None:
    """Raises BrokerUnreachableError unless a broker answers at `settings.broker`."""
    with asking(settings):
        async with administrator(settings):
            pass


def quiet_client_logs(level: int) -> None:
    """Keep the client libraries' routine words out of our logs, unless `level` asks for all of them.

    On Kafka 4 the first send after a commit is often answered with a retriable NotEnoughReplicas while the commit's
    marker is still being written; aiokafka warns each time and then succeeds. Faust logs a traceback for what we
    report ourselves, in one line, when it ends the worker.
    """
    for name, least in (("aiokafka", logging.ERROR), ("faust", logging.CRITICAL), ("mode", logging.CRITICAL)):
        logging.getLogger(name).setLevel(level if level <= logging.DEBUG else max(level, least))
    logging.getLogger("aiokafka.conn").addFilter(_logins)
    _refusals.shown = level <= logging.DEBUG
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_refusals)
