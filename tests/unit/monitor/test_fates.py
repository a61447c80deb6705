"""What became of a file: every article has one fate, and nothing is passed over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from pipeline.inbox.ledger import Known
from pipeline.inbox.scan import Look
from pipeline.monitor.fates import Evidence

LOOK = Look(b"a.jsonl", "file", 9, 1, 2, 3)
KNOWN = Known(size=9, mtime_ns=1, ctime_ns=2, published=3, state="published")


def record(key: str, value: bytes = b"", offset: int = 0, **headers: str) -> ConsumerRecord:
    found: tuple[Any, ...] = tuple((name, text.encode()) for name, text in headers.items())
    return ConsumerRecord("t", 0, offset, 1_742_288_400_000, 0, key.encode(), value, None, 1, 1, found)


def evidence(known: Known | None = KNOWN, committed: int = 3, cut: set[str] | None = None) -> Evidence:
    """A file of three articles, a, b and c, at raw offsets 0 to 2."""
    found = Evidence("wire", {0: committed}, cut or set())
    if known:
        found.take("files", record("wire/a.jsonl", known.to_json("T")), {"time": "T"})
    for number, key in enumerate("abc"):
        found.take("raw", record(key, b"", number, source="a.jsonl", position=str(number), inbox="wire"), None)
        found.take("raw", record(f"other {key}", b"", 9, source="a.jsonl", position="0", inbox="web"), None)
    return found


def fates(found: Evidence, look: Look = LOOK, readable: bool = True) -> list[tuple[str, str]]:
    return [(fate.kind, fate.why) for fate in found.file("a.jsonl", look, readable)]


def test_each_article_has_its_own_fate() -> None:
    found = evidence()
    found.take("enriched", record("a", offset=7), None)
    found.take("duplicates", record("b", offset=8), {"x_copydesk": {"duplicate": {"of": "a"}}})
    found.take("rejected", record("c", stage="normalise", reason="empty", error="c is empty"), None)
    assert fates(found) == [
        ("published", "at 2025-03-18T09:00:00.000Z, partition 0 offset 7"),
        ("duplicate", "of a, partition 0 offset 8"),
        ("rejected", "because c is empty (empty)"),
    ]


def test_an_article_that_no_worker_has_passed_waits_and_one_that_was_passed_is_unaccounted_for() -> None:
    found = evidence(committed=1)
    assert [kind for kind, _ in fates(found)] == ["unaccounted", "waiting", "waiting"]
    assert "passed partition 0 offset 0, and nothing came out" in fates(found)[0][1]


def test_what_left_with_its_topics_retention_is_not_called_lost() -> None:
    assert {kind for kind, _ in fates(evidence(cut={"enriched"}))} == {"published"}
    found = evidence(replace(KNOWN, published=5), committed=0, cut={"raw"})
    assert sorted(kind for kind, _ in fates(found)) == ["published", *["waiting"] * 3]


def test_an_article_that_is_in_the_ledger_alone_is_unaccounted_for() -> None:
    found = fates(evidence(replace(KNOWN, published=5), committed=0))
    assert ("unaccounted", "2 articles are in the ledger and nowhere else") in found


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_last_attempt_counts_in_whatever_order_it_is_read(order: tuple[int, int]) -> None:
    found = evidence()
    for attempts in order:
        if attempts == 1:
            found.take("rejected", record("a", stage="normalise", reason="empty", error="no", attempts="1"), None)
        else:
            found.take("enriched", record("a", attempts="2"), None)
    assert fates(found)[0][0] == "published"


@pytest.mark.parametrize(
    ("look", "known", "readable", "why"),
    [
        (LOOK, None, True, "no watcher has published it yet"),
        (LOOK, None, False, "its name is of no format"),
        (LOOK._replace(kind="hidden"), None, True, "its name says"),
        (LOOK._replace(kind="unreadable"), KNOWN, True, "it cannot be read; give this user"),
        (LOOK, replace(KNOWN, state="publishing"), True, "3 articles of it are published and there are more"),
        (LOOK._replace(mtime_ns=5), KNOWN, True, "it was changed since"),
    ],
)
def test_a_file_that_the_watcher_is_not_done_with_waits(
    look: Look, known: Known | None, readable: bool, why: str
) -> None:
    ((kind, said),) = fates(evidence(known), look, readable)
    assert kind == "waiting"
    assert said.startswith(f"because {why}")


def test_a_file_that_the_watcher_set_aside_says_why_and_missing_records_are_noticed() -> None:
    found = Evidence("wire")
    known = replace(KNOWN, published=0, rejected=1, state="rejected")
    found.take("files", record("wire/a.jsonl", known.to_json("T")), {"time": "T"})
    assert fates(found) == [("unaccounted", "it was rejected and there is no record of it")]
    aside = record(
        "a.jsonl", source="a.jsonl", position="0", stage="watch", reason="binary", error="a.jsonl is no text"
    )
    found.take("rejected", aside, None)
    assert fates(found) == [("rejected", "because a.jsonl is no text (binary)")]


def test_a_member_of_an_archive_belongs_to_its_file() -> None:
    found = Evidence("wire", {0: 9})
    found.take("files", record("wire/z.zip", replace(KNOWN, published=1).to_json("T")), {"time": "T"})
    found.take("raw", record("m", source="z.zip!/in/m.txt", position="0", inbox="wire"), None)
    found.take("enriched", record("m"), None)
    (fate,) = found.file("z.zip", LOOK, True)
    assert (fate.kind, fate.source) == ("published", "z.zip!/in/m.txt")


def test_a_feed_without_articles_is_published_and_shows_when() -> None:
    found = Evidence("wire")
    found.take("files", record("wire/a.jsonl", replace(KNOWN, published=0).to_json("T")), {"time": "T"})
    assert fates(found) == [("published", "at T")]
