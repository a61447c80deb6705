"""Reading topics from their first record to their present end, committed records only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from pipeline.clock import Clock
from pipeline.cluster import partitions_of
from pipeline.errors import BrokerUnreachableError, UserError
from pipeline.kafka import client_options, unreachable
from pipeline.settings import Settings
from pipeline.topics import topic_name

# A killed process may leave a transaction open that holds readers back until its timeout of 30 s.
_STALLED_SECONDS = 60.0


async def scan(settings: Settings, clock: Clock, *names: str) -> AsyncIterator[tuple[str, ConsumerRecord]]:
    """(name, record) for every committed record of the topics `names` (after the prefix), one topic after another.

    The end is where the log ended when the reading began, transactions that were open then included: they are waited
    for. Raises UserError where a topic is missing, and BrokerUnreachableError.
    """
    options = client_options(settings)
    consumer = AIOKafkaConsumer(
        **options, group_id=None, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    try:
        places = await topic_partitions(settings, names)
        await consumer.start()
        for name in names:
            partitions = places[name]
            ends = await _ends(settings, partitions)
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            async for record in _read(consumer, settings, clock, ends):
                yield name, record
    except (KafkaError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise unreachable(settings, error) from error
    finally:
        await consumer.stop()


async def topic_partitions(settings: Settings, names: Sequence[str]) -> dict[str, list[TopicPartition]]:
    """The partitions of each topic. Raises UserError where one is missing, KafkaError or OSError."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        found = await partitions_of(admin, [topic_name(settings.prefix, name) for name in names])
    finally:
        await admin.close()
    for name in names:
        if topic_name(settings.prefix, name) not in found:
            raise UserError(
                f"there is no topic {topic_name(settings.prefix, name)} at {settings.broker}; `copydesk run` makes it"
                " (or mind --prefix)"
            )
    return {name: found[topic_name(settings.prefix, name)] for name in names}


async def first_offsets(settings: Settings, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
    """The offset of the oldest record of each that is still there. Raises KafkaError or OSError."""
    consumer = AIOKafkaConsumer(**client_options(settings), group_id=None)
    try:
        await consumer.start()
        found: dict[TopicPartition, int] = await consumer.beginning_offsets(partitions)
        return found
    finally:
        await consumer.stop()


async def _ends(settings: Settings, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
    """The next offset to be written. A reader of committed records alone would be told where the first open
    transaction begins, and records behind it that are committed would be missed."""
    consumer = AIOKafkaConsumer(**client_options(settings), group_id=None)
    try:
        await consumer.start()
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends
    finally:
        await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer, settings: Settings, clock: Clock, ends: Mapping[TopicPartition, int]
) -> AsyncIterator[ConsumerRecord]:
    moved, before = clock.monotonic(), -1
    # The position, not the last record's offset: the last thing before the end is a transaction's marker.
    while any([await consumer.position(partition) < end for partition, end in ends.items()]):
        for partition, records in (await consumer.getmany(timeout_ms=200)).items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record
        now = sum([await consumer.position(partition) for partition in ends])
        if now != before:
            moved, before = clock.monotonic(), now
        elif clock.monotonic() - moved > _STALLED_SECONDS:
            raise BrokerUnreachableError(f"{settings.broker} no longer answers reads; is the broker up?")
