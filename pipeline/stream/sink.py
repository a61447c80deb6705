"""The sink: one transaction per batch holds all its outcomes, its offset and its counts. Commit is the last step.

Per raw partition there is one transactional producer, `<group>-<topic>-<partition>`. Whoever starts it anew fences
the one before, at the broker: a worker that lost the partition while it was paused can no longer commit.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import OffsetAndMetadata

from pipeline.clock import Clock
from pipeline.cluster import committed_offsets
from pipeline.errors import StreamError
from pipeline.kafka import administrator, client_options, max_record_bytes
from pipeline.settings import Settings
from pipeline.settled import Settled
from pipeline.stream.batch import Origin, Tagged
from pipeline.stream.outcomes import Outcome, outcomes
from pipeline.topics import OUTCOMES, topic_name
from pipeline.transactions import drop, transact

logger = logging.getLogger(__name__)

_BATCH_BYTES = 1 << 20
# One that a killed worker left open holds up every read_committed reader until then, or until it is fenced.
_TRANSACTION_TIMEOUT_MS = 30_000
_CLOSE_SECONDS = 5.0


@dataclass(slots=True)
class _Lane:
    """One raw partition in our hands: its producer, which assignment it belongs to, and what it has committed."""

    producer: AIOKafkaProducer
    epoch: int
    settled: Settled
    next_offset: int
    """All before it is committed."""
    expected: int = 0
    """Number of the batch that must come next."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sink:
    """Writes tagged batches to the outcome topics, exactly once."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lanes: dict[TopicPartition, _Lane] = {}
        self._partitions: dict[str, int] = {}
        self._topics = {name: topic_name(settings.prefix, name) for name in OUTCOMES}
        self._max_bytes = max_record_bytes(settings)
        self._epoch = 0

    async def fence(self, tps: set[TopicPartition], epoch: int) -> dict[TopicPartition, int]:
        """Become the only one who can commit for `tps`; batches of earlier epochs are refused from now on.

        Returns the offset of each that is to be read next, 0 where nothing was committed. Call on every assignment.
        When it returns, no transaction of a former owner is pending, so those offsets are final. Raises KafkaError
        where the broker is out of reach.
        """
        self._epoch = epoch
        former = list(self._lanes.values())
        self._lanes.clear()
        await asyncio.gather(*(self._close(lane) for lane in former))
        producers = await asyncio.gather(*(self._open(tp) for tp in tps))
        committed = await self._read_committed(tps)
        for tp, producer in zip(tps, producers, strict=True):
            found = committed[tp]
            self._lanes[tp] = _Lane(producer, epoch, Settled.decode(found.metadata), max(0, found.offset))
        return {tp: lane.next_offset for tp, lane in self._lanes.items()}

    async def close(self) -> None:
        """Abort what is in flight and let go of every partition."""
        await self.fence(set(), self._epoch + 1)

    @property
    def partitions(self) -> list[int]:
        """Numbers of the raw partitions in our hands, sorted."""
        return sorted(tp.partition for tp in self._lanes)

    async def commit(self, batch: Tagged) -> list[Outcome] | None:
        """Write and commit one batch; returns what was written, or None where the batch was stale and dropped.

        A stale batch is one whose partition has been handed out anew: whoever holds the partition now reads the same
        records again. Raises StreamError where a batch before this one is missing or its records were committed before,
        and KafkaError where the broker refuses; then nothing of the batch is visible and the worker must stop.
        """
        lane = self._lanes.get(batch.origin.tp)
        if lane is None or batch.origin.epoch != lane.epoch:
            return None
        async with lane.lock:
            if lane.epoch != self._epoch:
                return None
            if batch.origin.number != lane.expected:
                raise StreamError(f"{batch.origin.tp}: batch {batch.origin.number} came where {lane.expected} was due")
            if batch.origin.first_offset < lane.next_offset:
                raise StreamError(
                    f"{batch.origin.tp}: a batch begins at offset {batch.origin.first_offset}, and all before"
                    f" {lane.next_offset} is committed"
                )
            written = list(outcomes(batch, self._max_bytes))
            if len(written) != batch.origin.size:
                raise StreamError(f"{batch.origin.tp}: {batch.origin.size} records gave {len(written)} outcomes")
            try:
                await transact(lane.producer, self._write(lane, batch.origin, written))
            except (ProducerFenced, InvalidProducerEpoch):
                logger.warning("%s: another worker took over; its batches here are dropped", batch.origin.tp)
                lane.epoch = -1
                return None
            except (KafkaError, OSError, TimeoutError):
                if lane.epoch != self._epoch:
                    # `fence` closed the producer under a commit that would not end; the next owner reads it all again.
                    return None
                raise
        return written

    async def _write(self, lane: _Lane, origin: Origin, written: Sequence[Outcome]) -> None:
        settled = lane.settled.plus(outcome.topic for outcome in written).less_retried(sum(o.retried for o in written))
        await lane.producer.begin_transaction()
        sent: list[asyncio.Future[Any]] = []
        for topic in OUTCOMES:
            sent += await self._send(
                lane.producer, topic, origin.tp.partition, [o for o in written if o.topic == topic]
            )
        # Kafka keeps the *next* offset to read, not the last one read.
        offsets = {origin.tp: OffsetAndMetadata(origin.last_offset + 1, settled.encode())}
        await lane.producer.send_offsets_to_transaction(offsets, self._settings.group)
        await asyncio.gather(*sent)
        await lane.producer.commit_transaction()
        lane.settled, lane.next_offset = settled, origin.last_offset + 1
        lane.expected += 1

    async def _send(
        self, producer: AIOKafkaProducer, name: str, partition: int, found: Sequence[Outcome]
    ) -> list[asyncio.Future[Any]]:
        """Send `found` in as few produce batches as fit, a tenth of the cost of `send` a record; a future for each."""
        topic = self._topics[name]
        sent: list[asyncio.Future[Any]] = []
        rest = deque(found)
        while rest:
            builder = producer.create_batch()
            while rest and _fits(builder, rest[0]):
                rest.popleft()
            builder.close()
            target = partition % await self._partition_count(producer, topic)
            outcome = await producer.send_batch(builder, topic, partition=target)
            # The first failure is raised; those after it are read here, or asyncio would complain about each.
            outcome.add_done_callback(lambda done: done.cancelled() or done.exception())
            sent.append(outcome)
        return sent

    async def _partition_count(self, producer: AIOKafkaProducer, topic: str) -> int:
        """Raw and outcome topics usually have as many partitions, so an article stays on its number."""
        if topic not in self._partitions:
            self._partitions[topic] = len(await producer.partitions_for(topic))
        return self._partitions[topic]

    async def _open(self, tp: TopicPartition) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **client_options(self._settings),
            transactional_id=f"{self._settings.group}-{tp.topic}-{tp.partition}",
            transaction_timeout_ms=_TRANSACTION_TIMEOUT_MS,
            max_batch_size=_BATCH_BYTES,
            max_request_size=2 * self._max_bytes,
            linger_ms=0,
            # On Kafka 4 the first send after a commit meets a retriable refusal while the marker is being written.
            retry_backoff_ms=5,
        )
        await producer.start()
        return producer

    async def _close(self, lane: _Lane) -> None:
        # A commit under way may finish; one that hangs is aborted by the next owner's fencing.
        with suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(_CLOSE_SECONDS), lane.lock:
                lane.epoch = -1
        await drop(lane.producer)

    async def _read_committed(self, tps: set[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
        if not tps:
            return {}
        async with administrator(self._settings) as admin:
            return await committed_offsets(admin, self._settings.group, list(tps), self._clock)


def _fits(builder: BatchBuilder, outcome: Outcome) -> bool:
    """Append `outcome`; False where the batch is full. An empty batch takes a record of any size."""
    appended = builder.append(key=outcome.key, value=outcome.value, timestamp=None, headers=outcome.headers)
    return appended is not None
