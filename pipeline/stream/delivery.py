"""Batch delivery: one Faust message carries one partition's fetched batch, about 100 µs an article cheaper.

Stock Faust moves each record by itself through two asyncio tasks. For the raw topic we hand over a whole run of
records as one message; group membership, assignment, flow control and everything else stay Faust's.
`BatchDelivery` is mixed into Faust's Kafka consumer by `app`, the only module that imports Faust.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from pipeline.stream.batch import Delivered, Origin

_HELD_SECONDS = 0.02
_LOOK_SECONDS = 0.1


class Pace:
    """How many articles go into one batch, so that the work in it takes about `target_seconds`.

    A transaction must end well inside its timeout, and an article costs from 0.2 ms (text) to 40 ms (a web page).
    The mean cost is followed with a weight of 1/4 for the newest batch.
    """

    def __init__(self, target_seconds: float, most: int) -> None:
        self._target_seconds = target_seconds
        self._most = most
        # A first guess on the dear side: a small first batch costs little, a long one stalls the partition.
        self._mean_seconds = 0.01

    @property
    def size(self) -> int:
        """Articles for the next batch, 1..most."""
        return max(1, min(self._most, int(self._target_seconds / self._mean_seconds)))

    def observe(self, articles: int, seconds: float) -> None:
        """Learn from a batch of `articles` whose slowest stage took `seconds`."""
        if articles:
            self._mean_seconds += (seconds / articles - self._mean_seconds) / 4


class Deliveries:
    """Counts epochs and batches per partition, so that stale or missing batches are recognised.

    An epoch begins each time partitions are handed out; whatever was delivered before belongs to the past.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.seeking = asyncio.Lock()
        self.freed = asyncio.Event()
        """Set when Faust says that a partition takes another batch."""
        self.places: Mapping[TopicPartition, int] = {}
        """Where each partition of this epoch is to be read from: what was committed, 0 where nothing was."""
        self._next: dict[TopicPartition, int] = {}

    def begin_epoch(self) -> int:
        """Start anew: numbering begins at 0, and `epoch` differs from every one before."""
        self.epoch += 1
        self._next.clear()
        return self.epoch

    def batches(
        self, tp: TopicPartition, records: Sequence[ConsumerRecord], size: Callable[[], int]
    ) -> Iterator[Delivered]:
        """Cut `records` (one partition, in order, not empty) into numbered batches of at most `size()`."""
        start = 0
        while start < len(records):
            part = records[start : start + size()]
            start += len(part)
            number = self._next.get(tp, 0)
            self._next[tp] = number + 1
            yield Delivered(Origin(tp, self.epoch, number, part[0].offset, part[-1].offset, len(part)), part)


class BatchDelivery:
    """Mixin over Faust's aiokafka `Consumer`.

    Faust calls `getmany` in a loop from its fetcher task and `seek_to_committed` after each rebalance, before records
    flow. `fence` runs in between, and says from where to read: no former owner can commit any more, so that is final.
    aiokafka's own word on it is not asked for: while Kafka loads the group it takes the answer for "nothing committed".
    """

    deliveries: Deliveries
    pace: Pace
    fence: Callable[[set[TopicPartition], int], Awaitable[Mapping[TopicPartition, int]]]

    def on_buffer_drop(self: Any, tp: Any) -> None:
        """Faust's word that a partition takes another batch."""
        super().on_buffer_drop(tp)  # type: ignore[misc]  # of the class that this is mixed into
        self.deliveries.freed.set()

    async def seek_to_committed(self: Any) -> Mapping[TopicPartition, int | None]:
        """Fence former owners, then seek every assigned partition to its committed offset, or the first record."""
        async with self.deliveries.seeking:
            epoch = self.deliveries.begin_epoch()
            self.deliveries.places = await self.fence({TopicPartition(*tp) for tp in self.assignment()}, epoch)
            await self._thread.call_thread(self._seek)
            return {tp: offset or None for tp, offset in self.deliveries.places.items()}

    async def _seek(self: Any) -> None:
        """In the consumer's thread, where no partition can leave in between."""
        consumer = self._thread._consumer
        ours = {tp: offset for tp, offset in self.deliveries.places.items() if tp in consumer.assignment()}
        for tp, offset in ours.items():
            if offset:
                consumer.seek(tp, offset)
        fresh = [tp for tp, offset in ours.items() if not offset]
        if fresh:
            await consumer.seek_to_beginning(*fresh)

    async def getmany(self: Any, timeout: float) -> AsyncIterator[tuple[TopicPartition, Any]]:
        """Yield (partition, message) with `message.value` a `Delivered`; nothing while the flow is stopped.

        Records that were fetched while a rebalance began are dropped here: the assignment that follows seeks back.
        """
        # A partition whose last batch still waits is left out of a fetch. Faust asks again after a second, or the half
        # that a fetch of the others takes; meanwhile the worker would stand still over records that it has.
        while self._buffered_partitions and not self._get_active_partitions() and self.flow_active:
            if self.should_stop:
                return
            self.deliveries.freed.clear()
            # A rebalance frees partitions without a word.
            await self.wait_first(self.deliveries.freed, timeout=_LOOK_SECONDS)
        asked = self.deliveries.epoch
        records, _ = await self._wait_next_records(_HELD_SECONDS if self._buffered_partitions else timeout)
        epoch = self.deliveries.epoch
        if records and epoch != asked:
            # Read before the new assignment sought its place, or after: nobody knows. Nothing of it was handed on yet.
            async with self.deliveries.seeking:
                await self._thread.call_thread(self._seek)
            return
        for tp, run in (records or {}).items():
            batches = self.deliveries.batches(tp, run, lambda: self.pace.size)
            # Asked before a batch is cut: one that is dropped must not use up a number.
            while not self.should_stop and self.flow_active and epoch == self.deliveries.epoch:
                batch = next(batches, None)
                if batch is None:
                    break
                message = self._to_message(tp, batch.records[-1])
                message.key, message.value = None, batch
                yield tp, message
