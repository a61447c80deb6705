"""Questions to the broker that the client answers wrongly, or with side effects, if asked in the plain way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaError,
)
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.structs import OffsetAndMetadata

from pipeline.clock import Clock
from pipeline.kafka import administrator, asking
from pipeline.settings import Settings

_PATIENCE_SECONDS = 20.0
_PAUSE_SECONDS = 0.2
_TRANSACTIONS = 1


async def partitions_of(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, list[TopicPartition]]:
    """The partitions, in order, of those of `topics` that exist. Raises KafkaError."""
    wanted = set(topics)
    # All topics are asked for: asked for by name, a missing one would be made by a broker with auto-creation on.
    return {
        topic["topic"]: sorted(TopicPartition(topic["topic"], found["partition"]) for found in topic["partitions"])
        for topic in await admin.describe_topics()
        if topic["topic"] in wanted
    }


async def committed_offsets(
    admin: AIOKafkaAdminClient, group: str, partitions: Sequence[TopicPartition], clock: Clock
) -> dict[TopicPartition, OffsetAndMetadata]:
    """What `group` committed on each of `partitions` (at least one); offset -1 where it never did.

    A broker that has just started makes the group's coordinator first, and one that loads it answers with an error
    that aiokafka drops, so that nothing seems to be committed: in both cases we ask again.
    Raises KafkaError where that goes on for long.
    """
    asked = clock.monotonic()
    while True:
        late = clock.monotonic() - asked > _PATIENCE_SECONDS
        try:
            found: dict[TopicPartition, OffsetAndMetadata] = await admin.list_consumer_group_offsets(
                group, partitions=list(partitions)
            )
            # An answer names every partition that was asked for; an error names none.
            if found.keys() >= set(partitions):
                return found
        except KafkaError as error:
            if late or not error.retriable:
                raise
        if late:
            raise GroupCoordinatorNotAvailableError(f"the coordinator of {group} does not answer")
        await asyncio.sleep(_PAUSE_SECONDS)


async def check_rights(settings: Settings, clock: Clock) -> None:
    """Raises AccessRefusedError where our user may not read as the workers' group, or knows of no transactions.

    A consumer that may not join its group tries for ever without a word, so we ask first.
    """
    asked = clock.monotonic()
    with asking(settings):
        async with administrator(settings) as admin:
            while True:
                try:
                    return await _ask_for_rights(admin, settings.group)
                except KafkaError as error:
                    if not error.retriable:
                        raise
                # A new broker makes its coordinators first. Where that takes long, the clients wait for it, too.
                if clock.monotonic() - asked > _PATIENCE_SECONDS:
                    return None
                await asyncio.sleep(_PAUSE_SECONDS)


async def _ask_for_rights(admin: AIOKafkaAdminClient, group: str) -> None:
    coordinator = await admin.find_coordinator(group)
    # Of a member that does not exist: it changes nothing, and is refused in another way where the right is there.
    answer = await admin._send_request(HeartbeatRequest(group, -1, ""), coordinator)
    if answer.error_code == GroupAuthorizationFailedError.errno:
        raise GroupAuthorizationFailedError(group)
    await admin.find_coordinator(f"{group}-rights", _TRANSACTIONS)
