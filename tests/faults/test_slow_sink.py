"""A sink that is slow or stuck: the worker takes no more memory, says why it waits, and goes on by itself."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

from pipeline.broker import EmbeddedBroker
from tests.rig import Rig, rig

_FIRST, _ARTICLES, _ARTICLE_BYTES = 4, 600, 200_000
# What a worker may hold of it: what has been fetched for four partitions, and three channels of two small batches.
_HELD_BYTES = 64 << 20


def _memory_bytes(pid: int, name: str) -> int:
    """`VmRSS` or `VmHWM` of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


def _drop(desk: Rig) -> None:
    """120 MB in one file, no article like another."""
    rng = random.Random(3)
    lines = [
        json.dumps({"title": str(n), "body": rng.randbytes(_ARTICLE_BYTES // 2).hex(" ", 3)}) for n in range(_ARTICLES)
    ]
    desk.drop("large.jsonl", "\n".join(lines).encode())


def test_memory_stays_flat_while_a_slow_sink_holds_everything_up(
    broker: EmbeddedBroker, prefix: str, tmp_path: Path
) -> None:
    with rig(broker.bootstrap, prefix, tmp_path, batch_articles=2) as desk:
        worker = desk.start("worker", "-m", "tests.faults.flawed", "slow")
        watcher = desk.start("watch")
        # What the first articles load for good is no backlog.
        desk.drop_articles(_FIRST)
        desk.wait_settled(_FIRST)
        idle = _memory_bytes(worker.pid, "VmRSS")
        _drop(desk)
        total = _FIRST + _ARTICLES
        desk.wait(lambda: desk.received == total or desk.settled() < 0, "all articles to be on the raw topic", 120)
        due = desk.settled() + 12
        desk.wait(lambda: desk.settled() >= due, "some more batches through the slow sink", 120)
        assert desk.settled() < _ARTICLES // 2, "the sink was not slow enough to tell"
        assert _memory_bytes(worker.pid, "VmHWM") - idle < _HELD_BYTES
        assert _memory_bytes(watcher.pid, "VmHWM") < 200 << 20
        # A second signal ends it in the middle of the work.
        begun = time.monotonic()
        worker.terminate()
        worker.send_signal(signal.SIGINT)
        assert worker.wait(40) == 130
        assert time.monotonic() - begun < 2


def test_a_stuck_sink_is_named_until_it_goes_on(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> None:
    with rig(broker.bootstrap, prefix, tmp_path, batch_articles=20) as desk:
        desk.drop_articles(300)
        desk.start("watch")
        worker = desk.start("worker", "-m", "tests.faults.flawed", "stuck")
        desk.wait(lambda: "sink: at one batch for" in desk.why(worker), "/readyz to name the sink", 120)
        desk.wait_settled(300)
        assert desk.stop() == [0, 0]
        assert desk.topics().faults() == []
