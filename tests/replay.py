"""What must have become of every raw article: the claim log replayed, and the pure stages run once more.

No Kafka, no Faust, no sink: the index alone decides, and every outcome must be what it says, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from pipeline import ninjs
from pipeline.errors import BadInput
from pipeline.records import Article, RawArticle, Verdict
from pipeline.stages.deduplicate import Index, decode_claims
from pipeline.stages.normalise import normalise
from pipeline.stages.tag import Tagger
from tests.oracle import Record, Topics


class Outcome(NamedTuple):
    """What an article must have become: on which topic, and its value."""

    topic: str
    value: bytes


def verdicts(claims: Sequence[bytes], window_seconds: int) -> dict[str, Verdict]:
    """The verdict on every claimed id, from the values of the claim log in order.

    An AssertionError where an id that was claimed again got another verdict than at first.
    """
    index, found = Index(window_seconds), dict[str, Verdict]()
    for value in claims:
        rows = decode_claims(value)
        ids = rows.rows["id"].tobytes()
        for number, verdict in enumerate(index.apply(rows)):
            key = ids[16 * number : 16 * number + 16].hex()
            assert found.setdefault(key, verdict) == verdict, f"{key}: {verdict} on a later claim, first {found[key]}"
    return found


def faults(topics: Topics, claims: Sequence[bytes], window_seconds: int) -> list[str]:
    """Every outcome that is not what the claim log and the pure stages make of its raw record. Empty: none."""
    judged = verdicts(claims, window_seconds)
    written = {name: {record.key: record.value for record in topics.settled_on(name)} for name in topics.outcomes}
    return list(_differences(topics.records["raw"], judged, written))


def _differences(
    raw: Sequence[Record], judged: dict[str, Verdict], written: dict[str, dict[str, bytes]]
) -> Iterator[str]:
    for record, wanted in zip(raw, _outcomes(raw, judged), strict=True):
        if wanted is None:
            yield f"{record.key}: came out and was never claimed"
        elif record.key not in written[wanted.topic]:
            yield f"{record.key}: is not on {wanted.topic}, where its verdict belongs"
        elif written[wanted.topic][record.key] != wanted.value:
            yield f"{record.key}: altered on {wanted.topic}"


def _outcomes(raw: Sequence[Record], judged: dict[str, Verdict]) -> Iterator[Outcome | None]:
    """What each must have become; None: an article that must have been claimed was not."""
    clean = [_article(record) for record in raw]
    tagged = [article for article in clean if article and _is_tagged(judged.get(article.id))]
    # All at once, which is many times faster than one by one.
    tags = {article.id: found for article, found in zip(tagged, _tagger().tag_all(tagged), strict=True)}
    for record, article in zip(raw, clean, strict=True):
        verdict = judged.get(record.key)
        if article is None:
            yield Outcome("rejected", record.value)
        elif verdict is None:
            yield None
        elif verdict.kind == "duplicate":
            yield Outcome("duplicates", ninjs.duplicate(article, verdict))
        else:
            yield Outcome("enriched", ninjs.enriched(article, verdict, tags[article.id]))


def _is_tagged(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.kind != "duplicate"


@cache
def _tagger() -> Tagger:
    return Tagger()


def _article(raw: Record) -> Article | None:
    headers = [(name, value.encode()) for name, value in raw.headers.items()]
    try:
        return normalise(RawArticle.from_record(raw.key.encode(), raw.value, headers))
    except BadInput:
        return None
