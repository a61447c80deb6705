"""The watcher on a real Kafka: each file once, whatever happens around it. An oracle of another make reads."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from pipeline.broker import EmbeddedBroker
from pipeline.clock import SystemClock
from pipeline.errors import FencedError, FolderError
from pipeline.inbox.watch import watch
from pipeline.kafka import ensure_topics
from pipeline.metrics import Meter, open_labels
from pipeline.records import RawArticle
from pipeline.settings import Settings
from pipeline.topics import topic_name


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "in box"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(broker: EmbeddedBroker, prefix: str, inbox: Path) -> Settings:
    return Settings(broker=broker.bootstrap, prefix=prefix, inbox=(str(inbox),), settle_seconds=0.2, scan_seconds=0.5)


def committed(settings: Settings, name: str) -> list[Message]:
    """All records of a topic that a read_committed consumer sees."""
    topic = topic_name(settings.prefix, name)
    options = {"bootstrap.servers": settings.broker, "group.id": "oracle", "isolation.level": "read_committed"}
    consumer = Consumer({**options, "enable.partition.eof": True, "auto.offset.reset": "earliest"})
    places = [TopicPartition(topic, number, 0) for number in consumer.list_topics(topic).topics[topic].partitions]
    consumer.assign(places)
    found, ends = [], 0
    while ends < len(places):
        message = consumer.poll(20)
        assert message is not None, f"no end of {topic}"
        if message.error():
            ends += 1
        else:
            found.append(message)
    consumer.close()
    return found


def raw(settings: Settings) -> list[RawArticle]:
    """All raw articles, by source and position."""
    messages = committed(settings, "raw")
    articles = [RawArticle.from_record(found.key(), found.value(), found.headers()) for found in messages]
    return sorted(articles, key=lambda article: (article.source, article.version, article.position))


class Running:
    """A watcher that runs in this loop, and its newest report."""

    def __init__(self, settings: Settings) -> None:
        self.report: Mapping[str, Any] = {}
        self.stop = asyncio.Event()
        meter = Meter(open_labels=open_labels(settings))
        self.task = asyncio.create_task(watch(settings, SystemClock(), meter, self._note, self.stop))

    def _note(self, report: Mapping[str, Any]) -> None:
        self.report = report

    async def until(self, reached: Callable[[Mapping[str, Any]], bool]) -> None:
        async with asyncio.timeout(30):
            while not (self.report and reached(self.report)):
                assert not self.task.done(), self.task
                await asyncio.sleep(0.01)

    async def idle(self) -> None:
        await self.until(lambda report: bool(report["idle"]))


@asynccontextmanager
async def watching(settings: Settings) -> AsyncIterator[Running]:
    await ensure_topics(settings)
    running = Running(settings)
    try:
        yield running
    finally:
        running.stop.set()
        await asyncio.wait_for(running.task, 10)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(bounded())


def test_each_file_comes_out_once_and_a_restart_adds_nothing(settings: Settings, inbox: Path) -> None:
    (inbox / "deep").mkdir()
    (inbox / "deep" / "a.txt").write_text("one")
    Path(os.fsdecode(os.fsencode(inbox) + b"/caf\xe9.json")).write_text('[{"n": 1}, {"n": 2}]')
    (inbox / "wire.jsonl").write_text('{"n": 3}\n{"n":\n{"n": 4}\n')
    (inbox / "empty.html").touch()
    (inbox / "notes.doc").write_text("not ours")

    async def twice() -> None:
        for _ in range(2):
            async with watching(settings) as running:
                await running.idle()
                assert [entry["source"] for entry in running.report["waiting"]] == ["notes.doc"]

    run(twice)
    articles = raw(settings)
    assert [(found.source, found.position, found.content) for found in articles] == [
        ("caf%E9.json", 0, b'{"n": 1}'),
        ("caf%E9.json", 1, b'{"n": 2}'),
        ("deep/a.txt", 0, b"one"),
        ("wire.jsonl", 0, b'{"n": 3}'),
        ("wire.jsonl", 15, b'{"n": 4}'),
    ]
    rejected = committed(settings, "rejected")
    assert sorted((found.key(), dict(found.headers())["reason"]) for found in rejected) == [
        (b"empty.html", b"empty"),
        (b"wire.jsonl", b"parse"),
    ]


def test_new_folders_changes_and_additions_are_noticed(settings: Settings, inbox: Path) -> None:
    async def changes() -> None:
        async with watching(settings) as running:
            await running.idle()
            (inbox / "new" / "er").mkdir(parents=True)
            (inbox / "new" / "er" / "a.txt").write_text("one")
            (inbox / "wire.jsonl").write_text("1\n")
            await running.until(lambda report: report["published"] == 2)
            (inbox / "new" / "er" / "a.txt").write_text("two")
            with (inbox / "wire.jsonl").open("a") as wire:
                wire.write("2\n")
            await running.until(lambda report: report["published"] == 4)
            await running.idle()

    run(changes)
    assert [(found.source, found.position, found.version) for found in raw(settings)] == [
        ("new/er/a.txt", 0, 0),
        ("new/er/a.txt", 0, 1),
        ("wire.jsonl", 0, 0),
        ("wire.jsonl", 2, 0),
    ]


def test_a_slow_writer_is_waited_for(settings: Settings, inbox: Path) -> None:
    async def slowly() -> None:
        async with watching(settings) as running:
            await running.idle()
            with (inbox / "slow.txt").open("w") as story:
                for number in range(20):
                    story.write(f"{number} ")
                    story.flush()
                    await asyncio.sleep(0.05)
                    assert running.report["published"] == 0
            await running.until(lambda report: report["published"] == 1)

    run(slowly)
    assert [found.content for found in raw(settings)] == ["".join(f"{number} " for number in range(20)).encode()]


def test_a_rename_into_place_needs_no_waiting(settings: Settings, inbox: Path, tmp_path: Path) -> None:
    # With so long a settle time only the fast path can publish at all.
    patient = replace(settings, settle_seconds=3600.0)

    async def rename() -> None:
        async with watching(patient) as running:
            await running.idle()
            (inbox / "a.txt.tmp").write_text("one")
            await asyncio.sleep(0.7)
            (inbox / "a.txt.tmp").rename(inbox / "a.txt")
            (tmp_path / "old.txt").write_text("two")
            await running.until(lambda report: report["published"] == 1)
            (inbox / "b.txt").write_text("in place")
            await asyncio.sleep(0.7)
            assert [entry["reason"] for entry in running.report["waiting"]] == ["unstable"]

    run(rename)
    assert [found.source for found in raw(patient)] == ["a.txt"]


def test_published_within_a_second_of_the_last_byte(settings: Settings, inbox: Path) -> None:
    # The scan is too far away to help: the event has to do it.
    eventful = replace(settings, scan_seconds=3600.0)

    async def drop() -> None:
        async with watching(eventful) as running:
            await running.idle()
            for number in range(5):
                (inbox / f"{number}.txt").write_text("news")
                async with asyncio.timeout(1.0):
                    while running.report["published"] <= number:
                        await asyncio.sleep(0.01)

    run(drop)


def test_a_name_that_is_no_text_does_not_blind_the_watcher(settings: Settings, inbox: Path) -> None:
    async def drop() -> None:
        async with watching(settings) as running:
            await running.idle()
            for name in (b"/\xff\xfe.txt", b"/plain.txt"):
                Path(os.fsdecode(os.fsencode(inbox) + name)).write_text("news")
            await running.until(lambda report: report["published"] == 2)
            await asyncio.sleep(0.5)
            (inbox / "later.txt").write_text("news")
            await running.until(lambda report: report["published"] == 3)

    run(drop)
    assert [found.source for found in raw(settings)] == ["%FF%FE.txt", "later.txt", "plain.txt"]


@pytest.mark.parametrize("after", ["move", "delete"])
def test_published_files_are_put_away_and_rejected_ones_stay(settings: Settings, inbox: Path, after: str) -> None:
    (inbox / "deep").mkdir()
    (inbox / "deep" / "a.txt").write_text("one")
    (inbox / "bad.json").write_text("{")

    async def put_away() -> None:
        async with watching(replace(settings, after=after)) as running:
            await running.idle()

    async def keep() -> None:
        async with watching(settings) as running:
            await running.idle()

    # Published before, put away by a later watcher that was told to.
    run(keep)
    run(put_away)
    left = [path.name for path in inbox.rglob("*") if path.is_file()]
    moved = inbox.with_name("in box.done") / "deep" / "a.txt"
    assert left == ["bad.json"]
    assert moved.exists() is (after == "move")
    assert len(raw(settings)) == 1


def test_a_second_watcher_takes_over_and_the_first_says_so(settings: Settings, inbox: Path) -> None:
    async def rivals() -> None:
        await ensure_topics(settings)
        first = Running(settings)
        await first.idle()
        async with watching(settings) as second:
            await second.idle()
            (inbox / "a.txt").write_text("one")
            with pytest.raises(FencedError, match="another watcher"):
                await asyncio.wait_for(first.task, 20)
            await second.until(lambda report: report["published"] == 1)

    run(rivals)
    assert len(raw(settings)) == 1


def test_two_inboxes_may_hold_the_same_path(settings: Settings, tmp_path: Path) -> None:
    folders = [tmp_path / "reuters", tmp_path / "ap"]
    for folder in folders:
        folder.mkdir()
        (folder / "a.txt").write_text("same")
    both = replace(settings, inbox=tuple(map(str, folders)))

    async def publish() -> None:
        async with watching(both) as running:
            await running.idle()

    run(publish)
    articles = raw(both)
    assert [found.source for found in articles] == ["a.txt", "a.txt"]
    assert len({found.id for found in articles}) == 2


def test_the_ledger_says_what_was_published(settings: Settings, inbox: Path) -> None:
    (inbox / "wire.jsonl").write_text("1\n2\n{\n")

    async def publish() -> None:
        async with watching(settings) as running:
            await running.idle()

    run(publish)
    ledger = {found.key(): found.value() for found in committed(settings, "files")}
    record = json.loads(ledger[b"in%20box/wire.jsonl"])
    assert {name: record[name] for name in ("state", "published", "rejected", "position", "version")} == {
        "state": "published",
        "published": 2,
        "rejected": 1,
        "position": 6,
        "version": 0,
    }


def test_what_the_topic_does_not_take_is_set_aside_and_holds_nothing_up(settings: Settings, inbox: Path) -> None:
    narrow = {"max.message.bytes": "200000"}
    topics = [NewTopic(topic_name(settings.prefix, name), 1, config=narrow) for name in ("raw", "rejected")]
    admin = AdminClient({"bootstrap.servers": settings.broker})
    for created in admin.create_topics(topics).values():
        created.result(10)
    (inbox / "large.txt").write_bytes(b"x" * 300_000)
    (inbox / "small.txt").write_text("one")

    async def publish() -> None:
        async with watching(settings) as running:
            await running.idle()

    run(publish)
    (rejected,) = committed(settings, "rejected")
    assert (rejected.key(), dict(rejected.headers())["reason"]) == (b"large.txt", b"too-large")
    assert set(rejected.value()) == {ord("x")}
    assert [found.source for found in raw(settings)] == ["small.txt"]


def test_a_missing_inbox_is_one_line(settings: Settings, tmp_path: Path) -> None:
    async def missing() -> None:
        gone = replace(settings, inbox=(str(tmp_path / "gone"),))
        with pytest.raises(FolderError, match=r"there is no folder .*gone; make it"):
            await Running(gone).task

    run(missing)
