"""Which partitions a topic has, asked in a way that never creates it."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient


async def partitions_of(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, list[TopicPartition]]:
    """The partitions, in order, of those of `topics` that exist. Raises KafkaError."""
    wanted = set(topics)
    # All topics are asked for: asked for by name, a missing one would be made by a broker with auto-creation on.
    return {
        topic["topic"]: sorted(TopicPartition(topic["topic"], found["partition"]) for found in topic["partitions"])
        for topic in await admin.describe_topics()
        if topic["topic"] in wanted
    }
