"""What a watcher asks Kafka before it publishes: the ledger so far, and how large a record may be."""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from pipeline.inbox.ledger import Ledger
from pipeline.kafka import RECORD_OVERHEAD_BYTES, administrator, max_record_bytes
from pipeline.reader import reading
from pipeline.settings import Settings
from pipeline.topics import topic_name

# A killed watcher of another inbox may hold the ledger back for its transaction's timeout.
_STALL_SECONDS = 60.0


async def read_ledger(settings: Settings, label: str, owner: str = "") -> Ledger:
    """The committed ledger of one inbox, read until `owner` has signed it (without: to its present end).

    Raises KafkaError or OSError, TimeoutError where nothing came for a long while.
    """
    ledger = Ledger(label)
    place = TopicPartition(topic_name(settings.prefix, "files"), 0)
    async with reading(settings, [place]) as consumer:
        await consumer.seek_to_beginning(place)
        end = (await consumer.end_offsets([place]))[place]
        async with asyncio.timeout(None) as stall:
            while (ledger.owner != owner) if owner else (await consumer.position(place) < end):
                stall.reschedule(stall.when() or asyncio.get_running_loop().time() + _STALL_SECONDS)
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        ledger.apply(record.key, record.value)
                    stall.reschedule(None)
    return ledger


async def record_limits(settings: Settings, *topics: str) -> list[int]:
    """How many bytes a record's value may have on each topic; as we declare it where the cluster does not tell."""
    found = dict.fromkeys(topics, max_record_bytes(settings))
    wanted = [ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": None}) for topic in topics]
    try:
        async with administrator(settings) as admin:
            for response in await admin.describe_configs(wanted):
                for _, _, _, topic, entries in response.resources:
                    found.update((topic, int(entry[1])) for entry in entries if entry[0] == "max.message.bytes")
    except KafkaError:
        # A cluster may forbid this question and still take records.
        pass
    return [found[topic] - RECORD_OVERHEAD_BYTES for topic in topics]
