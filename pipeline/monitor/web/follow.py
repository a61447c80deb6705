"""Reads the newest outcomes and stories for the page, at its own pace: what it cannot keep up with is passed over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.clock import Clock
from pipeline.monitor.looks import Look
from pipeline.monitor.web.cards import freshness_seconds
from pipeline.monitor.web.series import Series
from pipeline.monitor.web.window import MOST_ARTICLES, Window
from pipeline.reader import reading, topic_partitions
from pipeline.settings import Settings
from pipeline.topics import OUTCOMES, topic_name

logger = logging.getLogger(__name__)

_FETCH_BYTES = 1 << 20
_PAUSE_SECONDS = 0.5
_RETRY_SECONDS = 5.0
_READ_SECONDS = 10.0
# With the pause, at most about 400 records a second are taken apart: some 4% of a core.
_MOST_RECORDS = 200
_TOO_FAR = 2_000
# To begin with: the largest stories are among those that changed in the last days, not in the last minutes.
_STORIES_BACK = 4_000
_LINGER_SECONDS = 60.0
_NAMES = (*OUTCOMES, "stories")


class Follower:
    """Fills `window` and `series` while somebody looks. `looked` tells it so; a minute later it rests again."""

    def __init__(self, settings: Settings, window: Window, series: Series, clock: Clock) -> None:
        self._settings, self._window, self._series, self._clock = settings, window, series, clock
        self._names = {topic_name(settings.prefix, name): name for name in _NAMES}
        self._until = 0.0
        self._asked = asyncio.Event()
        self._places: dict[TopicPartition, int] = {}
        """Next offset to read, where we have read before."""
        self._one_read = asyncio.Lock()
        self.why = ""
        """Why nothing is read at present; empty: all is well."""

    def looked(self) -> None:
        """Somebody looks at the page now."""
        self._until = self._clock.monotonic() + _LINGER_SECONDS
        self._asked.set()

    async def run(self) -> None:
        """Read whenever somebody looks, until cancelled; a broker that is away is tried again."""
        while True:
            await self._asked.wait()
            try:
                await self._read_on()
                self._asked.clear()
            except (KafkaError, OSError) as error:
                self.why = f"Kafka does not answer ({type(error).__name__})"
                logger.info("the page cannot read: %s", error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def original(self, partition: int, offset: int) -> bytes | None:
        """The bytes of one rejected record; None where there is none. Raises KafkaError."""
        where = TopicPartition(topic_name(self._settings.prefix, "rejected"), partition)
        # One at a time: a record may be several megabytes.
        async with self._one_read:
            if where not in await self._partitions():
                return None
            async with reading(self._settings, [where], max_partition_fetch_bytes=_FETCH_BYTES) as consumer:
                ends = await consumer.end_offsets([where])
                starts = await consumer.beginning_offsets([where])
                if not starts[where] <= offset < ends[where]:
                    return None
                consumer.seek(where, offset)
                found = await consumer.getmany(where, timeout_ms=int(_READ_SECONDS * 1000), max_records=1)
                return next((r.value or b"" for r in found.get(where, ()) if r.offset == offset), None)

    async def _read_on(self) -> None:
        partitions = await self._partitions()
        if not partitions:
            raise KafkaError("the topics are not there yet")
        async with reading(self._settings, partitions, max_partition_fetch_bytes=_FETCH_BYTES) as consumer:
            await self._to_newest(consumer, partitions, 0)
            self.why = ""
            filling = True
            while self._clock.monotonic() < self._until:
                batches = await consumer.getmany(timeout_ms=int(_PAUSE_SECONDS * 1000), max_records=_MOST_RECORDS)
                self._take(batches)
                filling = filling and bool(batches)
                if not filling:
                    await self._to_newest(consumer, partitions, _TOO_FAR)
                    await asyncio.sleep(_PAUSE_SECONDS)
            self._places = {tp: await consumer.position(tp) for tp in partitions}

    async def _partitions(self) -> list[TopicPartition]:
        found = await topic_partitions(self._settings, _NAMES)
        return [tp for tps in found.values() for tp in tps]

    async def _to_newest(self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition], most: int) -> None:
        """Where more than `most` offsets lie ahead, go to the newest; `most` 0: begin, where we left off or there."""
        ends = await consumer.end_offsets(partitions)
        starts = await consumer.beginning_offsets(partitions)
        # Every other offset of a quiet topic is a transaction's marker.
        tail = 2 * MOST_ARTICLES * len(OUTCOMES) // len(partitions)
        for tp in partitions:
            at = await consumer.position(tp) if most else self._places.get(tp, 0)
            back = _STORIES_BACK if not most and self._names[tp.topic] == "stories" else tail
            if ends[tp] - at > (most or back):
                consumer.seek(tp, max(starts[tp], ends[tp] - back))
            elif not most:
                consumer.seek(tp, max(starts[tp], min(at, ends[tp])))

    def _take(self, batches: Mapping[TopicPartition, list[ConsumerRecord]]) -> None:
        for tp, records in batches.items():
            for record in records:
                try:
                    self._show(Look.of(self._names[tp.topic], record))
                except Exception:
                    # A fault of ours in showing one record must not end the showing of all that follow.
                    logger.exception("%s, offset %d cannot be shown on the page", tp, record.offset)

    def _show(self, look: Look) -> None:
        value = look.json if look.name != "rejected" else None
        self._window.add(look, value)
        seconds = freshness_seconds(look, value)
        if seconds is not None:
            self._series.fresh(look.timestamp_ms / 1000, seconds)
