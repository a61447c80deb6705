"""From a tagged batch to the records of the three outcome topics, and the counts that go into the books."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import orjson

from pipeline import ninjs
from pipeline.records import Article, Tags, Verdict
from pipeline.stream.batch import Tagged


class Outcome(NamedTuple):
    """One record to write: `topic` is the name after the prefix."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Books:
    """How many articles of one raw partition have come out, by outcome topic, since the beginning.

    Travels as the metadata of the committed offset, so it changes in the very transaction that it counts.
    """

    enriched: int = 0
    duplicates: int = 0
    rejected: int = 0

    @property
    def settled(self) -> int:
        """Articles with a committed outcome."""
        return self.enriched + self.duplicates + self.rejected

    def plus(self, outcomes: Sequence[Outcome]) -> Books:
        """These books with `outcomes` entered."""
        topics = [outcome.topic for outcome in outcomes]
        return Books(*(getattr(self, name) + topics.count(name) for name in self.__slots__))

    def encode(self) -> str:
        """As offset metadata (JSON)."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def decode(cls, metadata: str) -> Books:
        """The inverse; empty books for metadata that is not ours."""
        try:
            return cls(**orjson.loads(metadata))
        except (TypeError, ValueError):
            return cls()


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
