"""The topics as declared: names, partitions, retention, reasons."""

from __future__ import annotations

from pipeline.topics import OUTCOMES, TOPICS, topic_name

BY_NAME = {topic.name: topic for topic in TOPICS}


def test_the_contract_names_seven_topics() -> None:
    assert list(BY_NAME) == ["raw", "files", "claims", "enriched", "duplicates", "rejected", "stories"]
    assert set(OUTCOMES) < set(BY_NAME)
    assert topic_name("news", "raw") == "news.raw"


def test_each_says_what_is_in_it_and_why_it_is_kept() -> None:
    for topic in TOPICS:
        assert topic.key, topic.name
        assert topic.value, topic.name
        assert len(topic.why.split()) > 1, topic.name


def test_where_order_decides_there_is_one_partition() -> None:
    assert {name for name, topic in BY_NAME.items() if topic.partitions == 1} == {"files", "claims", "stories"}
    assert {topic.partitions for topic in TOPICS} == {1, None}


def test_the_ledger_alone_is_compacted_and_nothing_is_kept_for_ever_by_mistake() -> None:
    policies = {name: topic.config["cleanup.policy"] for name, topic in BY_NAME.items()}
    assert {name for name, policy in policies.items() if policy == "compact"} == {"files"}
    # How long claims are kept follows from the de-duplication window, which is a setting.
    assert {name for name, topic in BY_NAME.items() if "retention.ms" not in topic.config} == {"files", "claims"}


def test_no_clock_but_the_brokers_decides_how_long_a_record_is_kept() -> None:
    asked = {name for name, topic in BY_NAME.items() if topic.config.get("message.timestamp.type") == "LogAppendTime"}
    assert asked == BY_NAME.keys() - {"claims"}
