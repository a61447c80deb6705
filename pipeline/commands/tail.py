"""`copydesk tail`: look at a topic, as cards to read or as JSON lines. Only committed records are shown."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.clock import SystemClock
from pipeline.commands import count, show, until_closed, with_broker
from pipeline.kafka import asking
from pipeline.monitor.cards import card
from pipeline.monitor.looks import Look, json_line
from pipeline.reader import batches, end_offsets, need_partitions, reading
from pipeline.settings import Settings

NAMES = ("enriched", "raw", "duplicates", "rejected", "files", "stories")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `tail` takes."""
    parser.description = "Look at a topic, as cards to read or as JSON lines. Only committed records are shown."
    parser.add_argument("topic", nargs="?", choices=NAMES, default=NAMES[0], help="which topic (default: enriched)")
    parser.add_argument(
        "--from-beginning", action="store_true", help="start at the oldest record, not at what comes next"
    )
    parser.add_argument("--until-end", action="store_true", help="stop at what was the last record at the start")
    parser.add_argument("--limit", type=count, metavar="N", help="stop after N records")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Print records until told to stop; 0 at the end. Raises UserError where there is no broker or no topic."""
    return until_closed(lambda: asyncio.run(_tail(with_broker(settings), args)))


async def _tail(settings: Settings, args: argparse.Namespace) -> int:
    with asking(settings):
        partitions = (await need_partitions(settings, [args.topic]))[args.topic]
        ends = await end_offsets(settings, partitions)
        async with reading(settings, partitions) as consumer:
            await _seek(consumer, partitions, args.from_beginning)
            left = args.limit
            async for records in batches(consumer, SystemClock(), ends if args.until_end else None, most=args.limit):
                shown = records[:left]
                _print([Look.of(args.topic, record) for record in shown], args.json)
                left = None if left is None else left - len(shown)
                if left == 0:
                    break
    return 0


async def _seek(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], from_beginning: bool) -> None:
    """Go to the oldest record, or to what is committed next: the first of a transaction that is open now."""
    if from_beginning:
        await consumer.seek_to_beginning()
        return
    for partition, offset in (await consumer.end_offsets(partitions)).items():
        consumer.seek(partition, offset)


def _print(looks: Sequence[Look], as_json: bool) -> None:
    if as_json:
        sys.stdout.buffer.write(b"".join(json_line(look) + b"\n" for look in looks))
        sys.stdout.flush()
    else:
        show(*map(card, looks))
