"""Kafka is killed with a transaction open: what was never committed is never read, whatever comes after it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from pipeline.broker import EmbeddedBroker
from tests import oracle
from tests.faults.ports import free_port

_PARTITIONS = 4
_TIMEOUT_SECONDS = 1.0
_QUIET = {"log_level": 0}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A broker of this test's own, to be killed."""
    with EmbeddedBroker(tmp_path, free_port(), print) as broker:
        yield broker


def _producer(bootstrap: str) -> Producer:
    timeout = {"transaction.timeout.ms": int(1000 * _TIMEOUT_SECONDS)}
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": "one", **timeout, **_QUIET})
    producer.init_transactions()
    producer.begin_transaction()
    return producer


def _make_topics(bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap, **_QUIET})
    wanted = [NewTopic(f"t.{name}", _PARTITIONS, 1) for name in ("raw", "files", *oracle.OUTCOMES)]
    for made in admin.create_topics(wanted).values():
        made.result()


def _kill(broker: EmbeddedBroker) -> None:
    process = broker._process
    assert process is not None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    broker.stop()


def test_what_was_given_up_in_a_crash_does_not_come_out_with_the_next_transaction(own: EmbeddedBroker) -> None:
    _make_topics(own.bootstrap)
    given_up = _producer(own.bootstrap)
    for number in range(_PARTITIONS):
        given_up.produce("t.raw", b"given up", b"1", partition=number)
    given_up.flush()
    _kill(own)
    # Its time is over when Kafka comes back, so that Kafka gives it up as soon as it is there.
    time.sleep(2 * _TIMEOUT_SECONDS)
    own.start()
    after = _producer(own.bootstrap)
    for number in range(_PARTITIONS):
        after.produce("t.raw", b"after", b"2", partition=number)
    after.commit_transaction()
    assert [record.value for record in oracle.stream(own.bootstrap, "t.raw")] == _PARTITIONS * [b"after"]
    assert oracle.hanging(own.bootstrap, "t") == {}
