from aiokafka.admin import NewTopic

from pipeline.monitor.topic_checks import Found, check_topics

RAW = NewTopic(
    "articles.raw", 4, 1, topic_configs={"cleanup.policy": "delete", "retention.ms": "1000", "max.message.bytes": "50"}
)
CLAIMS = NewTopic("articles.claims", 1, 1, topic_configs={"cleanup.policy": "delete"})
GOOD = {"cleanup.policy": "delete", "retention.ms": "1000", "max.message.bytes": "50"}


def says(topic: NewTopic, found: dict[str, Found]) -> tuple[bool, str]:
    (check,) = check_topics([topic], found)
    assert check.name == f"topic {topic.name}"
    assert check.ok or check.do
    return check.ok, check.says


def test_a_topic_as_declared_is_fine() -> None:
    assert says(RAW, {"articles.raw": Found(4, GOOD)}) == (True, "4 partitions")
    assert says(CLAIMS, {"articles.claims": Found(1, GOOD)}) == (True, "1 partition")


def test_a_missing_topic_is_named() -> None:
    assert says(RAW, {"articles.files": Found(1, GOOD)}) == (False, "is missing")


def test_where_none_is_there_it_is_one_finding() -> None:
    (check,) = check_topics([RAW, CLAIMS], {})
    assert (check.name, check.ok, check.says) == ("topics", False, "each of the 2 is missing")
    assert "copydesk topics" in check.do


def test_more_than_declared_is_fine() -> None:
    more = {"cleanup.policy": "delete", "retention.ms": "-1", "max.message.bytes": "51"}
    assert says(RAW, {"articles.raw": Found(12, more)})[0]


def test_less_than_declared_loses_records() -> None:
    less = GOOD | {"retention.ms": "999", "max.message.bytes": "49"}
    ok, found = says(RAW, {"articles.raw": Found(4, less)})
    assert not ok
    assert found == "retention.ms is 999, and should be 1000; max.message.bytes is 49, and should be 50"


def test_another_policy_is_a_fault() -> None:
    assert not says(RAW, {"articles.raw": Found(4, GOOD | {"cleanup.policy": "compact"})})[0]
    assert not says(RAW, {"articles.raw": Found(4, {})})[0]


def test_the_claim_log_must_have_one_partition() -> None:
    assert says(CLAIMS, {"articles.claims": Found(4, GOOD)}) == (False, "has 4 partitions, and must have one")


def test_a_compression_that_our_client_cannot_read_is_a_fault() -> None:
    assert says(RAW, {"articles.raw": Found(4, GOOD | {"compression.type": "gzip"})})[0]
    ok, found = says(RAW, {"articles.raw": Found(4, GOOD | {"compression.type": "zstd"})})
    assert (ok, found) == (False, "compression.type is zstd, which our client cannot read")
