"""How topics are read by those who only look: without a group, committed records alone, in the same way by all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from pipeline.clock import Clock
from pipeline.cluster import partitions_of
from pipeline.errors import BrokerUnreachableError, UserError
from pipeline.kafka import administrator, client_options, rights
from pipeline.settings import Settings
from pipeline.topics import topic_name
from pipeline.transactions import leave

# A killed process may leave a transaction open that holds readers back until its timeout of 30 s.
STALLED_SECONDS = 60.0
_POLL_MS = 200


def reader(settings: Settings, **more: object) -> AIOKafkaConsumer:
    """A consumer without a group that reads committed records, not started; `more` are options of aiokafka's."""
    return AIOKafkaConsumer(
        **client_options(settings),
        group_id=None,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        **more,
    )


@asynccontextmanager
async def reading(
    settings: Settings, partitions: Iterable[TopicPartition], **more: object
) -> AsyncIterator[AIOKafkaConsumer]:
    """A `reader` that is connected and has `partitions`; stopped afterwards. Raises KafkaError or OSError."""
    consumer = reader(settings, **more)
    try:
        await consumer.start()
        consumer.assign(list(partitions))
        yield consumer
    finally:
        await leave(consumer)


async def topic_partitions(settings: Settings, names: Sequence[str]) -> dict[str, list[TopicPartition]]:
    """The partitions of those of our topics `names` (after the prefix) that exist. Raises KafkaError or OSError."""
    topics = {topic_name(settings.prefix, name): name for name in names}
    # Asked for before a consumer is made: aiokafka's ends badly where it is stopped before it was given any.
    async with administrator(settings) as admin:
        found = await partitions_of(admin, topics)
    return {topics[topic]: partitions for topic, partitions in found.items()}


async def need_partitions(settings: Settings, names: Sequence[str]) -> dict[str, list[TopicPartition]]:
    """As `topic_partitions`; raises UserError where a topic is missing."""
    found = await topic_partitions(settings, names)
    for name in names:
        if name not in found:
            raise UserError(
                f"there is no topic {topic_name(settings.prefix, name)} at {settings.broker}; `copydesk run` makes it"
                f" (mind --prefix; where Kafka has ACLs, our user must be allowed to see it: {rights(settings)})"
            )
    return found


async def first_offsets(settings: Settings, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
    """The offset of the oldest record of each that is still there. Raises KafkaError or OSError."""
    async with reading(settings, partitions) as consumer:
        found: dict[TopicPartition, int] = await consumer.beginning_offsets(list(partitions))
        return found


async def end_offsets(settings: Settings, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
    """The next offset to be written of each. Raises KafkaError or OSError.

    A reader of committed records alone would be told where the first open transaction begins, and records behind it
    that are committed would be missed.
    """
    consumer = AIOKafkaConsumer(**client_options(settings), group_id=None)
    try:
        await consumer.start()
        consumer.assign(list(partitions))
        ends: dict[TopicPartition, int] = await consumer.end_offsets(list(partitions))
        return ends
    finally:
        await leave(consumer)


async def batches(
    consumer: AIOKafkaConsumer,
    clock: Clock,
    ends: Mapping[TopicPartition, int] | None = None,
    *,
    most: int | None = None,
    stalled_seconds: float = STALLED_SECONDS,
) -> AsyncIterator[list[ConsumerRecord]]:
    """What `consumer` reads, a partition's batch of at most `most` at a time, up to the offsets `ends` (the next to be
    written, so exclusive); None: for ever.

    Raises BrokerUnreachableError where nothing moved for `stalled_seconds` before the end, KafkaError or OSError.
    """
    moved, before = clock.monotonic(), -1
    while ends is None or await _is_before(consumer, ends):
        for partition, records in (await consumer.getmany(timeout_ms=_POLL_MS, max_records=most)).items():
            yield [record for record in records if ends is None or record.offset < ends[partition]]
        now = sum([await consumer.position(partition) for partition in ends or ()])
        if now != before:
            moved, before = clock.monotonic(), now
        elif ends is not None and clock.monotonic() - moved > stalled_seconds:
            topics = ", ".join(sorted({partition.topic for partition in ends}))
            raise BrokerUnreachableError(f"Kafka no longer answers reads of {topics}; is the broker up?")


async def _is_before(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    # The position, not the last record's offset: the last thing before the end is a transaction's marker.
    return any([await consumer.position(partition) < end for partition, end in ends.items()])
