"""The claim log on the real broker: starting again, a front cut off, records that cannot be read, a broker away."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from pipeline.broker import EmbeddedBroker
from pipeline.errors import ClaimLogError
from pipeline.kafka import client_options, ensure_topics
from pipeline.metrics import Meter, open_labels
from pipeline.records import ORIGINAL, Verdict
from pipeline.settings import Settings
from pipeline.stages.deduplicate import Fingerprint, encode_claims
from pipeline.stages.deduplicate.fingerprint import NO_FIGURES
from pipeline.stream.claims import ClaimLog
from pipeline.testing import FakeClock

DAY = 86_400


@pytest.fixture
def settings(broker: EmbeddedBroker, prefix: str) -> Settings:
    made = Settings(broker=broker.bootstrap, prefix=prefix, window_seconds=7 * DAY)
    asyncio.run(ensure_topics(made))
    return made


class Opened(ClaimLog):
    """A claim log that keeps the error which ended it."""

    def __init__(self, settings: Settings, clock: FakeClock) -> None:
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        meter = Meter(open_labels=open_labels(settings), role="worker")
        in_order = partial(asyncio.get_running_loop().run_in_executor, ThreadPoolExecutor(1))
        super().__init__(settings, clock, meter, self.failed.set_result, in_order)

    async def failure(self) -> BaseException:
        async with asyncio.timeout(30):  # for the follower to meet what it cannot read
            return await self.failed


@asynccontextmanager
async def opened(settings: Settings, clock: FakeClock) -> AsyncIterator[Opened]:
    log = Opened(settings, clock)
    try:
        await log.start()
        yield log
    finally:
        await log.stop()


def article(number: int, *, like: int | None = None) -> Fingerprint:
    """An article unlike all others, or with the body of article `like`."""
    dice = random.Random(number if like is None else like)
    signature = bytes(dice.randrange(1, 16) << 4 | dice.randrange(1, 16) for _ in range(128))
    body = number if like is None else like
    return Fingerprint(f"{number:032x}", body, 0, dice.randbytes(64), signature, NO_FIGURES, shingles=498, words=500)


def duplicate(of: int) -> Verdict:
    return Verdict("duplicate", f"{of:032x}", "exact", 1.0, story=f"{of:032x}")


async def append(settings: Settings, value: bytes) -> int:
    """Put a record of any bytes on the log; its offset."""
    producer = AIOKafkaProducer(**client_options(settings))
    await producer.start()
    try:
        sent = await producer.send_and_wait(f"{settings.prefix}.claims", value, partition=0)
    finally:
        await producer.stop()
    return int(sent.offset)


async def cut(settings: Settings, before: int) -> None:
    """Take away what is before an offset, as retention does."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(f"{settings.prefix}.claims", 0): RecordsToDelete(before)})
    finally:
        await admin.close()


async def claimed(log: ClaimLog, *batches: Sequence[Fingerprint]) -> list[Verdict]:
    return [verdict for batch in batches for verdict in await log.claim(batch)]


def test_a_worker_that_starts_again_has_the_same_index(settings: Settings) -> None:
    batches = [[article(1), article(2)], [article(3, like=1)], [article(4, like=1), article(5)]]

    async def scene() -> None:
        clock = FakeClock()
        async with opened(settings, clock) as before, opened(settings, clock) as beside:
            first = await claimed(before, *batches)
            assert first == [ORIGINAL, ORIGINAL, duplicate(1), duplicate(1), ORIGINAL]
            async with opened(settings, clock) as again:
                assert await claimed(again, *batches) == first
                assert await claimed(beside, *batches) == first
                assert await again.claim([article(6, like=5)]) == [duplicate(5)]
                async with asyncio.timeout(30):  # for `beside` to read what `again` claimed
                    while len(beside._replica.index) < 6:
                        await asyncio.sleep(0.05)
                assert {len(log._replica.index) for log in (again, beside)} == {6}

    asyncio.run(scene())


def test_what_left_with_retention_decides_as_before(settings: Settings) -> None:
    """An original is gone, its copy is not: that copy was never published, so no other may name it."""

    async def scene() -> None:
        clock = FakeClock()
        async with opened(settings, clock) as running:
            await running.claim([article(1)])
            clock.advance(6 * DAY)
            assert await running.claim([article(2, like=1)]) == [duplicate(1)]
            clock.advance(6 * DAY)
            await running.claim([article(3)])
            clock.advance(DAY / 2)
            await cut(settings, 1)
            async with opened(settings, clock) as started:
                assert await started.claim([article(4, like=1)]) == [duplicate(1)]
                assert await running.claim([article(4, like=1)]) == [duplicate(1)]
                clock.advance(8 * DAY)
                assert await started.claim([article(5, like=1)]) == [ORIGINAL]
                assert await running.claim([article(6, like=1)]) == [duplicate(5)]

    asyncio.run(scene())


def test_a_replay_begins_where_the_log_begins_to_matter(settings: Settings) -> None:
    async def scene() -> None:
        clock = FakeClock()
        async with opened(settings, clock) as running:
            for number in range(20):
                await running.claim([article(number)])
                clock.advance(DAY)
        async with opened(settings, clock) as started:
            assert await started.claim([article(50, like=2), article(51, like=19)]) == [ORIGINAL, duplicate(19)]
            assert len(started._replica.index) < 15

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (encode_claims([article(9)], 0)[:-1], "torn: 439 bytes, its 1 articles take 440"),
        (b"\x09" + encode_claims([article(9)], 0)[1:], "has version 9, this release reads version 5"),
        (b"", "is empty"),
    ],
    ids=["torn", "version", "empty"],
)
def test_a_record_that_cannot_be_read_ends_the_worker_and_is_named(
    settings: Settings, value: bytes, words: str
) -> None:
    async def scene() -> None:
        clock = FakeClock()
        async with opened(settings, clock) as running:
            await running.claim([article(1)])
            offset = await append(settings, value)
            named = f"^{settings.prefix}.claims offset {offset}: a claim record .*{words}"
            with pytest.raises(ClaimLogError, match=named):
                raise await running.failure()
            waits = asyncio.create_task(running.claim([article(2)]))
            with pytest.raises(ClaimLogError, match=named):
                async with opened(settings, clock) as again:
                    raise await again.failure()
            assert not waits.done()
            waits.cancel()

    asyncio.run(scene())


def test_what_left_before_a_worker_read_it_is_noticed(settings: Settings) -> None:
    async def scene() -> None:
        clock = FakeClock()
        async with opened(settings, clock) as paused, opened(settings, clock) as other:
            await claimed(paused, [article(1)])
            paused._consumer.pause(paused._tp)
            await claimed(other, [article(2)], [article(3)])
            await cut(settings, 3)
            paused._consumer.resume(paused._tp)
            with pytest.raises(ClaimLogError, match="records that this worker had not read are gone"):
                raise await paused.failure()

    asyncio.run(scene())


def test_while_the_log_is_out_of_reach_articles_wait(tmp_path: Path, prefix: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    broker = EmbeddedBroker(tmp_path, port, print)

    async def scene() -> None:
        settings = Settings(broker=broker.bootstrap, prefix=prefix)
        await ensure_topics(settings)
        async with opened(settings, FakeClock()) as log:
            await log.claim([article(1)])
            await asyncio.to_thread(broker.stop)
            waits = asyncio.create_task(log.claim([article(2, like=1), article(3)]))
            done, _ = await asyncio.wait([waits], timeout=2)  # long enough for an answer, were there one
            assert not done
            await asyncio.to_thread(broker.start)
            async with asyncio.timeout(60):  # for the clients to find the broker again
                assert await waits == [duplicate(1), ORIGINAL]

    with broker:
        asyncio.run(scene())


def test_workers_that_judge_otherwise_do_not_go_on(settings: Settings) -> None:
    async def scene() -> None:
        clock = FakeClock()
        async with opened(settings, clock) as running, opened(settings, clock) as other:
            await running.claim([article(1)])
            async with asyncio.timeout(30):  # for the other to read it; it had caught up before there was anything
                while not other._replica.basis.settled:
                    await asyncio.sleep(0.01)
            (judged,) = other._replica.basis.settled
            basis = replace(other._replica.basis, settled=(replace(judged, now_ms=judged.now_ms + 1),))
            await append(settings, encode_claims([article(2)], judged.now_ms, 7 * DAY, basis))
            with pytest.raises(ClaimLogError, match="offset 1 says of the one at 0 what this worker judged otherwise"):
                raise await running.failure()

    asyncio.run(scene())
