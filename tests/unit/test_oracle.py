"""The judge is judged: one record dropped, doubled, altered, moved or invented must make it fail."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.clock import rfc3339
from pipeline.generate import articles
from pipeline.inbox.feeder import Feeder
from pipeline.inbox.ledger import Ledger
from pipeline.inbox.scan import scan
from pipeline.inbox.splitters import Limits
from pipeline.records import RawArticle, Rejected
from pipeline.stages.deduplicate import Index, decode_claims, encode_claims
from pipeline.stages.tag import Tagger
from pipeline.stream.batch import Delivered, Origin
from pipeline.stream.outcomes import outcomes
from pipeline.stream.steps import judge_batch, normalise_batch, tag_batch
from pipeline.testing import FakeClock
from tests import replay
from tests.expected import Files, Piece, identity
from tests.oracle import OUTCOMES, Record, Topics
from tests.unit.stream.test_steps import TP, of

WINDOW_SECONDS = 3600
LIMITS = Limits(article_bytes=1 << 20, file_bytes=1 << 22, kept_bytes=1 << 20, ratio=200)


class Run:
    """A run without Kafka: files, topics and claim log, as the pure parts of the pipeline make them."""

    def __init__(self, folder: Path) -> None:
        self.files = Files("wire")
        made = [one.line for one in articles(60, seed=5, exact=0.2, near=0.2)]
        self._write(folder, "a.jsonl", b"\n".join(made[:40]) + b'\n{"broken": \n')
        self._write(folder, "list.json", b"[" + b", ".join(made[40:]) + b"]")
        self._write(folder, "one.txt", b"Rain fell on the town for the third day.\n\nThe bridge was closed at noon.")
        self._write(folder, "blank.html", b"<html><body></body></html>")
        raw, rejected = self._taken(folder)
        batch = normalise_batch(Delivered(Origin(TP, 1, 0, 0, 0, 0), [of(one) for one in raw]))
        self.claims = [encode_claims(batch.fingerprints, 0)]
        verdicts = Index(WINDOW_SECONDS).apply(decode_claims(self.claims[0]))
        done = outcomes(tag_batch(judge_batch(batch, verdicts), Tagger().tag_all), 1 << 24)
        self.topics = Topics({name: [] for name in ("raw", *OUTCOMES)})
        self.topics.records["raw"] = [_record(one.id, one.content, one.headers()) for one in raw]
        self.topics.records["rejected"] = [_record(bad.key, bad.content, bad.headers()) for bad in rejected]
        for found in done:
            self.topics.records[found.topic].append(_record(found.key.decode(), found.value, found.headers))

    def _write(self, folder: Path, name: str, content: bytes) -> None:
        self.files.write(name, content)
        (folder / name).write_bytes(content)

    @staticmethod
    def _taken(folder: Path) -> tuple[list[RawArticle], list[Rejected]]:
        root = bytes(folder)
        feeder = Feeder(root, "wire", Ledger("wire"), LIMITS)
        for look in scan(root):
            feeder.add(look)
        run = feeder.fill(rfc3339(FakeClock().now()))
        feeder.close()
        return run.raw, run.rejected

    def faults(self) -> list[str]:
        records = self.topics.records
        return [
            *self.topics.faults(),
            *self.files.faults(records["raw"], records["rejected"]),
            *replay.faults(self.topics, self.claims, WINDOW_SECONDS),
        ]


def _record(key: str, value: bytes, headers: list[tuple[str, bytes]]) -> Record:
    return Record(key, value, {name: text.decode() for name, text in headers})


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("oracle"))


@pytest.fixture
def run(sound: Run) -> Run:
    return copy.deepcopy(sound)


def test_a_sound_run_has_no_faults(run: Run) -> None:
    assert run.faults() == []
    sizes = {name: len(records) for name, records in run.topics.records.items()}
    # 62 went in, of which the blank page came out as rejected, beside the broken line that never went in.
    assert (sizes["raw"], sizes["rejected"]) == (62, 2)
    assert sizes["duplicates"] > 5


Mutation = Callable[[list[Record]], object]


def _alter(records: list[Record]) -> None:
    records[0] = replace(records[0], value=records[0].value.replace(b"a", b"e", 1) + b" ")


MUTATIONS: dict[str, Mutation] = {
    "dropped": lambda records: records.pop(),
    "doubled": lambda records: records.append(records[0]),
    "altered": _alter,
    "invented": lambda records: records.append(replace(records[0], key="f" * 32)),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("topic", ["raw", *OUTCOMES])
def test_one_record_wrong_on_any_topic_is_a_fault(run: Run, topic: str, mutation: str) -> None:
    MUTATIONS[mutation](run.topics.records[topic])
    assert run.faults() != []


@pytest.mark.parametrize("mutation", ["dropped", "altered"])
def test_the_files_alone_tell_what_raw_lacks(run: Run, mutation: str) -> None:
    MUTATIONS[mutation](run.topics.records["raw"])
    assert run.files.faults(run.topics.records["raw"], run.topics.records["rejected"]) != []


def test_a_verdict_that_the_log_does_not_give_is_a_fault(run: Run) -> None:
    duplicates, enriched = run.topics.records["duplicates"], run.topics.records["enriched"]
    duplicate = duplicates[0].json
    other = next(record.key for record in enriched if record.key != duplicate["x_copydesk"]["duplicate"]["of"])
    duplicate["x_copydesk"]["duplicate"]["of"] = other
    duplicates[0] = replace(duplicates[0], value=json.dumps(duplicate).encode())
    assert replay.faults(run.topics, run.claims, WINDOW_SECONDS) == [f"{duplicates[0].key}: altered on duplicates"]


def test_an_article_on_another_topic_than_its_verdict_says_is_a_fault(run: Run) -> None:
    moved = run.topics.records["duplicates"].pop()
    run.topics.records["enriched"].append(moved)
    assert replay.faults(run.topics, run.claims, WINDOW_SECONDS) == [
        f"{moved.key}: is not on duplicates, where its verdict belongs"
    ]


def test_an_article_that_was_passed_without_a_claim_is_a_fault(run: Run) -> None:
    run.claims.clear()
    found = replay.faults(run.topics, run.claims, WINDOW_SECONDS)
    assert len(found) == 61
    assert found[0].endswith("came out and was never claimed")


# --- files that change ------------------------------------------------------------------------------


def raw(files: Files, source: str, lines: list[tuple[int, bytes]], version: int = 0) -> list[Record]:
    return [
        Record(
            identity(files.label, source, Piece(position, line), version),
            line,
            {"source": source, "position": str(position)} | ({"version": str(version)} if version else {}),
        )
        for position, line in lines
    ]


OLD, NEW = [(0, b"1"), (2, b"2")], [(0, b"7"), (2, b"8"), (4, b"9")]


@pytest.fixture
def replaced() -> Files:
    files = Files("wire")
    files.write("a.jsonl", b"1\n2\n")
    files.write("a.jsonl", b"7\n8\n9\n")
    return files


def test_a_replaced_file_may_have_come_in_part_before_but_must_be_there_whole_now(replaced: Files) -> None:
    assert replaced.faults(raw(replaced, "a.jsonl", NEW)) == []
    assert replaced.faults([*raw(replaced, "a.jsonl", OLD), *raw(replaced, "a.jsonl", NEW, 1)]) == []
    assert replaced.faults([*raw(replaced, "a.jsonl", OLD[:1]), *raw(replaced, "a.jsonl", NEW, 1)]) == []
    for wrong in (OLD, NEW[:2], [*OLD, NEW[2]], [*NEW, NEW[0]]):
        assert replaced.faults(raw(replaced, "a.jsonl", wrong)) != []
    assert replaced.faults([*raw(replaced, "a.jsonl", NEW), *raw(replaced, "a.jsonl", NEW)]) != []


def test_a_file_that_grew_is_one_version(replaced: Files) -> None:
    files = Files("wire")
    files.write("b.jsonl", b"1\n")
    files.append("b.jsonl", b"2\n")
    assert files.faults(raw(files, "b.jsonl", OLD)) == []
    assert files.faults([*raw(files, "b.jsonl", OLD[:1]), *raw(files, "b.jsonl", OLD, 1)]) == []
    assert files.faults(raw(files, "b.jsonl", OLD[:1])) != []


def dead_letter(source: str, content: bytes = b"") -> Record:
    return Record(source, content, {"source": source, "position": "0", "stage": "watch"})


def test_a_file_that_was_empty_for_a_while_may_have_been_set_aside_then() -> None:
    files = Files("wire")
    files.write("a.jsonl", b"")
    files.write("a.jsonl", b"1\n2\n")
    articles = raw(files, "a.jsonl", OLD)
    assert files.faults(articles) == []
    assert files.faults(articles, [dead_letter("a.jsonl")]) == []
    assert files.faults([], [dead_letter("a.jsonl")]) != []
    assert files.faults(articles, [dead_letter("a.jsonl", b"1\n2\n")]) != []


def test_a_file_that_is_empty_in_the_end_must_be_set_aside_and_keeps_what_came_in_before() -> None:
    files = Files("wire")
    files.write("a.jsonl", b"1\n2\n")
    files.write("a.jsonl", b"")
    articles = raw(files, "a.jsonl", OLD)
    assert files.due == 0
    for before in ([], articles[:1], articles):
        assert files.faults(before, [dead_letter("a.jsonl")]) == []
        assert files.faults(before) != []
        assert files.faults(before, 2 * [dead_letter("a.jsonl")]) != []
    assert files.faults(raw(files, "a.jsonl", NEW), [dead_letter("a.jsonl")]) != []


def test_a_file_that_vanished_may_have_come_in_or_not(replaced: Files) -> None:
    replaced.vanish("a.jsonl")
    assert replaced.faults([]) == []
    assert replaced.faults(raw(replaced, "a.jsonl", OLD)) == []
    assert replaced.faults(raw(replaced, "a.jsonl", [(0, b"5")])) != []
    assert replaced.due == 0
