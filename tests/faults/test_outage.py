"""Kafka goes away in the middle of the work: a worker that nobody would start again carries on once it is back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.broker import EmbeddedBroker
from tests.faults.ports import free_port
from tests.rig import rig

_ARTICLES = 1_000
# So slow that there is work to be in the middle of.
_SLOW = ("-m", "tests.faults.flawed", "slow")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A broker of this test's own, to be stopped."""
    with EmbeddedBroker(tmp_path / "broker", free_port(), print) as broker:
        yield broker


def test_a_worker_alone_comes_back_by_itself(own: EmbeddedBroker, tmp_path: Path) -> None:
    with rig(own.bootstrap, "outage", tmp_path, batch_articles=40) as desk:
        desk.drop_articles(_ARTICLES)
        watcher, staying, leaving = desk.start("watch"), *(desk.start("worker", *_SLOW) for _ in range(2))
        desk.wait(lambda: desk.settled() > 100, "the first hundred articles", 120)
        own.stop()
        desk.wait(lambda: "beginning anew" in desk.said(leaving), "a worker to notice in the middle of its work", 60)
        desk.wait(lambda: "Kafka at" in desk.why(leaving), "the fresh one to say what it waits for", 30)
        assert "Kafka at" in desk.why(watcher)
        leaving.terminate()
        assert leaving.wait(30) == 0
        assert desk.settled() < _ARTICLES, "the outage came too late to tell"
        own.start()
        desk.wait_settled(_ARTICLES)
        assert staying.poll() is None
        assert desk.stop() == [0, 0, 0]
        assert desk.topics().faults() == []
