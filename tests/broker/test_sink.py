"""The sink alone against the broker: fencing, stale batches, gaps. Deterministic, since nothing races."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest
from aiokafka import TopicPartition

from pipeline.broker import EmbeddedBroker
from pipeline.clock import SystemClock
from pipeline.errors import StreamError
from pipeline.kafka import ensure_topics
from pipeline.records import ORIGINAL, RawArticle, Tags
from pipeline.settings import Settings
from pipeline.stages.normalise import normalise
from pipeline.stream.batch import Origin, Tagged
from pipeline.stream.sink import Sink
from tests import oracle


@pytest.fixture
def settings(broker: EmbeddedBroker, prefix: str) -> Settings:
    made = Settings(broker=broker.bootstrap, prefix=prefix)
    asyncio.run(ensure_topics(made))
    return made


def batch(settings: Settings, number: int, epoch: int = 1, size: int = 2, begun: int = 0) -> Tagged:
    """The batch that partition 1 delivers as its `number`-th of an epoch that begins at offset `begun`, two each."""
    first = begun + 2 * number
    articles = [
        normalise(
            RawArticle(
                f"{first + n:032x}", "a.txt", n, "text/plain", "2025-03-18T09:00:00.000Z", "0" * 64, b"It rained."
            )
        )
        for n in range(2)
    ]
    tp = TopicPartition(f"{settings.prefix}.raw", 1)
    origin = Origin(tp, epoch, number, first_offset=first, last_offset=first + 1, size=size)
    return Tagged(origin, articles, [ORIGINAL] * 2, [Tags()] * 2, [])


def keys(settings: Settings) -> list[int]:
    found = oracle.read(settings.broker, settings.prefix)
    return sorted(int(record.key, 16) for record in found.records["enriched"])


def test_a_former_owner_cannot_commit_and_says_who_can(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        zombie, owner = Sink(settings, SystemClock()), Sink(settings, SystemClock())
        tps = {TopicPartition(f"{settings.prefix}.raw", 1)}
        await zombie.fence(tps, 1)
        assert await zombie.commit(batch(settings, 0)) is not None
        assert list((await owner.fence(tps, 1)).values()) == [2]
        assert await zombie.commit(batch(settings, 1)) is None
        assert await owner.commit(batch(settings, 0, begun=4)) is not None
        await zombie.close()
        await owner.close()

    with caplog.at_level(logging.WARNING, "pipeline"):
        asyncio.run(scene())
    assert "another worker took over" in caplog.text
    # The zombie's second batch (2, 3) is nowhere.
    assert keys(settings) == [0, 1, 4, 5]


def test_a_batch_of_an_earlier_epoch_is_dropped(settings: Settings) -> None:
    async def scene() -> None:
        sink = Sink(settings, SystemClock())
        tps = {TopicPartition(f"{settings.prefix}.raw", 1)}
        await sink.fence(tps, 1)
        await sink.fence(tps, 2)
        assert await sink.commit(batch(settings, 0, epoch=1)) is None
        assert await sink.commit(batch(settings, 0, epoch=2)) is not None
        await sink.close()

    asyncio.run(scene())
    assert keys(settings) == [0, 1]


def test_a_missing_batch_stops_the_worker_before_its_offset_is_passed(settings: Settings) -> None:
    async def scene() -> None:
        sink = Sink(settings, SystemClock())
        await sink.fence({TopicPartition(f"{settings.prefix}.raw", 1)}, 1)
        await sink.commit(batch(settings, 0))
        with pytest.raises(StreamError, match="batch 2 came where 1 was due"):
            await sink.commit(batch(settings, 2))
        await sink.close()

    asyncio.run(scene())
    assert keys(settings) == [0, 1]


def test_records_that_were_committed_before_are_refused(settings: Settings) -> None:
    async def scene() -> None:
        tps = {TopicPartition(f"{settings.prefix}.raw", 1)}
        for epoch in range(2):
            sink = Sink(settings, SystemClock())
            await sink.fence(tps, epoch)
            again = sink.commit(batch(settings, 0, epoch=epoch))
            if epoch:
                with pytest.raises(StreamError, match="begins at offset 0, and all before 2 is committed"):
                    await again
            else:
                assert await again is not None
            await sink.close()

    asyncio.run(scene())
    assert keys(settings) == [0, 1]


def test_a_batch_whose_outcomes_do_not_add_up_is_not_committed(settings: Settings) -> None:
    async def scene() -> None:
        sink = Sink(settings, SystemClock())
        await sink.fence({TopicPartition(f"{settings.prefix}.raw", 1)}, 1)
        with pytest.raises(StreamError, match="3 records gave 2 outcomes"):
            await sink.commit(batch(settings, 0, size=3))
        await sink.close()

    asyncio.run(scene())
    assert keys(settings) == []


def test_counts_go_on_where_the_former_owner_left_them(settings: Settings) -> None:
    async def scene() -> list[str]:
        tps = {TopicPartition(f"{settings.prefix}.raw", 1)}
        for epoch in range(2):
            sink = Sink(replace(settings), SystemClock())
            await sink.fence(tps, epoch)
            await sink.commit(batch(settings, 0, epoch=epoch, begun=2 * epoch))
            settled = [lane.settled.encode() for lane in sink._lanes.values()]
            await sink.close()
        return settled

    assert asyncio.run(scene()) == ['{"enriched":4,"duplicates":0,"rejected":0}']
