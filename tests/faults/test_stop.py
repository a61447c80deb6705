"""SIGTERM in the middle of the work: ended in time, with 0, and nothing half done."""

from __future__ import annotations

import time
from pathlib import Path

from pipeline.broker import EmbeddedBroker
from tests import oracle
from tests.rig import rig

DRAIN_SECONDS = 10.0
ARTICLES = 6_000


def test_a_stop_under_load_leaves_nothing_half_done(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> None:
    with rig(broker.bootstrap, prefix, tmp_path, batch_articles=25, drain_seconds=DRAIN_SECONDS) as desk:
        desk.drop_articles(ARTICLES)
        desk.start("watch")
        desk.start("worker")
        desk.wait(lambda: desk.settled() > 100, "the first hundred articles")
        begun = time.monotonic()
        assert desk.stop() == [0, 0]
        # What is ours has the drain time; what libraries leave behind is given a few seconds more.
        assert time.monotonic() - begun < DRAIN_SECONDS + 8
        assert oracle.hanging(desk.settings.broker, desk.settings.prefix) == {}
        half = desk.topics()
        assert [fault for fault in half.faults() if not fault.endswith("lost")] == []
        assert len(half.settled) < ARTICLES, "the stop came too late to tell"
        desk.start("watch")
        desk.start("worker")
        desk.wait_settled(ARTICLES)
        desk.stop()
        assert desk.topics().faults() == []
