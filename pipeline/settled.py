"""What became of raw articles, as counted in the very transactions that wrote them.

A rejected article that is retried stays rejected until its new outcome is committed, then moves: that outcome counts,
the one before no longer does. So each article counts once whatever its attempts, and received = settled + in flight
holds all the while. Since the two outcomes may be counted by different partitions, `rejected` of one partition may be
below 0; the sum over all never is.

Travels as the metadata of each raw partition's committed offset, so books and offset can never differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import orjson

from pipeline.topics import OUTCOMES


@dataclass(frozen=True, slots=True)
class Settled:
    """How many articles have come out, by outcome topic, since the beginning."""

    enriched: int = 0
    duplicates: int = 0
    rejected: int = 0

    @property
    def total(self) -> int:
        """All three."""
        return self.enriched + self.duplicates + self.rejected

    def __add__(self, other: Settled) -> Settled:
        return Settled(
            self.enriched + other.enriched, self.duplicates + other.duplicates, self.rejected + other.rejected
        )

    def plus(self, topics: Iterable[str]) -> Settled:
        """With one more article for each of `topics` (names after the prefix)."""
        found = list(topics)
        return self + Settled(*(found.count(name) for name in OUTCOMES))

    def less_retried(self, articles: int) -> Settled:
        """With so many earlier rejections no longer counted, since their retry has come out."""
        return self + Settled(rejected=-articles)

    def encode(self) -> str:
        """As offset metadata (JSON)."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def decode(cls, metadata: str) -> Settled:
        """The inverse of `encode`; all 0 where somebody else committed the offset."""
        try:
            counts = orjson.loads(metadata)
            return cls(*(int(counts.get(name, 0)) for name in OUTCOMES))
        except (ValueError, TypeError, AttributeError):
            return cls()
