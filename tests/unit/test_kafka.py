"""What every client is given, what topics are made, and how trouble with the broker is said."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError, NotLeaderForPartitionError

from pipeline.errors import BrokerUnreachableError, SettingError, UserError
from pipeline.kafka import (
    RECORD_OVERHEAD_BYTES,
    check_created,
    client_options,
    declared_topics,
    max_record_bytes,
    quiet_client_logs,
    refused,
    rights,
    unreachable,
)
from pipeline.settings import Settings

SETTINGS = Settings(broker="kafka:9092")


def test_plain_clients_need_an_address_only() -> None:
    assert client_options(SETTINGS) == {
        "bootstrap_servers": "kafka:9092",
        "security_protocol": "PLAINTEXT",
        "metadata_max_age_ms": 5_000,
    }
    assert client_options(SETTINGS, "127.0.0.1:5")["bootstrap_servers"] == "127.0.0.1:5"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_login_carries_name_and_password_over_tls(mechanism: str, tmp_path: Path) -> None:
    (tmp_path / "word").write_text("s3cret\n")
    found = client_options(
        Settings(
            broker="kafka:9093",
            security_protocol="SASL_SSL",
            sasl_mechanism=mechanism,
            sasl_username="desk",
            sasl_password_file=str(tmp_path / "word"),
        )
    )
    assert (found["sasl_plain_username"], found["sasl_plain_password"]) == ("desk", "s3cret")
    assert found["sasl_mechanism"] == mechanism
    context = found["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_token_is_read_at_every_login(tmp_path: Path) -> None:
    path = tmp_path / "token"
    settings = Settings(security_protocol="SASL_PLAINTEXT", sasl_mechanism="OAUTHBEARER", sasl_token_file=str(path))
    provider = client_options(settings)["sasl_oauth_token_provider"]
    for token in ("first", "second"):
        path.write_text(token)
        assert asyncio.run(provider.token()) == token


@pytest.mark.parametrize("name", ["ssl_cafile", "ssl_certfile"])
def test_a_certificate_that_cannot_be_used_is_one_line(name: str, tmp_path: Path) -> None:
    for content in (None, "no certificate"):
        path = tmp_path / "some.pem"
        if content:
            path.write_text(content)
        with pytest.raises(SettingError, match=f"TLS: cannot use .*{path}") as caught:
            client_options(Settings(security_protocol="SSL", **{name: str(path)}))  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)


def test_a_key_without_a_certificate_is_refused() -> None:
    with pytest.raises(SettingError, match="ssl_keyfile needs ssl_certfile"):
        client_options(Settings(security_protocol="SSL", ssl_keyfile="/some.pem"))


def test_a_record_has_room_for_an_article_that_triples_in_utf_8() -> None:
    article = "€".encode("cp1252") * 1024
    settings = Settings(max_article_bytes=len(article))
    room = max_record_bytes(settings) - RECORD_OVERHEAD_BYTES
    assert len(article.decode("cp1252").encode()) <= room
    by_name = {topic.name: topic for topic in declared_topics(settings)}
    for name in ("raw", "enriched", "duplicates", "rejected"):
        assert by_name[f"articles.{name}"].topic_configs["max.message.bytes"] == str(max_record_bytes(settings))


def test_topics_are_declared_with_the_settings() -> None:
    found = {t.name: t for t in declared_topics(Settings(prefix="news", partitions=6, window_seconds=3600))}
    assert {name: topic.num_partitions for name, topic in found.items()} == {
        "news.raw": 6, "news.files": 1, "news.claims": 1, "news.enriched": 6, "news.duplicates": 6, "news.rejected": 6,
        "news.stories": 1,
    }  # fmt: skip
    assert found["news.claims"].topic_configs["retention.ms"] == "10800000"
    assert {topic.replication_factor for topic in found.values()} == {-1}


def answer(*errors: tuple[object, ...]) -> SimpleNamespace:
    return SimpleNamespace(topic_errors=errors)


def test_a_topic_that_another_role_made_first_is_no_fault() -> None:
    check_created(answer(("articles.raw", 0, None), ("articles.files", 36, "Topic 'articles.files' already exists.")))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (("articles.raw", 38, "Replication factor: 3 larger than available brokers: 1."), "larger than available"),
        (("articles.raw", 29, None), "TopicAuthorizationFailedError"),
        (("articles.raw", 29), "TopicAuthorizationFailedError"),
    ],
)
def test_a_topic_that_kafka_refuses_is_one_line_that_says_why(error: tuple[object, ...], says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        check_created(answer(error))
    assert "articles.raw" in str(caught.value)


def test_a_failed_connection_is_said_once_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("aiokafka")
    quiet_client_logs(logging.WARNING)
    logger.error('Unable connect to "%s:%s": %s', "kafka", 9092, "[SSL] certificate has expired")
    assert caplog.records == []
    error = unreachable(SETTINGS, KafkaConnectionError("Unable to bootstrap from [('kafka', 9092, 0)]"))
    assert isinstance(error, BrokerUnreachableError)
    assert str(error).startswith("no Kafka answers at kafka:9092 ([SSL] certificate has expired); check --broker")


def test_other_errors_of_clients_are_logged_and_said_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    quiet_client_logs(logging.WARNING)
    logging.getLogger("aiokafka.conn").error("something else")
    logging.getLogger("aiokafka.conn").warning("a retriable refusal")
    assert [record.message for record in caplog.records] == ["something else"]
    assert "(gone)" in str(unreachable(SETTINGS, OSError("gone")))


def test_what_a_client_says_over_and_over_while_a_broker_is_away_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    quiet_client_logs(logging.WARNING)
    for node in range(200):
        logging.getLogger("aiokafka.consumer.fetcher").error("Failed fetch messages from %s: %s", node, "not ready")
    assert [record.message for record in caplog.records] == ["Failed fetch messages from 0: not ready"]


def test_a_topic_without_its_leader_yet_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    quiet_client_logs(logging.WARNING)
    fetcher = logging.getLogger("aiokafka.consumer.fetcher")
    fetcher.error("Failed fetch offsets from %s: %s", 1, NotLeaderForPartitionError("articles.files 0"))
    assert caplog.records == []


def test_debug_shows_everything(caplog: pytest.LogCaptureFixture) -> None:
    quiet_client_logs(logging.DEBUG)
    try:
        logging.getLogger("aiokafka").error('Unable connect to "%s:%s": %s', "kafka", 9092, "no")
        assert len(caplog.records) == 1
    finally:
        quiet_client_logs(logging.WARNING)


LOGGED_IN = Settings(broker="kafka:9092", sasl_username="desk", sasl_mechanism="PLAIN", sasl_password="s3cret")


@pytest.mark.parametrize(
    ("why", "says"),
    [
        (
            "[Error 58] SaslAuthenticationFailed: Authentication failed",
            r"refuses the login of 'desk' by PLAIN \(.*\); check",
        ),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired", r"not trusted \(certificate has expired\)"),
        (GroupAuthorizationFailedError("g"), r"does not allow User:desk .*\(GroupAuthorizationFailedError: g\)"),
    ],
)
def test_a_broker_that_does_not_let_us_is_told_from_one_that_is_away(why: BaseException | str, says: str) -> None:
    found = refused(LOGGED_IN, why)
    assert re.search(says, str(found))
    assert isinstance(found, BrokerUnreachableError)
    assert "s3cret" not in str(found)


def test_a_broker_that_is_away_refuses_nothing() -> None:
    assert refused(LOGGED_IN, "[Errno 111] Connection refused") is None
    assert "copydesk-news*" in rights(Settings(prefix="news"))


def test_no_level_shows_a_login(caplog: pytest.LogCaptureFixture) -> None:
    quiet_client_logs(logging.DEBUG)
    try:
        logger = logging.getLogger("aiokafka.conn")
        for request in ("MetadataRequest_v5(topics=[])", "SaslAuthenticateRequest_v1(sasl_auth_bytes=b'desk s3cret')"):
            logger.debug("Request to %s:%d %d: %s", "kafka", 9092, 1, request)
        assert [record.getMessage() for record in caplog.records] == [
            "Request to kafka:9092 1: MetadataRequest_v5(topics=[])"
        ]
    finally:
        quiet_client_logs(logging.WARNING)
