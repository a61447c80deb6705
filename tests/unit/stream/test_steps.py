"""A batch through the pure stages: what is wrong with one article never touches its neighbours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from pipeline.records import ORIGINAL, Article, RawArticle, Tags, Verdict, article_id
from pipeline.stages.deduplicate import encode_claims
from pipeline.stages.normalise import normalise
from pipeline.stream.batch import Delivered, Judged, Normalised, Origin
from pipeline.stream.steps import judge_batch, normalise_batch, tag_batch

TP = TopicPartition("articles.raw", 2)
TEXT = "Rain fell on the town of {} for the third day, and the river rose.\n\nThe bridge was closed at noon."


def raw(place: str, content: bytes | None = None) -> RawArticle:
    content = TEXT.format(place).encode() if content is None else content
    sha256 = hashlib.sha256(content).hexdigest()
    source = f"in/{place}.txt"
    return RawArticle(
        article_id(source, 0, sha256), source, 0, "text/plain", "2025-03-18T09:00:00.000Z", sha256, content
    )


def record(offset: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, Any]]) -> ConsumerRecord:
    return ConsumerRecord(TP.topic, TP.partition, offset, 0, 0, key, value, None, 1, 1, tuple(headers))


def of(found: RawArticle, offset: int = 0) -> ConsumerRecord:
    return record(offset, found.id.encode(), found.content, found.headers())


def delivered(*records: ConsumerRecord) -> Delivered:
    return Delivered(Origin(TP, 1, 0, records[0].offset, records[-1].offset, len(records)), records)


def normalised(*records: ConsumerRecord) -> Normalised:
    return normalise_batch(delivered(*records))


def test_every_record_becomes_an_article_with_a_fingerprint_or_a_rejection() -> None:
    good, empty, also_good = raw("Aveiro"), raw("nothing", b" \n"), raw("Porto")
    done = normalised(of(good), of(empty, 1), of(also_good, 2))
    assert [article.raw for article in done.articles] == [good, also_good]
    assert [found.id for found in done.fingerprints] == [good.id, also_good.id]
    (rejected,) = done.rejected
    assert (rejected.key, rejected.content, rejected.reason) == (empty.id, b" \n", "empty")
    assert (rejected.stage, rejected.source, rejected.position) == ("normalise", empty.source, 0)


HEADERS = dict(raw("Faro").headers())


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        (None, []),
        (b"\xff\xfe", [("source", b"a")]),
        (raw("Faro").id.encode(), [("traceparent", b"00")]),
        (raw("Faro").id.encode(), [*HEADERS.items(), ("position", None)]),
        (b"hello", list(HEADERS.items())),
        (raw("Faro").id.encode(), list({**HEADERS, "received": b"yesterday"}.items())),
        (raw("Faro").id.encode(), list({**HEADERS, "position": b"9" * 30}.items())),
    ],
)
def test_a_foreign_record_is_set_aside_alone_and_what_is_left_can_be_claimed(
    key: bytes | None, headers: list[tuple[str, Any]]
) -> None:
    good = raw("Aveiro")
    done = normalised(of(good, 6), record(7, key, b"of others", headers), of(raw("Porto"), 8))
    assert len(done.articles) == 2
    (rejected,) = done.rejected
    assert (rejected.content, rejected.reason, rejected.stage) == (b"of others", "parse", "normalise")
    assert "partition 2 offset 7 is no raw article" in rejected.error
    assert "copydesk watch" in rejected.error
    assert len(encode_claims(done.fingerprints, 0)) > 0
    rejected.headers()


def test_an_exception_that_nobody_foresaw_sets_that_article_aside_and_says_what_it_was() -> None:
    records = [of(raw("Aveiro")), of(raw("Faro"), 1), of(raw("Porto"), 2)]

    def parse(one: RawArticle) -> Article:
        if one.source == "in/Faro.txt":
            raise ZeroDivisionError("no stage is written for that")
        return normalise(one)

    done = normalise_batch(delivered(*records), parse)
    assert [article.raw.source for article in done.articles] == ["in/Aveiro.txt", "in/Porto.txt"]
    (rejected,) = done.rejected
    assert (rejected.key, rejected.content) == (raw("Faro").id, raw("Faro").content)
    assert (rejected.reason, rejected.stage) == ("unexpected", "normalise")
    assert rejected.error == "normalise failed unexpectedly: ZeroDivisionError: no stage is written for that"


def judged(*verdicts: Verdict) -> Judged:
    batch = normalised(*(of(raw(f"town {n}"), n) for n in range(len(verdicts))))
    return judge_batch(batch, verdicts)


def test_a_text_that_has_no_fingerprint_is_set_aside_alone() -> None:
    records = [of(raw("Aveiro")), of(raw("Faro"), 1), of(raw("Porto"), 2)]

    def parse(one: RawArticle) -> Article:
        article = normalise(one)
        return replace(article, body=None) if one.source == "in/Faro.txt" else article  # type: ignore[arg-type]

    done = normalise_batch(delivered(*records), parse)
    assert [article.raw.source for article in done.articles] == ["in/Aveiro.txt", "in/Porto.txt"]
    assert [found.id for found in done.fingerprints] == [article.id for article in done.articles]
    assert [(rejected.key, rejected.reason) for rejected in done.rejected] == [(raw("Faro").id, "unexpected")]


def test_verdicts_stay_with_their_articles() -> None:
    batch = normalised(of(raw("Aveiro")), of(raw("empty", b""), 1), of(raw("Porto"), 2))
    verdicts = [ORIGINAL, Verdict("duplicate", batch.articles[0].id, "near", 0.8)]
    done = judge_batch(batch, verdicts)
    assert (done.articles, done.verdicts, done.rejected) == (batch.articles, verdicts, batch.rejected)
    assert done.origin == batch.origin


def test_originals_and_revisions_are_tagged_and_duplicates_are_not() -> None:
    asked: list[str] = []

    def tag(articles: Sequence[Article]) -> list[Tags]:
        asked.extend(article.raw.source for article in articles)
        return [Tags(language="en") for _ in articles]

    done = tag_batch(judged(ORIGINAL, Verdict("duplicate", "0" * 32, "exact", 1.0), Verdict("revision", "1" * 32)), tag)
    assert done.tags == [Tags(language="en"), None, Tags(language="en")]
    assert asked == ["in/town 0.txt", "in/town 2.txt"]


def test_a_tagger_that_fails_leaves_its_tags_out_and_says_so_for_that_article_alone() -> None:
    def tag(articles: Sequence[Article]) -> list[Tags]:
        if any("town 1" in article.body for article in articles):
            raise ZeroDivisionError("no words")
        return [Tags(language="en") for _ in articles]

    done = tag_batch(judged(ORIGINAL, ORIGINAL, ORIGINAL), tag)
    failed = Tags(failed="tag failed unexpectedly: ZeroDivisionError: no words")
    assert done.tags == [Tags(language="en"), failed, Tags(language="en")]


def test_a_verdict_too_few_is_a_fault_of_ours_and_stops_the_batch() -> None:
    batch = normalised(of(raw("Aveiro")), of(raw("Porto"), 1))
    with pytest.raises(ValueError, match="zip"):
        tag_batch(judge_batch(batch, [ORIGINAL]), lambda articles: [Tags() for _ in articles])
