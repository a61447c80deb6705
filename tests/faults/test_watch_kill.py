"""SIGKILL of the watcher in the middle of a file: started again, every article comes out exactly once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from pipeline.broker import EmbeddedBroker
from pipeline.kafka import ensure_topics
from pipeline.records import article_id
from pipeline.settings import Settings

LINES = 12_000
KILLS = 4


@pytest.fixture
def settings(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> Settings:
    (tmp_path / "wire").mkdir()
    settings = Settings(broker=broker.bootstrap, prefix=prefix, inbox=(str(tmp_path / "wire"),), metrics_port=0)
    asyncio.run(ensure_topics(settings))
    return settings


class Oracle:
    """Follows one topic, all partitions, as a read_committed consumer of another make."""

    def __init__(self, settings: Settings, name: str) -> None:
        options = {"bootstrap.servers": settings.broker, "group.id": f"oracle-{name}"}
        self._consumer = Consumer({**options, "isolation.level": "read_committed", "auto.offset.reset": "earliest"})
        self._topic = f"{settings.prefix}.{name}"
        self.records: list[tuple[bytes, bytes]] = []

    def assign(self) -> None:
        partitions = self._consumer.list_topics(self._topic).topics[self._topic].partitions
        self._consumer.assign([TopicPartition(self._topic, number, 0) for number in partitions])

    def poll(self, seconds: float) -> list[tuple[bytes, bytes]]:
        new = [(found.key(), found.value()) for found in self._consumer.consume(5000, seconds) if not found.error()]
        self.records += new
        return new

    def close(self) -> None:
        self._consumer.close()


@contextmanager
def watcher(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, **settings.environment()}
    with subprocess.Popen([sys.executable, "-m", "pipeline", "watch"], env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_ledger(ledger: Oracle, key: bytes, state: str, seconds: float = 60) -> None:
    """Until the ledger newly says that the file is in this state."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if any(found == key and json.loads(value)["state"] == state for found, value in ledger.poll(0.05)):
            return
    raise AssertionError(f"{key!r} was not {state} in {seconds} s")


def test_killed_in_the_middle_of_a_file(settings: Settings) -> None:
    lines = [json.dumps({"n": number, "body": "x" * 4000}).encode() for number in range(LINES)]
    Path(settings.inbox[0], "big.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    ledger, raw = Oracle(settings, "files"), Oracle(settings, "raw")
    ledger.assign()
    for _ in range(KILLS):
        with watcher(settings):
            wait_for_ledger(ledger, b"wire/big.jsonl", "publishing")
    with watcher(settings) as last:
        wait_for_ledger(ledger, b"wire/big.jsonl", "published")
        last.terminate()
        assert last.wait(10) == 0
    raw.assign()
    while raw.poll(3.0):
        pass
    ledger.close()
    raw.close()
    assert sorted(key for key, _ in raw.records) == sorted(expected_ids(lines))


def expected_ids(lines: list[bytes]) -> Iterator[bytes]:
    """Worked out from the file alone."""
    position = 0
    for line in lines:
        yield article_id("wire/big.jsonl", position, hashlib.sha256(line).hexdigest()).encode()
        position += len(line) + 1
