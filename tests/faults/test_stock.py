"""Where Faust as it comes loses, stands still or hangs, and we must not: each is shown of both."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from faust.transport.consumer import Consumer as FaustConsumer
from faust.types import TP
from intervaltree import IntervalTree  # type: ignore[import-untyped]

from pipeline.broker import EmbeddedBroker
from pipeline.records import RawArticle
from pipeline.settings import Settings
from tests import oracle
from tests.rig import Rig, rig

TIME = "2025-03-18T09:00:00.000Z"
_TRANSACTIONS = 40
_DRAIN_SECONDS = 5.0


@pytest.fixture
def desk(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> Iterator[Rig]:
    with rig(broker.bootstrap, prefix, tmp_path, batch_articles=10, drain_seconds=_DRAIN_SECONDS) as made:
        yield made


def publish(settings: Settings) -> int:
    """A transaction an article on partition 0, and three articles in one that is aborted: how many are to be read."""
    producer = Producer({"bootstrap.servers": settings.broker, "transactional.id": f"{settings.prefix}-test"})
    producer.init_transactions()
    for number in range(_TRANSACTIONS):
        aborted = number % 4 == 1
        producer.begin_transaction()
        for part in range(3 if aborted else 1):
            text = f"It rained {number} times on day {part} of year {number * number}."
            raw = RawArticle(f"{number:032x}", "a.txt", number, "text/plain", TIME, "0" * 64, text.encode())
            producer.produce(f"{settings.prefix}.raw", raw.content, raw.id.encode(), partition=0, headers=raw.headers())
        (producer.abort_transaction if aborted else producer.commit_transaction)()
    return _TRANSACTIONS - _TRANSACTIONS // 4


def start_stock(desk: Rig, flaw: str) -> tuple[subprocess.Popen[bytes], Path]:
    """Stock Faust on the same topic, with a group of its own, and the file of what it has done."""
    out = desk.folder / "stock.out"
    out.touch()
    arguments = ("-m", "faust", "-A", "tests.faults.stock", "worker", "--without-web")
    return desk.start("stock", *arguments, STOCK_OUT=str(out), STOCK_FLAW=flaw), out


def unread(settings: Settings, group: str) -> int:
    """Committed records on partition 0 that a group would be given if it came back now."""
    place = TopicPartition(f"{settings.prefix}.raw", 0)
    admin = AdminClient({"bootstrap.servers": settings.broker})
    asked = ConsumerGroupTopicPartitions(group, [place])
    (answer,) = admin.list_consumer_group_offsets([asked])[group].result().topic_partitions
    reader: Consumer = oracle.reader(settings.broker, **{"enable.partition.eof": True})
    reader.assign([TopicPartition(place.topic, 0, max(answer.offset, 0))])
    found = 0
    while (message := reader.poll(30)) is not None and not message.error():
        found += 1
    reader.close()
    return found


def test_what_an_agent_fails_on_is_read_again(desk: Rig) -> None:
    # Faust acknowledges in a `finally`, and goes on after the record that its agent failed on.
    count = publish(desk.settings)
    _, out = start_stock(desk, "raises")
    failing = desk.start("worker", "-m", "tests.faults.flawed", "raises")
    desk.wait(lambda: failing.poll() is not None, "the worker to end over an error in an agent", 120)
    assert failing.returncode == 1
    assert "the stream broke (RuntimeError: on purpose)" in desk.words()
    desk.start("worker")
    desk.wait_settled(count)
    desk.wait(lambda: len(out.read_text().splitlines()) >= count - 1, "stock Faust to go on", 120)
    topics = desk.topics()
    assert topics.faults() == []
    assert len(topics.settled) == count
    assert len(out.read_text().splitlines()) < count, "stock Faust lost nothing"


def test_offsets_are_committed_to_the_end_over_every_gap(desk: Rig) -> None:
    # Records of a transaction that was aborted are given to nobody, and leave a gap among the offsets.
    count = publish(desk.settings)
    desk.start("worker")
    desk.wait_settled(count)
    assert unread(desk.settings, desk.settings.group) == 0


def test_stock_faust_commits_nothing_any_more_after_such_a_gap() -> None:
    # As after the first record above: 0 is committed, 2 to 4 were aborted, 1 and 5 are markers.
    place = TP("articles.raw", 0)
    after = SimpleNamespace(_acked={place: [6, 7, 8, 9]}, _gap={place: IntervalTree()}, _committed_offset={place: 1})
    assert FaustConsumer._new_offset(after, place) is None


def test_a_stop_that_hangs_in_faust_ends_in_time_and_well(desk: Rig) -> None:
    count = publish(desk.settings)
    stock, out = start_stock(desk, "hangs")
    ours = desk.start("worker", "-m", "tests.faults.flawed", "hangs")
    desk.wait_settled(count)
    desk.wait(lambda: len(out.read_text().splitlines()) >= count, "stock Faust to work on everything", 120)
    begun = time.monotonic()
    for process in (ours, stock):
        process.send_signal(signal.SIGTERM)
    assert ours.wait(40) == 0
    assert time.monotonic() - begun < _DRAIN_SECONDS + 10
    assert oracle.hanging(desk.settings.broker, desk.settings.prefix) == {}
    assert stock.poll() is None, "stock Faust did not hang"
