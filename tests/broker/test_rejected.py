"""Dead letters on the real broker: listed, retried after a fix, counted once whatever happens."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.broker import EmbeddedBroker
from pipeline.monitor.books import Books
from pipeline.monitor.snapshot import Snapshot
from tests.rig import Rig, rig

# Fields that nobody knows until a setting names them: the fix.
DUTCH = [{"kop": f"Brug {n} dicht", "tekst": f"De brug bij kilometer {n} is vandaag gesloten. " * 9} for n in range(3)]
FIX = "headline=kop body=tekst"


@pytest.fixture
def desk(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> Iterator[Rig]:
    with rig(broker.bootstrap, prefix, tmp_path) as made:
        yield made


def copydesk(desk: Rig, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        env={**os.environ, **desk.settings.environment()}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def listed(desk: Rig, *arguments: str) -> list[dict[str, object]]:
    found = copydesk(desk, "rejected", "list", "--json", *arguments)
    assert (found.returncode, found.stderr) == (0, "")
    return [json.loads(line) for line in found.stdout.splitlines()]


def books(desk: Rig) -> Snapshot:
    async def look() -> Snapshot:
        found = Books(desk.settings)
        try:
            return await found.refresh()
        finally:
            await found.stop()

    return asyncio.run(look())


def test_what_is_retried_after_a_fix_comes_out_once_under_its_id(desk: Rig) -> None:
    desk.drop("dutch.jsonl", b"\n".join(json.dumps(one).encode() for one in DUTCH))
    desk.drop("empty.txt", b" ")
    desk.drop("good.txt", b"Rain fell on the town.\n\nThe river rose, and the bridge was closed at noon.")
    desk.start("watch")
    worker = desk.start("worker")
    desk.wait_settled(5)
    worker.terminate()
    worker.wait(40)
    before = listed(desk)
    assert sorted(str(one["source"]) for one in before) == ["dutch.jsonl"] * 3 + ["empty.txt"]
    assert all(one["retryable"] and one["attempts"] == 1 for one in before)

    # Asked for twice, at the same attempt: the second time there is nothing to do.
    first = copydesk(desk, "rejected", "retry", "--all")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines()[-1] == "4 of 4 put into the stream again"
    second = copydesk(desk, "rejected", "retry", "--all")
    assert second.returncode == 1
    assert second.stdout.splitlines()[-1] == "0 of 4 put into the stream again"
    assert listed(desk) == []
    # While a retry is on its way the article counts as rejected, as before.
    assert (books(desk).rejected, books(desk).in_flight) == (4, 0)

    desk.settings = type(desk.settings)(**{**vars(desk.settings), "fields": FIX})
    desk.start("worker")
    desk.wait_settled(9)
    desk.stop()
    topics = desk.topics()
    assert topics.faults() == []
    assert (len(topics.raw), len(topics.retries)) == (5, 4)
    sources = {r.json["x_copydesk"]["source"]: r for r in topics.records["enriched"] + topics.records["duplicates"]}
    assert set(sources) == {"dutch.jsonl", "good.txt"}
    assert sources["dutch.jsonl"].attempts == 2
    after = books(desk)
    assert (after.received, after.enriched + after.duplicates, after.rejected, after.in_flight) == (5, 4, 1, 0)
    (left,) = listed(desk)
    assert (left["source"], left["attempts"], left["reason"]) == ("empty.txt", 2, "empty")
    check_reconciled(desk)


def check_reconciled(desk: Rig) -> None:
    """Every file and every article of the scene above has the fate that it had."""
    desk.drop("late.txt", b"It came when nobody watched.")
    found = copydesk(desk, "reconcile", str(desk.inbox), "--json")
    assert (found.returncode, found.stderr) == (0, "")
    fates = {one["file"]: one["fates"] for one in map(json.loads, found.stdout.splitlines())}
    assert fates.pop("dutch.jsonl") in ({"published": 3}, {"published": 1, "duplicate": 2})
    assert fates == {"good.txt": {"published": 1}, "empty.txt": {"rejected": 1}, "late.txt": {"waiting": 1}}
    words = copydesk(desk, "reconcile", str(desk.inbox)).stdout
    assert "good.txt: published at 20" in words
    assert "late.txt: waiting because no watcher has published it yet" in words
    nowhere = copydesk(desk, "reconcile", str(desk.inbox / "nowhere"))
    assert (nowhere.returncode, len(nowhere.stderr.splitlines())) == (2, 1)


def test_what_the_watcher_set_aside_is_not_retried_and_says_why(desk: Rig) -> None:
    (desk.inbox / "link.txt").symlink_to("/etc/hostname")
    desk.start("watch")
    desk.wait(lambda: listed(desk), "the link to be rejected", 60)
    desk.stop()
    (one,) = listed(desk, "--stage", "watch")
    assert (one["source"], one["reason"], one["retryable"]) == ("link.txt", "symlink", False)
    answer = copydesk(desk, "rejected", "retry", "--source", "link*")
    assert answer.returncode == 1
    assert "not retried: link.txt was set aside before it was an article" in answer.stdout
    shown = copydesk(desk, "rejected", "show", "link.txt")
    assert (shown.returncode, "symlink" in shown.stdout) == (0, True)
    assert desk.topics().faults() == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["retry"], "say which ones"),
        (["show"], "say which one"),
        (["show", "nothing.txt"], "nothing rejected is called nothing.txt"),
    ],
)
def test_what_is_asked_wrongly_is_answered_in_one_line(desk: Rig, arguments: list[str], words: str) -> None:
    found = copydesk(desk, "rejected", *arguments)
    assert found.returncode in (1, 2)
    assert len(found.stderr.splitlines()) == 1
    assert words in found.stderr


def test_a_worker_stops_over_poison_before_it_commits_what_went_too_far(desk: Rig) -> None:
    desk.settings = type(desk.settings)(**{**vars(desk.settings), "reject_run": 4})
    desk.drop("dutch.jsonl", b"\n".join(json.dumps({"n": n}).encode() for n in range(40)))
    desk.start("watch")
    worker = desk.start("worker")
    assert worker.wait(60) == 2
    assert "articles were all rejected" in desk.words()
    stopped = books(desk)
    assert stopped.in_flight > 0
    desk.settings = type(desk.settings)(**{**vars(desk.settings), "reject_run": 0})
    desk.start("worker")
    desk.wait_settled(40)
    desk.stop()
    assert desk.topics().faults() == []
