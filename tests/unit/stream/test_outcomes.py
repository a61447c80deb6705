"""Which record goes to which topic, and what is left out where it would be too large."""

from __future__ import annotations

import json

from aiokafka import TopicPartition

from pipeline import ninjs
from pipeline.checked import faults
from pipeline.records import ORIGINAL, Article, RawArticle, Rejected, Tags, Verdict
from pipeline.stream.batch import Origin, Tagged
from pipeline.stream.outcomes import outcomes
from pipeline.terms import Mention

ORIGIN = Origin(TopicPartition("articles.raw", 0), 1, 0, 7, 9, 3)
DUPLICATE = Verdict("duplicate", "0" * 32, "near", 0.91)
ROOM = 1 << 20


def article(digit: str, body: str = "Rain fell.\n\nThe river rose.") -> Article:
    raw = RawArticle(digit * 32, "in/a.txt", 0, "text/plain", "2025-03-18T09:00:00.000Z", digit * 64, body.encode())
    return Article(raw, "text", "Rain fell.", True, body, 5)


REJECTED = Rejected("c" * 32, b"\0\xff", "binary", "no text", "normalise", "in/c.txt", 0)


def test_one_outcome_for_each_record_keyed_by_its_id() -> None:
    one, two = article("a"), article("b")
    batch = Tagged(ORIGIN, [one, two], [ORIGINAL, DUPLICATE], [Tags(language="en"), None], [REJECTED])
    enriched, duplicate, rejected = outcomes(batch, ROOM)
    assert enriched == ("enriched", one.id.encode(), ninjs.enriched(one, ORIGINAL, Tags(language="en")), [])
    assert duplicate == ("duplicates", two.id.encode(), ninjs.duplicate(two, DUPLICATE), [])
    assert rejected == ("rejected", b"c" * 32, b"\0\xff", REJECTED.headers())


def test_a_revision_is_enriched() -> None:
    verdict = Verdict("revision", "0" * 32, number=2)
    (found,) = outcomes(Tagged(ORIGIN, [article("a")], [verdict], [Tags()], []), ROOM)
    assert found.topic == "enriched"
    assert json.loads(found.value)["x_copydesk"]["revision"] == {"of": "0" * 32, "number": 2}


def test_the_same_batch_gives_the_same_bytes() -> None:
    batch = Tagged(ORIGIN, [article("a")], [ORIGINAL], [Tags(keywords=("rain",))], [REJECTED])
    assert list(outcomes(batch, ROOM)) == list(outcomes(batch, ROOM))


def test_what_is_too_large_with_tags_comes_out_without_them_and_says_so() -> None:
    one = article("a")
    mentions = tuple(Mention(n, n + 4, "Rain", "person", "Rain") for n in range(200))
    tags = Tags(language="en", people=("Rain",), mentions=mentions)
    bare = len(ninjs.enriched(one, ORIGINAL, Tags()))
    (found,) = outcomes(Tagged(ORIGIN, [one], [ORIGINAL], [tags], []), bare + 500)
    assert len(found.value) <= bare + 500
    assert faults(found.value) == []
    record = json.loads(found.value)
    assert "people" not in record
    assert "too large for Kafka" in json.dumps(record["x_copydesk"])
    (whole,) = outcomes(Tagged(ORIGIN, [one], [ORIGINAL], [tags], []), ROOM)
    assert json.loads(whole.value)["people"]
