"""`copydesk tail`: look at a topic, as cards to read or as JSON lines. Only committed records are shown."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from pipeline.cluster import partitions_of
from pipeline.commands import show, until_closed, with_broker
from pipeline.errors import UserError
from pipeline.kafka import client_options, unreachable
from pipeline.monitor.cards import card
from pipeline.monitor.looks import Look, json_line
from pipeline.settings import Settings
from pipeline.topics import topic_name

NAMES = ("enriched", "raw", "duplicates", "rejected", "files")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `tail` takes."""
    parser.description = "Look at a topic, as cards to read or as JSON lines. Only committed records are shown."
    parser.add_argument("topic", nargs="?", choices=NAMES, default=NAMES[0], help="which topic (default: %(default)s)")
    parser.add_argument(
        "--from-beginning", action="store_true", help="start at the oldest record, not at what comes next"
    )
    parser.add_argument("--until-end", action="store_true", help="stop at what was the last record at the start")
    parser.add_argument("--limit", type=_count, metavar="N", help="stop after N records")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Print records until told to stop; 0 at the end. Raises UserError where there is no broker or no topic."""
    return until_closed(lambda: asyncio.run(_tail(with_broker(settings), args)))


async def _tail(settings: Settings, args: argparse.Namespace) -> int:
    consumer = AIOKafkaConsumer(
        **client_options(settings), group_id=None, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    try:
        partitions = await _partitions(settings, topic_name(settings.prefix, args.topic))
        await consumer.start()
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await _seek(consumer, partitions, None if args.from_beginning else ends)
        left = args.limit
        async for records in _batches(consumer, ends if args.until_end else None, args.limit):
            shown = records[:left]
            _print([_look(args.topic, record) for record in shown], args.json)
            left = None if left is None else left - len(shown)
            if left == 0:
                break
    except (KafkaError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise unreachable(settings, error) from error
    finally:
        await consumer.stop()
    return 0


async def _partitions(settings: Settings, topic: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        found = await partitions_of(admin, [topic])
    finally:
        await admin.close()
    if topic not in found:
        raise UserError(
            f"there is no topic {topic} at {settings.broker}; `copydesk run` makes it (mind --prefix;"
            " where Kafka has ACLs, our user must have READ and DESCRIBE to see it)"
        )
    return found[topic]


async def _seek(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], to: dict[TopicPartition, int] | None
) -> None:
    """Go to the offsets `to` (the next to read); None: to the beginning."""
    if to is None:
        await consumer.seek_to_beginning(*partitions)
        return
    for partition in partitions:
        consumer.seek(partition, to[partition])


async def _batches(
    consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int] | None, limit: int | None
) -> AsyncIterator[list[ConsumerRecord]]:
    """What is read, a partition's batch at a time, up to the offsets `ends` (exclusive); None: for ever."""
    while ends is None or await _unread(consumer, ends):
        found = await consumer.getmany(timeout_ms=200, max_records=limit)
        for partition, records in found.items():
            yield [record for record in records if ends is None or record.offset < ends[partition]]


async def _unread(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    # The position, not the last record's offset: the last thing before the end is a transaction's marker.
    return any([await consumer.position(partition) < end for partition, end in ends.items()])


def _look(name: str, record: ConsumerRecord) -> Look:
    return Look(
        name=name,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value,
        headers=record.headers,
    )


def _print(looks: Sequence[Look], as_json: bool) -> None:
    if as_json:
        sys.stdout.buffer.write(b"".join(json_line(look) + b"\n" for look in looks))
        sys.stdout.flush()
    else:
        show(*map(card, looks))
