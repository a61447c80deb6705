"""Reading topics from their first record to their present end, committed records only."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiokafka import ConsumerRecord

from pipeline.clock import Clock
from pipeline.kafka import asking
from pipeline.reader import batches, end_offsets, need_partitions, reading
from pipeline.settings import Settings


async def scan(settings: Settings, clock: Clock, *names: str) -> AsyncIterator[tuple[str, ConsumerRecord]]:
    """(name, record) for every committed record of the topics `names` (after the prefix), one topic after another.

    The end is where the log ended when the reading of that topic began, transactions that were open then included:
    they are waited for. Raises UserError where a topic is missing, and BrokerUnreachableError.
    """
    with asking(settings):
        places = await need_partitions(settings, names)
        for name in names:
            ends = await end_offsets(settings, places[name])
            async with reading(settings, places[name]) as consumer:
                await consumer.seek_to_beginning()
                async for records in batches(consumer, clock, ends):
                    for record in records:
                        yield name, record
