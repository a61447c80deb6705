"""`copydesk status`: what waits, what came in and out, how far behind the workers are, how fast it goes."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from pipeline.clock import Clock, SystemClock
from pipeline.commands import show, until_closed, with_broker
from pipeline.errors import UserError
from pipeline.kafka import asking
from pipeline.monitor.board import board_in
from pipeline.monitor.books import Books
from pipeline.monitor.page import page
from pipeline.monitor.report import Pace, Report
from pipeline.reader import need_partitions
from pipeline.settings import Settings

_BETWEEN_LOOKS_SECONDS = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `status` takes."""
    parser.description = "Show files waiting and why, the ledger, lag, rates and workers. Ends with 1 if nothing runs."
    parser.add_argument("--json", action="store_true", help="one JSON object; the broker's address is in `broker`")


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Print the state of things; 0, or 1 where no broker answers, or not to us."""
    try:
        report = asyncio.run(look(with_broker(settings), SystemClock()))
    except UserError as error:
        print(f"copydesk: {error}", file=sys.stderr)
        return 1
    return until_closed(lambda: _print(report, args.json))


def _print(report: Report, as_json: bool) -> int:
    if as_json:
        print(json.dumps(report.as_json()))
    else:
        show(page(report))
    return 0


async def look(settings: Settings, clock: Clock) -> Report:
    """Two looks at the books a second apart, and the board. Raises UserError where Kafka does not show them."""
    if settings.security_protocol.startswith("SASL"):
        # Kafka may hide topics from our user, and books that nobody shows us look like empty ones.
        with asking(settings):
            await need_partitions(settings, ("raw", "files"))
    books, pace = Books(settings, clock=clock), Pace()
    await books.start()
    try:
        pace.after(clock.monotonic(), await books.refresh())
        await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)
        now = await books.refresh()
        rates = pace.after(clock.monotonic(), now)
    finally:
        await books.stop()
    return Report(settings.broker, now, rates, board_in(settings.data_dir).read())
