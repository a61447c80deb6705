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

    @property
    def retried(self) -> bool:
        """Whether the article was rejected before: this outcome then takes the place of that one."""
        return any(name == "attempts" and count != b"1" for name, count in self.headers)


def outcomes(batch: Tagged, max_bytes: int) -> Iterator[Outcome]:
    """Exactly one outcome for every record of the batch. `max_bytes` bounds a value's size."""
    for article, verdict, tags in zip(batch.articles, batch.verdicts, batch.tags, strict=True):
        if tags is None:
            yield Outcome("duplicates", article.id.encode(), ninjs.duplicate(article, verdict), _again(article))
        else:
            yield Outcome(
                "enriched", article.id.encode(), _enriched(article, verdict, tags, max_bytes), _again(article)
            )
    for rejected in batch.rejected:
        yield Outcome("rejected", rejected.key.encode(), rejected.content, rejected.headers())


def _again(article: Article) -> list[tuple[str, bytes]]:
    attempts = article.raw.attempts
    return [("attempts", b"%d" % attempts)] if attempts > 1 else []


def _enriched(article: Article, verdict: Verdict, tags: Tags, max_bytes: int) -> bytes:
    value = ninjs.enriched(article, verdict, tags)
    if len(value) > max_bytes:
        # It was claimed, so it must come out: better without tags than not at all.
        value = ninjs.enriched(article, verdict, Tags(failed="left out: with tags the record is too large for Kafka"))
    return value
