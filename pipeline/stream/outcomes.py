"""From a tagged batch to the records of the three outcome topics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pipeline import ninjs
from pipeline.records import Article, Tags, Verdict
from pipeline.stream.batch import Tagged


class Outcome(NamedTuple):
    """One record to write: `topic` is the name after the prefix."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def outcomes(batch: Tagged, max_bytes: int) -> Iterator[Outcome]:
    """Exactly one outcome for every record of the batch. `max_bytes` bounds a value's size."""
    for article, verdict, tags in zip(batch.articles, batch.verdicts, batch.tags, strict=True):
        if tags is None:
            yield Outcome("duplicates", article.id.encode(), ninjs.duplicate(article, verdict), [])
        else:
            yield Outcome("enriched", article.id.encode(), _enriched(article, verdict, tags, max_bytes), [])
    for rejected in batch.rejected:
        yield Outcome("rejected", rejected.key.encode(), rejected.content, rejected.headers())


def _enriched(article: Article, verdict: Verdict, tags: Tags, max_bytes: int) -> bytes:
    value = ninjs.enriched(article, verdict, tags)
    if len(value) > max_bytes:
        # It was claimed, so it must come out: better without tags than not at all.
        value = ninjs.enriched(article, verdict, Tags(failed="left out: with tags the record is too large for Kafka"))
    return value
