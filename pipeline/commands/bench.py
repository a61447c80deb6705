"""`copydesk bench`: what an article costs in the stages alone, and what moving it exactly once adds to that.

The same generated articles go through a plain loop in this process, then through the embedded broker: first the
watcher alone publishes them, then one worker alone takes them to the outcome topics. CPU is the processes' own, so a
busy machine changes the rates but hardly the costs. A second table says what a format costs in each stage.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pipeline.broker import EmbeddedBroker
from pipeline.clock import SystemClock
from pipeline.commands import count
from pipeline.commands.children import Children
from pipeline.commands.loop import STAGES, Stopwatch, run_batch
from pipeline.commands.mixed import costs
from pipeline.commands.mixed import table as formats_table
from pipeline.errors import StreamError
from pipeline.generate import articles
from pipeline.kafka import ensure_topics
from pipeline.monitor.board import board_in
from pipeline.monitor.books import Books
from pipeline.monitor.snapshot import Snapshot
from pipeline.records import RawArticle, article_id
from pipeline.settings import Settings
from pipeline.stages.deduplicate import Index
from pipeline.stages.tag import Tagger

_BATCH = 500
_MOST_MIXED = 7_000  # of several formats: their costs are steady by then
_PATIENCE_SECONDS = 900.0
_SOURCE = "bench.jsonl"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `bench` takes beside the settings."""
    parser.add_argument(
        "--articles", type=count, default=20_000, metavar="N", help="how many to generate (default: 20000)"
    )


@dataclass(frozen=True)
class Cost:
    """What one way of processing took."""

    name: str
    articles: int
    wall_seconds: float
    cpu_seconds: float
    stages_cpu_seconds: float = 0.0
    """Of the CPU, what was spent in the stages themselves, as measured in the same process."""

    @property
    def rate(self) -> float:
        """Articles a second."""
        return self.articles / self.wall_seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds an article."""
        return self.cpu_seconds / self.articles * 1e6


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Measure and print the table; 0."""
    lines = [made.line for made in articles(args.articles)]
    _say(f"{len(lines):,} articles of {sum(map(len, lines)) // len(lines):,} bytes; plain loop …")
    stages = plain_loop(lines)
    plain = Cost(
        "plain loop, all stages", len(lines), sum(c.wall_seconds for c in stages), sum(c.cpu_seconds for c in stages)
    )
    _say("the same in seven formats, mixed …")
    by_format = costs(min(len(lines), _MOST_MIXED))
    _say("embedded broker: watcher alone, then one worker alone …")
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        watch, worker = asyncio.run(_pipeline(settings, Path(folder), lines))
    Console().print(_table([*stages, plain, watch, worker]))
    Console().print(formats_table(by_format))
    print(f"moving an article, exactly once: {moving_us(worker, stages):.0f} µs of CPU on top of its stages")
    rate, cpu = worker.rate / plain.rate, worker.cpu_us / plain.cpu_us
    print(f"one worker against the plain loop: {rate:.2f} of its rate at {cpu:.2f} of its CPU")
    return 0


def moving_us(worker: Cost, stages: Sequence[Cost]) -> float:
    """CPU microseconds an article that the worker spent on anything but stages.

    The stages' thread is measured in the worker itself, so a machine whose speed drifts between the two runs cannot
    pass for a cost of moving. JSON is made on the event loop; what it takes is known from the plain loop.
    """
    on_the_loop = sum(cost.cpu_us for cost in stages if cost.name == "ninjs")
    return worker.cpu_us - worker.stages_cpu_seconds / worker.articles * 1e6 - on_the_loop


def plain_loop(lines: Sequence[bytes]) -> list[Cost]:
    """Every stage over all articles, in batches as the stream has them, without Kafka; one Cost a stage."""
    watch = Stopwatch()
    tagger, index = Tagger(), Index(7 * 86_400)
    for start in range(0, len(lines), _BATCH):
        raws = [_raw(start + number, line) for number, line in enumerate(lines[start : start + _BATCH])]
        run_batch(raws, tagger, index, watch)
    return [Cost(name, len(lines), watch.wall_seconds[name], watch.cpu_seconds[name]) for name in STAGES]


def _raw(number: int, line: bytes) -> RawArticle:
    sha256 = hashlib.sha256(line).hexdigest()
    received = "2025-03-18T09:00:00.000Z"
    identity = article_id(_SOURCE, number, sha256)
    return RawArticle(identity, _SOURCE, number, "application/json", received, sha256, line, single=False)


async def _pipeline(settings: Settings, folder: Path, lines: Sequence[bytes]) -> tuple[Cost, Cost]:
    inbox = folder / "inbox"
    inbox.mkdir()
    with EmbeddedBroker(folder, 0, _say) as broker, (folder / "children.log").open("ab") as log:
        settings = replace(settings, broker=broker.bootstrap, data_dir=str(folder), inbox=(str(inbox),), metrics_port=0)
        await ensure_topics(settings)
        books = Books(settings)
        try:
            watch = await _measure(settings, log, books, "watch", lambda: _drop(inbox, lines), _received(len(lines)))
            worker = await _measure(settings, log, books, "worker", lambda: None, _settled(len(lines)))
        finally:
            await books.stop()
    return watch, worker


def _drop(inbox: Path, lines: Iterable[bytes]) -> None:
    part = inbox / (_SOURCE + ".part")
    part.write_bytes(b"\n".join(lines))
    part.rename(inbox / _SOURCE)


def _received(count: int) -> Callable[[Snapshot], bool]:
    return lambda books: books.received == count


def _settled(count: int) -> Callable[[Snapshot], bool]:
    return lambda books: books.settled.total == count


async def _measure(
    settings: Settings, log: Any, books: Books, role: str, begin: Callable[[], None], done: Callable[[Snapshot], bool]
) -> Cost:
    """Run one child from when it is ready until the books say that it is done."""
    children = Children(settings, SystemClock(), log, _say)
    board = board_in(settings.data_dir)
    children.start(role)
    try:
        note = await _until(lambda: next((n for n in board.read() if n.get("ready")), None), f"{role} to be ready")
        begin()
        wall, cpu = time.monotonic(), note["cpu_seconds"]
        while not done(await books.refresh()):
            await asyncio.sleep(0.05)
            if time.monotonic() - wall > _PATIENCE_SECONDS:
                raise StreamError(f"{role} was not done within {_PATIENCE_SECONDS:.0f} s; see {log.name}")
        wall = time.monotonic() - wall
        await asyncio.sleep(1.2)  # the child reports its CPU once a second
        (note,) = board.read()
    finally:
        await children.stop()
    received = (await books.refresh()).received
    stages_cpu = note.get("stages_cpu_seconds", 0.0)
    return Cost(f"{role}, embedded Kafka", received, wall, note["cpu_seconds"] - cpu, stages_cpu)


async def _until(find: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = find()
        if found:
            return found
        await asyncio.sleep(0.02)
    raise StreamError(f"waited 60 s in vain for {what}")


def _table(costs: Sequence[Cost]) -> Table:
    table = Table("", "articles/s", "CPU µs an article")
    for column in table.columns[1:]:
        column.justify = "right"
    for cost in costs:
        table.add_row(cost.name, f"{cost.rate:,.0f}", f"{cost.cpu_us:,.0f}")
    return table


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
