"""The books: what came in, what came out, what is still on its way. Received = settled + in flight, always.

Both sides are written inside transactions: `articles.files` (the ledger) says what was published, and the metadata
of each raw partition's committed offset says what became of it. Here they are only read and added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

from pipeline.settled import Settled


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the workers are behind on one raw partition."""

    messages: int = 0
    """Records, give or take the transaction markers among them; 0 only where there is none."""
    seconds: float = 0.0
    """Age of the oldest record not yet settled."""


@dataclass(frozen=True, slots=True)
class Received:
    """The ledger added up."""

    articles: int = 0
    """Raw articles published."""
    rejected: int = 0
    """Files and entries that the watcher set aside; they never were raw articles."""
    files: int = 0
    """Files published to their end."""


@dataclass(frozen=True)
class Snapshot:
    """The books at one moment."""

    ledger: Received = field(default_factory=Received)
    settled: Settled = field(default_factory=Settled)
    lag: Mapping[int, Lag] = field(default_factory=dict)
    """By raw partition."""

    @property
    def received(self) -> int:
        """Raw articles published, ever."""
        return self.ledger.articles

    @property
    def enriched(self) -> int:
        """Articles on the enriched topic."""
        return self.settled.enriched

    @property
    def duplicates(self) -> int:
        """Articles on the duplicates topic."""
        return self.settled.duplicates

    @property
    def rejected(self) -> int:
        """Articles that the stream rejected; see also `watch_rejected`."""
        return self.settled.rejected

    @property
    def watch_rejected(self) -> int:
        """What the watcher rejected before it was an article."""
        return self.ledger.rejected

    @property
    def files_published(self) -> int:
        """Files published to their end."""
        return self.ledger.files

    @property
    def in_flight(self) -> int:
        """Received but not settled. Below 0 only where the books are wrong."""
        return self.received - self.settled.total

    @property
    def balanced(self) -> bool:
        """Whether everything that came in has come out."""
        return self.in_flight == 0

    @cached_property
    def lag_messages(self) -> int:
        """Over all partitions."""
        return sum(lag.messages for lag in self.lag.values())

    @cached_property
    def lag_seconds(self) -> float:
        """Of the partition that is furthest behind."""
        return max((lag.seconds for lag in self.lag.values()), default=0.0)

    def as_dict(self) -> dict[str, int | float | bool]:
        """The figures by name, for notes and logs."""
        return {
            "received": self.received,
            "enriched": self.enriched,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "in_flight": self.in_flight,
            "balanced": self.balanced,
            "watch_rejected": self.watch_rejected,
            "files_published": self.files_published,
            "lag_messages": self.lag_messages,
            "lag_seconds": round(self.lag_seconds, 3),
        }

    @property
    def leak(self) -> int:
        """Articles that are in flight although nothing is left to read, or came out twice; 0 when all is well.

        Between a commit and our next look the two sides differ for a moment: only a leak that stays is one.
        """
        return self.in_flight if self.in_flight < 0 or not self.lag_messages else 0


@dataclass(frozen=True, slots=True)
class Entry:
    """What one ledger record adds to the sums."""

    articles: int
    rejected: int
    done: bool


NOTHING = Entry(0, 0, False)


class LedgerSums:
    """Adds up a compacted ledger as it grows: a later record of a file takes the place of the earlier one.

    About 120 bytes a file: a hash of the key is kept, and equal entries (nearly all files hold one article) are
    one object.
    """

    def __init__(self) -> None:
        self._last: dict[int, Entry] = {}
        self._shared: dict[Entry, Entry] = {}
        self._articles = self._rejected = self._files = 0

    def apply(self, key: bytes, entry: Entry) -> None:
        """Let `entry` be what is known of the file `key`."""
        digest = int.from_bytes(blake2b(key, digest_size=8).digest())
        before = self._last.get(digest, NOTHING)
        self._articles += entry.articles - before.articles
        self._rejected += entry.rejected - before.rejected
        self._files += entry.done - before.done
        self._last[digest] = self._shared.setdefault(entry, entry)

    @property
    def received(self) -> Received:
        """The sums so far."""
        return Received(self._articles, self._rejected, self._files)
