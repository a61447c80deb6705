"""Which dead letters go into the stream again, and as what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from pipeline.inbox.ledger import Ledger
from pipeline.monitor.books import read_entry
from pipeline.records import RawArticle, Rejected
from pipeline.stream.batch import Normalised
from pipeline.stream.retry import Letter, Marks, answers, latest
from pipeline.stream.steps import normalise_batch
from tests.unit.stream.test_steps import delivered, of, raw

EMPTY = replace(raw("Aveiro", b" "), version=2, single=False, inbox="wire", context={"language": "pt"})


def rejected(found: RawArticle) -> Rejected:
    done: Normalised = normalise_batch(delivered(of(found)))
    (one,) = done.rejected
    return one


def letter(found: Rejected, offset: int = 0) -> Letter:
    headers: tuple[Any, ...] = tuple(found.headers())
    return Letter.of(ConsumerRecord("r", 0, offset, 0, 0, found.key.encode(), found.content, None, 1, 1, headers))


def test_a_retry_is_the_same_article_with_one_attempt_more() -> None:
    again = letter(rejected(EMPTY)).again()
    assert again == replace(EMPTY, attempts=2)
    assert isinstance(again, RawArticle)
    third = letter(rejected(again))
    assert third.attempts == 2
    assert third.again() == replace(EMPTY, attempts=3)


def test_a_rejection_tells_where_it_came_from_and_no_header_comes_twice() -> None:
    names = [name for name, _ in rejected(replace(EMPTY, attempts=3)).headers()]
    assert names[:6] == ["reason", "error", "stage", "source", "position", "attempts"]
    assert len(set(names)) == len(names)


WATCHED = Rejected("big.txt", b"head only", "too-large", "big.txt is too large", "watch", "big.txt", 0)
FOREIGN = Rejected("hello", b"x", "parse", "no raw article", "normalise", "", 0)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (WATCHED, "big.txt was set aside before it was an article, and what is kept of it may be its beginning only"),
        (FOREIGN, "it is no article that `copydesk watch` published"),
        (replace(rejected(EMPTY), content=b"other"), "its bytes are not those that came in"),
    ],
)
def test_what_cannot_be_retried_says_why_and_what_to_do(found: Rejected, why: str) -> None:
    said = letter(found).again()
    assert isinstance(said, str)
    assert why in said
    assert "inbox" in said


def test_a_rejection_is_retried_once_however_often_it_is_asked() -> None:
    marks, first = Marks(), letter(rejected(EMPTY))
    (made,) = [what for _, what in answers([first], marks) if isinstance(what, RawArticle)]
    marks.apply(*Marks.record(made, "2025-03-18T09:00:00Z"))
    assert answers([first], marks) == [(first, "it was retried already")]
    # The retry was rejected as well: that rejection is open, the first one is not.
    second = letter(rejected(made), 1)
    assert [marks.is_open(one) for one in (first, second)] == [False, True]
    assert latest([first, second]) == {EMPTY.id: second}
    assert latest([second, first]) == {EMPTY.id: second}


def test_rejections_of_the_watcher_are_told_apart_though_their_key_is_the_same() -> None:
    assert len(latest([letter(WATCHED, 1), letter(WATCHED, 2)])) == 2


def test_a_mark_means_nothing_to_books_and_watchers() -> None:
    key, value = Marks.record(replace(EMPTY, attempts=2), "2025-03-18T09:00:00Z")
    assert read_entry(key, value) is None
    for label in ("retry", "wire", key.decode()):
        ledger = Ledger(label.replace(":", "%3A"))
        ledger.apply(key, value)
        assert (len(ledger), ledger.owner) == (0, "")


def test_the_books_count_a_retried_article_once() -> None:
    from pipeline.settled import Settled

    before = Settled(5, 2, 1)
    assert before.plus(["enriched"]).less_retried(1) == Settled(6, 2, 0)
    assert before.plus(["rejected"]).less_retried(1) == before
    assert before.plus(["rejected"]).less_retried(1).total == before.total
    # Another partition than that of the first rejection.
    elsewhere = Settled().plus(["duplicates"]).less_retried(1)
    assert Settled.decode(elsewhere.encode()) == elsewhere
    assert (before + elsewhere) == Settled(5, 3, 0)
