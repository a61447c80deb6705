"""What doctor makes of what a broker says: release, login, clocks; and of replicas that would lose articles."""

from __future__ import annotations

import pytest
from aiokafka.admin import NewTopic

from pipeline.monitor.broker_checks import Seen, check_broker
from pipeline.monitor.checks import Check
from pipeline.monitor.topic_checks import Found, check_topics
from pipeline.settings import Settings

WELL = Seen(brokers=3, produce_version=13, ahead={})


def checks(seen: Seen = WELL, **settings: str) -> dict[str, Check]:
    return {one.name: one for one in check_broker(Settings(**{"broker": "kafka:9092"} | settings), seen)}  # type: ignore[arg-type]


def test_a_broker_that_will_do() -> None:
    found = checks()
    assert [one.ok for one in found.values()] == [True, True, True]
    assert found["broker"].says == "answers at kafka:9092: Kafka 4.0 or newer, 3 brokers"
    assert found["login"].says == "PLAINTEXT, as nobody"


def test_an_older_one_will_do_as_long_as_it_has_transactions() -> None:
    assert "older than 4.0, 1 broker" in checks(Seen(1, 9, {}))["broker"].says
    old = checks(Seen(1, 2, {}))["broker"]
    assert (old.ok, "no transactions" in old.do) == (False, True)


@pytest.mark.parametrize(
    ("protocol", "broker", "ok"),
    [
        ("SASL_SSL", "kafka:9093", True),
        ("SASL_PLAINTEXT", "127.0.0.1:9093,localhost:1,[::1]:2", True),
        ("SASL_PLAINTEXT", "127.0.0.1:9093,kafka:9093", False),
    ],
)
def test_a_login_in_the_clear_is_a_finding(protocol: str, broker: str, ok: bool) -> None:
    found = checks(broker=broker, security_protocol=protocol, sasl_username="desk", sasl_password="s3cret")["login"]
    assert found.ok is ok
    assert "'desk' by PLAIN" in found.says
    assert ok or "SASL_SSL" in found.do
    assert "s3cret" not in f"{found}"


def test_records_from_the_future_tell_of_clocks() -> None:
    found = checks(Seen(1, 13, {"articles.raw": 2, "articles.claims": 1}))["clocks"]
    assert not found.ok
    assert found.says == "3 partitions of articles.claims, articles.raw hold a record from 30 s ahead"
    assert "timedatectl" in found.do


@pytest.mark.parametrize(
    ("replicas", "brokers", "least", "says"),
    [
        (1, 1, "1", ""),
        (3, 3, "2", ""),
        (2, 3, "1", ""),
        (1, 3, "1", "1 replica on 3 brokers"),
        (3, 3, "1", "a commit may rest on one broker alone"),
        (1, 3, "2", "nothing can be written"),
    ],
)
def test_replicas_that_lose_or_block_are_findings(replicas: int, brokers: int, least: str, says: str) -> None:
    topic = NewTopic("articles.raw", 4, 1, topic_configs={})
    (found,) = check_topics([topic], {"articles.raw": Found(4, {"min.insync.replicas": least}, replicas, brokers)})
    assert found.ok is not bool(says)
    assert says in found.says
    assert found.ok or found.do


def test_where_kafka_may_hide_a_topic_the_rights_are_named() -> None:
    (found,) = check_topics([NewTopic("articles.raw", 4, 1)], {}, "READ on everything")
    assert found.says == "each of the 1 is missing, or our user may not see it"
    assert found.do.endswith("else grant our user READ on everything")
