"""What is looked at, on the real broker: lag and books among transaction markers, and the three commands."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from pipeline.broker import EmbeddedBroker
from pipeline.commands import doctor, status, tail
from pipeline.inbox.ledger import Known
from pipeline.kafka import client_options, ensure_topics
from pipeline.metrics import Meter, open_labels
from pipeline.monitor.books import Books
from pipeline.monitor.snapshot import Lag, Received, Snapshot
from pipeline.settings import Settings
from pipeline.settled import Settled
from pipeline.topics import topic_name

PARTITIONS = 2


@pytest.fixture
def settings(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> Settings:
    return Settings(
        broker=broker.bootstrap,
        prefix=prefix,
        partitions=PARTITIONS,
        data_dir=str(tmp_path),
        inbox=(str(tmp_path),),
        metrics_port=0,
    )


class Desk:
    """Plays watcher and sink: every call is one transaction."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer = AIOKafkaProducer(
            **client_options(settings), transactional_id=settings.prefix, retry_backoff_ms=5
        )
        self._settled: dict[int, dict[str, int]] = {}

    async def __aenter__(self) -> Desk:
        await ensure_topics(self._settings)
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def publish(self, file: str, articles: Mapping[int, int], known: Known) -> None:
        """Put so many articles on each partition of raw, and the file's ledger record."""
        async with self._producer.transaction():
            for partition, count in articles.items():
                sent = [self._send("raw", b"{}", partition) for _ in range(count)]
                await asyncio.gather(*sent)
            await self._send("files", known.to_json("2025-03-18T09:00:00Z"), 0, f"inbox/{file}".encode())

    async def settle(self, partition: int, offset: int, **counts: int) -> None:
        """Write outcomes of a partition and commit `offset` as the next to read."""
        books = self._settled.setdefault(partition, {"enriched": 0, "duplicates": 0, "rejected": 0})
        async with self._producer.transaction():
            for outcome, count in counts.items():
                books[outcome] += count
                for number in range(count):
                    await self._send(outcome, b'{"n": %d}' % number, partition)
            where = TopicPartition(topic_name(self._settings.prefix, "raw"), partition)
            committed = {where: OffsetAndMetadata(offset, orjson.dumps(books).decode())}
            await self._producer.send_offsets_to_transaction(committed, self._settings.group)

    async def abort(self) -> None:
        """Leave one aborted record on each partition of the enriched topic and of raw."""
        await self._producer.begin_transaction()
        for partition in range(PARTITIONS):
            await self._send("enriched", b'{"aborted": true}', partition)
            await self._send("raw", b'{"aborted": true}', partition)
        await self._producer.flush()
        await self._producer.abort_transaction()

    async def _send(self, name: str, value: bytes, partition: int, key: bytes = b"k") -> None:
        topic = topic_name(self._settings.prefix, name)
        await self._producer.send_and_wait(topic, value, key=key, partition=partition, headers=[("source", b"a.txt")])


def on_desk(settings: Settings, play: Callable[[Desk], Awaitable[None]]) -> None:
    async def body() -> None:
        async with Desk(settings) as desk:
            await play(desk)

    asyncio.run(body())


async def seen_when(books: Books, there: Callable[[Snapshot], bool]) -> Snapshot:
    """The books once they look so: a commit is acknowledged before its markers, and what they show, are there."""
    async with asyncio.timeout(20):
        while not there(seen := await books.refresh()):
            await asyncio.sleep(0.05)
    return seen


def test_books_and_lag_follow_every_step(settings: Settings) -> None:
    meter = Meter(open_labels=open_labels(settings))

    async def play(desk: Desk) -> None:
        books = Books(settings, meter)
        try:
            assert await books.refresh() == Snapshot(lag={0: Lag(), 1: Lag()})
            await desk.publish("b.txt", {}, Known(rejected=1, state="rejected"))
            await desk.publish("a.jsonl", {0: 3, 1: 1}, Known(published=4, rejected=1))
            seen = await seen_when(
                books, lambda seen: seen.received == 4 and all(lag.messages for lag in seen.lag.values())
            )
            assert seen.ledger == Received(articles=4, rejected=2, files=0)
            assert (seen.in_flight, seen.balanced) == (4, False)
            # The markers count as one too many here and there, but never hide a record nor invent one.
            assert seen.lag[0].messages >= 3
            assert seen.lag[1].messages >= 1
            assert 0 <= seen.lag_seconds < 60

            await desk.settle(0, 2, enriched=1, duplicates=1)
            await desk.settle(1, 1, rejected=1)
            seen = await seen_when(books, lambda seen: seen.settled.total == 3)
            assert seen.settled == Settled(1, 1, 1)
            assert seen.lag[0].messages >= 1
            assert seen.lag[1].messages == 0

            await desk.publish("a.jsonl", {}, Known(published=4, rejected=1, state="published"))
            await desk.abort()
            await desk.settle(0, 3, enriched=1)
            seen = await seen_when(books, lambda seen: seen.settled.total == 4)
            assert seen.ledger == Received(articles=4, rejected=2, files=1)
            assert seen.balanced
            assert seen.lag_messages == 0
            assert seen.leak == 0
        finally:
            await books.stop()

    on_desk(settings, play)
    assert meter.registry.get_sample_value("copydesk_ledger_received") == 4
    assert meter.registry.get_sample_value("copydesk_ledger_settled", {"outcome": "enriched"}) == 2


def test_books_without_topics_are_empty_and_stay_so(settings: Settings) -> None:
    async def body() -> None:
        books = Books(settings)
        assert await books.refresh() == Snapshot()
        await books.stop()

    asyncio.run(body())


def copydesk(command: Any, settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command module in a process of its own, as the command line does."""
    name = command.__name__.rpartition(".")[2]
    return subprocess.run(
        [sys.executable, "-c", _RUN, name, *arguments],
        env={**os.environ, **settings.environment()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


_RUN = """
import argparse, importlib, sys
from pipeline.settings import load
command = importlib.import_module(f"pipeline.commands.{sys.argv[1]}")
parser = argparse.ArgumentParser()
command.add_arguments(parser)
sys.exit(command.run(load({}), parser.parse_args(sys.argv[2:])))
"""


def test_tail_shows_committed_records_once_and_stops_at_the_end(settings: Settings) -> None:
    async def play(desk: Desk) -> None:
        await desk.publish("a.jsonl", {0: 3, 1: 1}, Known(published=4, state="published"))
        await desk.abort()
        await desk.settle(0, 3, enriched=3)
        await desk.abort()

    on_desk(settings, play)
    done = copydesk(tail, settings, "enriched", "--from-beginning", "--until-end", "--json")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["value"] for one in found] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert set(found[0]) == {"topic", "partition", "offset", "timestamp", "key", "headers", "value"}
    assert found[0]["headers"] == {"source": "a.txt"}
    assert len(copydesk(tail, settings, "raw", "--from-beginning", "--limit", "2", "--json").stdout.splitlines()) == 2
    cards = copydesk(tail, settings, "files", "--from-beginning", "--until-end").stdout
    assert "inbox/a.jsonl" in cards
    assert "published" in cards
    # Nothing is behind the end, so there is nothing to wait for.
    assert copydesk(tail, settings, "enriched", "--until-end", "--json").stdout == ""


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_tail_ends_quietly_when_nobody_reads_on(settings: Settings, arguments: list[str]) -> None:
    async def play(desk: Desk) -> None:
        await desk.publish("a.jsonl", {0: 1000}, Known(published=1000))

    on_desk(settings, play)
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, "tail", "raw", "--from-beginning", "--until-end", *arguments],
        env={**os.environ, **settings.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0


def test_a_topic_that_is_not_there_is_one_line(settings: Settings) -> None:
    done = copydesk(tail, settings, "enriched")
    assert f"there is no topic {settings.prefix}.enriched" in done.stderr


def test_status_names_the_broker_and_the_books(settings: Settings) -> None:
    async def play(desk: Desk) -> None:
        await desk.publish("a.jsonl", {0: 2}, Known(published=2, state="published"))
        await desk.settle(0, 1, enriched=1)

    on_desk(settings, play)
    done = copydesk(status, settings, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["broker"] == settings.broker
    assert found["ledger"] == {
        "received": 2,
        "enriched": 1,
        "duplicates": 0,
        "rejected": 0,
        "in_flight": 1,
        "balanced": False,
    }
    assert found["lag"]["partitions"]["0"]["messages"] >= 1
    assert "in flight" in copydesk(status, settings).stdout


def test_status_where_nothing_runs_is_one_line_and_exit_1(tmp_path: Path) -> None:
    done = copydesk(status, Settings(data_dir=str(tmp_path / "none")))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "copydesk run" in done.stderr


def test_doctor_checks_the_topics(settings: Settings) -> None:
    done = copydesk(doctor, settings)
    assert done.returncode == 1
    assert "✗ topics  each of the 7 is missing" in done.stdout
    asyncio.run(ensure_topics(settings))
    done = copydesk(doctor, settings)
    assert done.returncode == 0, done.stdout
    assert f"✓ topic {settings.prefix}.raw  {PARTITIONS} partitions" in done.stdout
