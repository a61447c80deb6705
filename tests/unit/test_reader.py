"""Reading to an end that was seen at the start: markers count, what lies behind does not, nothing waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from pipeline.errors import BrokerUnreachableError
from pipeline.reader import batches
from pipeline.testing import FakeClock, ScriptedConsumer

PLACE = TopicPartition("articles.enriched", 0)


def record(offset: int) -> ConsumerRecord:
    return ConsumerRecord(PLACE.topic, 0, offset, 0, 0, b"k", b"v", None, 0, 0, ())


def read(consumer: ScriptedConsumer, ends: Mapping[TopicPartition, int], clock: FakeClock) -> list[int]:
    async def body() -> list[int]:
        found: list[int] = []
        async for records in batches(consumer, clock, ends, stalled_seconds=60):
            found += [one.offset for one in records]
        return found

    return asyncio.run(body())


def test_it_ends_where_the_log_ended_though_the_last_thing_is_a_marker() -> None:
    # Offset 2 is a transaction's marker, 3 came later.
    consumer = ScriptedConsumer(PLACE, [([record(0), record(1)], 2), ([], 3)])
    assert read(consumer, {PLACE: 3}, FakeClock()) == [0, 1]
    consumer = ScriptedConsumer(PLACE, [([record(0), record(1), record(3)], 4)])
    assert read(consumer, {PLACE: 3}, FakeClock()) == [0, 1]


def test_an_empty_topic_is_not_waited_for() -> None:
    assert read(ScriptedConsumer(PLACE, []), {PLACE: 0}, FakeClock()) == []


def test_an_open_transaction_is_waited_for_but_not_for_ever() -> None:
    clock = FakeClock()
    consumer = ScriptedConsumer(PLACE, [([record(0)], 1)], idle=lambda: clock.advance(7))
    with pytest.raises(BrokerUnreachableError, match=r"no longer answers reads of articles\.enriched"):
        read(consumer, {PLACE: 2}, clock)
    assert 60 < clock.monotonic() - FakeClock().monotonic() < 80
