"""Which articles report on the same: online, in one pass, each article against those of the story window before it.

An article joins the story of the articles that are most like it by their terms, or else begins one, which is called by
its id. Likeness to the two nearest articles of a story counts, not to one: a single article between two stories does
not weld them together. Whole numbers only, so that all machines come to the same.

    terms ─▶ the last articles that have each, too ─▶ those with most in common ─▶ cosine ─▶ story

What an article is like does not depend on stories, so it is worked out for a batch at a time; only which story it joins
is decided article by article, since it may rest on the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.deduplicate.parameters import FAINT, HOLDERS, RELATED, SAME_STORY, TERMS
from pipeline.stages.deduplicate.table import Numbers
from pipeline.stages.deduplicate.terms import LENGTH, Terms

_BUCKET_BITS = 20
_BUCKET = np.uint32(32 - _BUCKET_BITS)
_WEIGHT = np.uint32(LENGTH)
_FAINT = round(FAINT * LENGTH * LENGTH)
SAME = round(SAME_STORY * LENGTH * LENGTH)
"""Least cosine, times LENGTH squared."""

_ROOM = 1024
_GROWTH = 1.125
_FEW = 1 << 12
_JOINED_BYTES = 100
"""What one entry of the set of joined stories takes."""
_PAIR_BITS, _PRODUCT_BITS = 28, 16
_ENTRY = np.uint64((1 << _PAIR_BITS) - 1)

PLACED = np.dtype([("story", "V16"), ("began", "<i8")])
"""Which story an article belongs to, and when that began: log time, milliseconds."""

Placed = NDArray[Any]


def called(placed: Placed) -> list[bytes]:
    """The story of each, with the time it began: an article that comes again after the window begins another one."""
    found: list[bytes] = placed.view(f"V{PLACED.itemsize}").tolist()
    return found


@dataclass(frozen=True, slots=True)
class Alike:
    """Articles of a batch that may join a story, each with the earlier ones most like it, the nearest first."""

    article: Numbers
    """Place in the batch."""
    entry: Numbers
    """Number of the earlier one."""
    cosine: Numbers
    """Times LENGTH squared."""


class Stories:
    """The articles of the story window that are no duplicates, by number, in log order."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._count = 0
        self._terms: Terms = np.zeros((0, TERMS), dtype=np.uint32)
        # A posting is a term of an article, numbered from 1: article times TERMS plus place. Each knows the one before
        # it in its bucket, so that every bucket is a chain from the latest article to ever earlier ones.
        self._before = np.zeros((0, TERMS), dtype=np.uint32)
        self._latest = np.zeros(0, dtype=np.uint32)
        self._times: Numbers = np.zeros(0, dtype=np.int64)
        self._placed: Placed = np.zeros(0, dtype=PLACED)
        self.joined: set[bytes] = set()
        """The stories, as `called` has them, that have another article than the one that began them."""
        self._address: Numbers = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        arrays = (self._terms, self._before, self._latest, self._times, self._placed, self._address)
        return sum(array.nbytes for array in arrays) + _JOINED_BYTES * len(self.joined)

    def enter(self, terms: Terms, times: Numbers, addresses: Numbers) -> int:
        """Enter articles that come next in the log. Returns the number of the first; `place` must follow."""
        first, self._count = self._count, self._count + len(terms)
        self._make_room()
        self._terms[first : self._count] = terms
        self._times[first : self._count] = times
        self._address[first : self._count] = addresses
        posting = np.flatnonzero(terms)
        bucket = terms.ravel()[posting] >> _BUCKET
        order = np.argsort(bucket, kind="stable")
        bucket, posting = bucket[order], (posting[order] + (first * TERMS + 1)).astype(np.uint32)
        before = self._latest[bucket]
        again = np.flatnonzero(bucket[1:] == bucket[:-1])
        before[again + 1] = posting[again]
        self._before[first : self._count] = 0
        self._before.reshape(-1)[posting - np.uint32(1)] = before
        self._latest[bucket] = posting  # of several for one bucket numpy leaves the last
        return first

    def place(self, first: int, placed: Placed, others: NDArray[np.bool_]) -> None:
        """Say which story the articles from `first` on belong to, and which of them joined another one's."""
        self._placed[first : self._count] = placed
        self.joined.update(called(placed[others]))

    def alike(self, first: int, since: Numbers) -> Alike:
        """For each article from `first` on, the earlier ones with most in common, but those before its `since`.

        Only for those that have one which is near enough for a story.
        """
        pairs = self._sharing(first, since)
        if not pairs.size:
            return Alike(*np.zeros((3, 0), dtype=np.int64))
        whole = pairs >> np.uint64(_PRODUCT_BITS)
        heads = np.flatnonzero(np.append(True, whole[1:] != whole[:-1]))
        common = np.add.reduceat((pairs & np.uint64((1 << _PRODUCT_BITS) - 1)).astype(np.int64), heads)
        near = np.flatnonzero(common >= _FAINT)
        whole, common = whole[heads[near]], common[near]
        article = (whole >> np.uint64(_PAIR_BITS)).astype(np.int64)
        entry = (whole & _ENTRY).astype(np.int64)
        article, entry = _most(article, entry, common, RELATED)
        cosine = _cosines(self._terms[first + article], self._terms[entry])
        # Where not even the nearest is near enough, nothing can be.
        nearest = np.zeros(self._count - first, dtype=np.int64)
        np.maximum.at(nearest, article, cosine)
        near = np.flatnonzero(nearest[article] >= SAME)
        article, entry, cosine = article[near], entry[near], cosine[near]
        order = np.lexsort((-entry, -cosine, article))
        return Alike(article[order], entry[order], cosine[order])

    def placed(self, entries: Numbers) -> Placed:
        """Which story these articles belong to."""
        return self._placed[entries]

    def addresses(self, entries: Numbers) -> Numbers:
        """Where these articles are in the index."""
        return self._address[entries]

    def forget(self, horizon_ms: int) -> None:
        """What is older will not be asked for any more; it goes when it is the greater part."""
        gone = int(np.searchsorted(self._times[: self._count], horizon_ms))
        if 0 < gone == self._count:
            self._clear()
            return
        if gone < _FEW or 2 * gone < self._count:
            return
        kept = slice(gone, self._count)
        for name in ("_terms", "_before", "_times", "_placed", "_address"):
            setattr(self, name, getattr(self, name)[kept].copy())
        self._count -= gone
        lost = np.uint32(gone * TERMS)
        for postings in (self._before, self._latest):
            postings[:] = np.where(postings > lost, postings - lost, 0)
        self.joined.intersection_update(called(self._placed))

    def _sharing(self, first: int, since: Numbers) -> NDArray[np.uint64]:
        """A number for each term that an article shares with an earlier one: article, entry, product of the weights.

        Sorted. Each term's chain is followed for HOLDERS steps.
        """
        mine = self._terms[first : self._count]
        where = np.flatnonzero(mine)
        term, article = mine.ravel()[where], where // TERMS
        posting = self._before[first : self._count].ravel()[where]
        every, times = self._terms.ravel(), self._times
        before = self._before.ravel()
        found: list[NDArray[np.uint64]] = []
        for _ in range(HOLDERS):
            live = np.flatnonzero(posting)
            if not live.size:
                break
            place = posting[live].astype(np.int64) - 1
            entry = place // TERMS
            recent = times[entry] >= since[article[live]]
            live, place, entry = live[recent], place[recent], entry[recent]
            term, article, posting = term[live], article[live], before[place]
            theirs = every[place]
            same = np.flatnonzero((theirs ^ term) <= _WEIGHT)
            product = ((theirs[same] & _WEIGHT) * (term[same] & _WEIGHT)).astype(np.uint64)
            pair = (article[same].astype(np.uint64) << np.uint64(_PAIR_BITS)) | entry[same].astype(np.uint64)
            found.append((pair << np.uint64(_PRODUCT_BITS)) | product)
        shared = np.concatenate(found) if found else np.zeros(0, dtype=np.uint64)
        shared.sort()
        return shared

    def _make_room(self) -> None:
        if not self._latest.size:
            self._latest = np.zeros(1 << _BUCKET_BITS, dtype=np.uint32)
        if self._count <= len(self._times):
            return
        room = max(_ROOM, int(self._count * _GROWTH))
        self._times.resize(room, refcheck=False)
        self._placed.resize(room, refcheck=False)
        self._address.resize(room, refcheck=False)
        self._terms.resize((room, TERMS), refcheck=False)
        self._before.resize((room, TERMS), refcheck=False)


def _most(article: Numbers, entry: Numbers, common: Numbers, most: int) -> tuple[Numbers, Numbers]:
    """Of each article's pairs those with most in common, of equals the latest."""
    order = np.lexsort((-(common << _PAIR_BITS | entry), article))
    article, entry = article[order], entry[order]
    rank = np.arange(article.size) - np.searchsorted(article, article)
    kept = np.flatnonzero(rank < most)
    return article[kept], entry[kept]


def _cosines(ours: Terms, theirs: Terms) -> Numbers:
    """Times LENGTH squared, pair by pair: a 24-bit hash that two words share by chance does no harm worth mention."""
    same = (ours[:, :, None] ^ theirs[:, None, :]) <= _WEIGHT
    pair, left, right = np.nonzero(same)
    product = (ours[pair, left] & _WEIGHT).astype(np.int64) * (theirs[pair, right] & _WEIGHT)
    return np.bincount(pair, product, minlength=len(ours)).astype(np.int64)
