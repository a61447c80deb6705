"""Workers killed, stopped and resumed under load: nothing lost, nothing twice."""

from __future__ import annotations

import random
import signal
from pathlib import Path

from pipeline.broker import EmbeddedBroker
from tests.rig import rig

ARTICLES = 3_000


def test_workers_killed_at_random_lose_and_repeat_nothing(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> None:
    rng = random.Random(11)
    with rig(broker.bootstrap, prefix, tmp_path, batch_articles=50) as desk:
        desk.drop_articles(ARTICLES)
        desk.start("watch")
        workers = [desk.start("worker"), desk.start("worker")]
        for kill in range(3):
            # At a moment that moves on with the work, wherever each worker then is in its transaction.
            due = (kill + 1) * ARTICLES // 5 + rng.randrange(ARTICLES // 10)
            desk.wait(lambda due=due: desk.settled() >= due, f"{due} settled articles before kill {kill + 1}", 120)  # type: ignore[misc]
            victim = rng.randrange(2)
            workers[victim].kill()
            workers[victim].wait()
            workers[victim] = desk.start("worker")
        desk.wait_settled(ARTICLES)
        desk.kill()
        topics = desk.topics()
    assert topics.faults() == []
    assert len(topics.raw) == ARTICLES


def test_a_worker_stopped_past_its_session_and_resumed_repeats_nothing(
    broker: EmbeddedBroker, prefix: str, tmp_path: Path
) -> None:
    with rig(broker.bootstrap, prefix, tmp_path, batch_articles=50) as desk:
        desk.drop_articles(ARTICLES)
        desk.start("watch")
        zombie = desk.start("worker")
        desk.wait(lambda: desk.settled() >= 200, "200 settled articles before the pause")
        zombie.send_signal(signal.SIGSTOP)
        desk.start("worker")
        # All but what the zombie holds uncommitted can only come out once the other has taken its partitions.
        desk.wait_settled(ARTICLES - 500)
        zombie.send_signal(signal.SIGCONT)
        desk.wait_settled(ARTICLES)
        desk.kill()
        topics = desk.topics()
    assert topics.faults() == []
    assert len(topics.raw) == ARTICLES
