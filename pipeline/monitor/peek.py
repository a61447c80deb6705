"""How far the workers are behind, for certain: look whether there is a record after the committed offset.

The end offset alone cannot tell. A transaction leaves a marker in the log, so `end - committed` stays at 1 or more
when all is done. Here a consumer without a group reads from the committed offset, once for every offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from pipeline.clock import Clock
from pipeline.monitor.snapshot import Lag
from pipeline.reader import reader
from pipeline.settings import Settings
from pipeline.transactions import leave

# A stretch of markers yields no record to wait for, so this is what the last look at an idle partition costs.
_LOOK_SECONDS = 0.3
_FETCH_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found between two offsets."""

    committed: int
    end: int
    timestamp: float | None
    """Of the first record, in seconds since 1970; None: no record there."""


class Peek:
    """Finds the lag of raw partitions."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._consumer = reader(settings, max_partition_fetch_bytes=_FETCH_BYTES, fetch_max_wait_ms=100)
        self._clock = clock
        self._seen: dict[TopicPartition, _Seen] = {}

    async def start(self) -> None:
        """Connect. Raises KafkaError."""
        await self._consumer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await leave(self._consumer)

    async def lag(self, committed: Mapping[TopicPartition, int]) -> dict[int, Lag]:
        """The lag by partition. `committed` is the next offset to process, -1 where none was committed.

        Raises KafkaError.
        """
        if set(committed) != self._consumer.assignment():
            self._consumer.assign(list(committed))
            self._consumer.pause(*committed)
        ends = await self._consumer.end_offsets(list(committed))
        starts = await self._consumer.beginning_offsets(list(committed))
        found = {}
        for tp, offset in committed.items():
            found[tp.partition] = await self._of(tp, max(offset, starts[tp]), ends[tp])
        return found

    async def _of(self, tp: TopicPartition, committed: int, end: int) -> Lag:
        if committed >= end:
            return Lag()
        seen = self._seen.get(tp)
        # The first record after an offset stays the same one, and nothing stays nothing until the end moves.
        known = seen and seen.committed == committed and (seen.timestamp is not None or seen.end == end)
        if not seen or not known:
            seen = self._seen[tp] = _Seen(committed, end, await self._first_timestamp(tp, committed))
        if seen.timestamp is None:
            return Lag()
        return Lag(max(1, end - committed - 1), max(0.0, self._clock.now().timestamp() - seen.timestamp))

    async def _first_timestamp(self, tp: TopicPartition, offset: int) -> float | None:
        self._consumer.seek(tp, offset)
        self._consumer.resume(tp)
        try:
            batch = await self._consumer.getmany(tp, timeout_ms=int(_LOOK_SECONDS * 1000), max_records=1)
        finally:
            self._consumer.pause(tp)
        return next((record.timestamp / 1000 for record in batch.get(tp, ())), None)
