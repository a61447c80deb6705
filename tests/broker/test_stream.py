"""The whole flow on the real broker, judged by the oracle: conservation, verdicts, bytes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import ninjs
from pipeline.broker import EmbeddedBroker
from pipeline.checked import faults
from pipeline.records import RawArticle, Tags, Verdict
from pipeline.stages.normalise import normalise
from pipeline.stages.tag import Tagger
from tests.oracle import Record
from tests.rig import Rig, rig

SEEDS = Path(__file__).parents[2] / "seeds"


@pytest.fixture
def desk(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> Iterator[Rig]:
    with rig(broker.bootstrap, prefix, tmp_path) as made:
        yield made


def test_seeds_come_out_once_valid_and_as_the_pure_stages_make_them(desk: Rig) -> None:
    shutil.copytree(SEEDS, desk.inbox, dirs_exist_ok=True)
    desk.start("watch")
    desk.start("worker")
    desk.start("worker")
    desk.wait_settled(85)
    # The empty file is waited for longer than all others.
    desk.wait(lambda: len(desk.topics().records["rejected"]) == 4, "what the watcher sets aside")
    assert desk.stop() == [0, 0, 0]
    topics = desk.topics()
    assert topics.faults() == []
    assert {name: len(found) for name, found in topics.records.items()} == {
        "raw": 85,
        "enriched": 61,
        "duplicates": 22,
        "rejected": 4,
    }
    assert [faults(record.value) for name in ("enriched", "duplicates") for record in topics.records[name]] == [[]] * 83
    raw = {record.key: record for record in topics.records["raw"]}
    tagger = Tagger()
    for record in topics.records["enriched"]:
        assert record.value == remade(raw[record.key], record, tagger)
    for record in topics.records["rejected"]:
        if record.key in raw:
            assert record.value == raw[record.key].value


def remade(raw: Record, enriched: Record, tagger: Tagger) -> bytes:
    """The enriched bytes, from the raw record and the verdict alone."""
    headers = [(name, value.encode()) for name, value in raw.headers.items()]
    article = normalise(RawArticle.from_record(raw.key.encode(), raw.value, headers))
    ours = enriched.json["x_copydesk"]
    verdict = Verdict("original")
    if "revision" in ours:
        verdict = Verdict("revision", **ours["revision"])
    elif "derived" in ours:
        verdict = Verdict("derived", **ours["derived"])
    return ninjs.enriched(article, replace(verdict, story=ours["story"]), tagger.tag(article))


def test_a_worker_that_starts_again_repeats_nothing(desk: Rig) -> None:
    desk.drop_articles(400, seed=1)
    desk.start("watch")
    first = desk.start("worker")
    desk.wait_settled(400)
    first.terminate()
    assert first.wait(40) == 0
    desk.drop_articles(300, seed=2)
    desk.start("worker")
    desk.wait_settled(700)
    desk.stop()
    topics = desk.topics()
    assert topics.faults() == []
    assert len(topics.raw) == 700


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_finds_the_clusters_that_were_made(desk: Rig, workers: int) -> None:
    made = desk.drop_articles(1_500, seed=7)
    for _ in range(workers):
        desk.start("worker")
    desk.start("watch")
    desk.wait_settled(1_500)
    desk.stop()
    topics = desk.topics()
    assert topics.faults() == []
    by_position = {int(record.headers["position"]): record.key for record in topics.records["raw"]}
    ids = [by_position[position] for position in sorted(by_position)]
    wanted: dict[int, set[str]] = {}
    for one, key in zip(made, ids, strict=True):
        wanted.setdefault(one.cluster, set()).add(key)
    assert topics.clusters() == {frozenset(group) for group in wanted.values()}


def test_tags_that_fail_are_left_out_and_said() -> None:
    raw = RawArticle(
        "a" * 32, "a.txt", 0, "text/plain", "2025-03-18T09:00:00.000Z", "0" * 64, b"Rain fell on the town."
    )
    article = normalise(raw)
    assert faults(ninjs.enriched(article, Verdict("original"), Tags(failed="tag failed unexpectedly"))) == []


def test_fausts_own_command_line_runs_the_same_flow(desk: Rig) -> None:
    desk.drop_articles(200)
    desk.start("watch")
    desk.start("worker", "-m", "faust", "-A", "pipeline.stream.app", "worker", "--without-web")
    desk.wait_settled(200)
    desk.stop()
    assert desk.topics().faults() == []
