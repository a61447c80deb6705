"""The claim log: one partition whose order decides which article is the original, for every worker alike.

`claim` appends a batch of fingerprints and waits until this worker has read it back; by then everything that came
before it in the log, from whichever worker, has been applied to the index. The log is the state: `start` replays it,
from where the last record says that it matters.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from pipeline.clock import Clock
from pipeline.errors import ClaimLogError
from pipeline.kafka import client_options
from pipeline.metrics import Meter
from pipeline.records import Verdict
from pipeline.settings import Settings
from pipeline.stages.deduplicate import Claims, Fingerprint, Replica, decode_claims, encode_claims
from pipeline.stages.deduplicate.claims import Settled
from pipeline.stages.deduplicate.decisions import verdicts
from pipeline.topics import CLAIM_RECORD_BYTES, HOUR_MS, topic_name
from pipeline.transactions import drop, leave

T = TypeVar("T")
logger = logging.getLogger(__name__)

_FETCH_BYTES = 8 << 20
_POLL_MS = 200
_CHUNK_BYTES = 1 << 20  # between two looks at heartbeats and endpoints


class Run(Protocol):
    """A way to get work done off the event loop."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Do `work`, one at a time and in the order given. Returns, and raises, what comes of it."""


class ClaimLog:
    """Appends claims and follows the log. `on_failure` is called once, with the error that ended the following.

    `run` does whatever touches the index.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        meter: Meter,
        on_failure: Callable[[BaseException], None],
        run: Run,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._meter = meter
        self._on_failure = on_failure
        self._run = run
        self._tp = TopicPartition(topic_name(settings.prefix, "claims"), 0)
        self._waiting: dict[int, asyncio.Future[Settled]] = {}
        self._early: dict[int, Settled] = {}
        self._in_flight = 0
        self._expired = self._compared = 0
        self.caught_up = asyncio.Event()

    async def start(self) -> None:
        """Connect and begin to replay in the background; claims may be made at once and wait their turn."""
        options = client_options(self._settings)
        self._producer = AIOKafkaProducer(
            **options, enable_idempotence=True, linger_ms=0, max_request_size=CLAIM_RECORD_BYTES, retry_backoff_ms=20
        )
        # "none": should retention overtake us, we must hear of it instead of skipping claims silently.
        self._consumer = AIOKafkaConsumer(
            **options,
            group_id=None,
            auto_offset_reset="none",
            enable_auto_commit=False,
            max_partition_fetch_bytes=_FETCH_BYTES,
            fetch_max_wait_ms=500,
        )
        await self._producer.start()
        await self._consumer.start()
        self._consumer.assign([self._tp])
        self._end = (await self._consumer.end_offsets([self._tp]))[self._tp]
        self._follower = asyncio.create_task(self._follow(), name="claim log follower")

    async def _beginning(self) -> tuple[int, int | None]:
        """Where to begin to read, and a moment before which everything ahead of that was claimed, if it is known.

        The last record says from when on the log is needed.
        """
        first: int = (await self._consumer.beginning_offsets([self._tp]))[self._tp]
        if first == self._end:
            return first, None
        self._consumer.seek(self._tp, self._end - 1)
        last = self._decoded(await self._consumer.getone(self._tp))
        since_ms = max(0, last.basis.horizon_ms - HOUR_MS)
        found = (await self._consumer.offsets_for_times({self._tp: since_ms}))[self._tp]
        return (found.offset, since_ms) if found and found.offset > first else (first, None)

    async def stop(self) -> None:
        """Stop following and close; claims that still wait are cancelled."""
        if hasattr(self, "_follower"):
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)
        for future in self._waiting.values():
            future.cancel()
        if hasattr(self, "_producer"):
            await drop(self._producer)
        if hasattr(self, "_consumer"):
            await leave(self._consumer)

    async def claim(self, fingerprints: Sequence[Fingerprint]) -> list[Verdict]:
        """Append `fingerprints` as one record and return a verdict for each, in order.

        Waits as long as the log cannot be reached: an article is never passed as original unread.
        """
        if not fingerprints:
            return []
        await self.caught_up.wait()
        now_ms = int(self._clock.now().timestamp() * 1000)
        value = await self._run(lambda: self._encode(fingerprints, now_ms))
        self._in_flight += 1
        try:
            sent = await self._producer.send_and_wait(self._tp.topic, value, partition=0, timestamp_ms=now_ms)
            self._meter.add("kafka_produced_total", topic=self._tp.topic)
            done = self._early.pop(sent.offset, None)
            if self._in_flight == 1:
                self._early.clear()
            if done is None:
                self._waiting[sent.offset] = asyncio.get_running_loop().create_future()
                done = await self._waiting[sent.offset]
            return verdicts(done.decisions, done.count)
        finally:
            self._in_flight -= 1

    def _encode(self, fingerprints: Sequence[Fingerprint], now_ms: int) -> bytes:
        chosen = self._settings
        windows = chosen.window_seconds, chosen.story_window_seconds
        return encode_claims(fingerprints, now_ms, windows[0], self._replica.basis, windows[1])

    async def _follow(self) -> None:
        try:
            first, cut_ms = await self._beginning()
            self._replica = Replica(self._settings.window_seconds, first, cut_ms)
            self._consumer.seek(self._tp, first)
            while True:
                if not self.caught_up.is_set() and await self._consumer.position(self._tp) >= self._end:
                    self.caught_up.set()
                fetched = await self._consumer.getmany(timeout_ms=_POLL_MS)
                for records in _chunks(fetched.get(self._tp, ())):
                    for done in await self._run(partial(self._read, records)):
                        self._answer(done)
                    # A replay of millions must not starve heartbeats and endpoints.
                    await asyncio.sleep(0)
                self._report()
        except asyncio.CancelledError:
            raise
        except OffsetOutOfRangeError as error:
            self._fail(
                ClaimLogError(
                    f"{self._tp.topic}: records that this worker had not read are gone ({error}); its retention is"
                    " shorter than a pause of this worker. Start the worker again: it replays what is left"
                )
            )
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        # Whoever wants to claim now waits for the worker's end.
        self.caught_up.clear()
        self._on_failure(error)

    def _read(self, records: Sequence[ConsumerRecord]) -> list[Settled]:
        claims = [(record.offset, self._decoded(record)) for record in records]
        try:
            return self._replica.read(claims, more=records[-1].offset + 1 < self._end)
        except ClaimLogError as error:
            raise ClaimLogError(f"{self._tp.topic}: {error}") from error

    def _decoded(self, record: ConsumerRecord) -> Claims:
        try:
            return decode_claims(record.value)
        except ClaimLogError as error:
            raise ClaimLogError(f"{self._tp.topic} offset {record.offset}: {error}") from error

    def _answer(self, done: Settled) -> None:
        if not self.caught_up.is_set():
            self._meter.add("claims_replayed_total", done.count)
        future = self._waiting.pop(done.offset, None)
        if future is None:
            # Somebody else's claim, or ours whose acknowledgement has not arrived yet.
            if self._in_flight:
                self._early[done.offset] = done
        elif not future.done():
            future.set_result(done)

    def _report(self) -> None:
        index = self._replica.index
        self._meter.set("dedupe_index_entries", len(index))
        self._meter.set("state_store_bytes", index.memory_bytes)
        self._meter.add("dedupe_evictions_total", index.expired - self._expired)
        self._meter.add("dedupe_candidates_total", index.compared - self._compared)
        self._expired, self._compared = index.expired, index.compared


def _chunks(records: Sequence[ConsumerRecord]) -> Iterator[list[ConsumerRecord]]:
    chunk: list[ConsumerRecord] = []
    size = 0
    for record in records:
        chunk.append(record)
        size += len(record.value or b"")
        if size > _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
