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
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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
_PLACE, _PLACES = np.uint64(32), np.uint64((1 << 32) - 1)
_NUMBER, _PRODUCT = np.uint64(16), np.uint64((1 << 16) - 1)
_COMMON, _NUMBERS = np.uint64(32), np.uint64((1 << 32) - 1)
_REST = np.uint32((1 << (32 - _BUCKET_BITS)) - 1)
"""Of a term, what its bucket does not tell: the last bits of the hash, and the weight."""

PLACED = np.dtype([("story", "V16"), ("began", "<i8")])
"""Which story an article belongs to, and when that began: log time, milliseconds."""

Placed = NDArray[Any]
Postings = NDArray[np.uint64]


def called(placed: Placed) -> list[bytes]:
    """The story of each, with the time it began: an article that comes again after the window begins another one."""
    found: list[bytes] = placed.view(f"V{PLACED.itemsize}").tolist()
    return found


def began(story: bytes) -> int:
    """When a story began, by what it is `called`: log time, milliseconds."""
    return int.from_bytes(story[-8:], "little")


@dataclass(frozen=True, slots=True)
class Alike:
    """Articles of a batch that may join a story, each with the earlier ones most like it, the nearest first."""

    article: Numbers
    """Place in the batch."""
    entry: Numbers
    """Number of the earlier one."""
    cosine: Numbers
    """Times LENGTH squared."""


class Entered(NamedTuple):
    """Articles that have just been entered."""

    first: int
    """Number of the first; the others follow it."""
    queue: Postings
    """Stretch after stretch, in order of time: the postings of one bucket, and HOLDERS or more before those."""
    ends: Numbers
    """For each term of each article, where in the queue it stands itself, behind those that went before it."""


class Stories:
    """The articles of the story window that are no duplicates, by number, in log order.

    A posting says that an article has a term: the article's number, from 1, then those bits of the term that its bucket
    does not tell. Of each bucket the latest postings are kept side by side, the oldest first, so that what a term costs
    does not grow with the index.
    """

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._count = 0
        self._terms: Terms = np.zeros((0, TERMS), dtype=np.uint32)
        self._times: Numbers = np.zeros(0, dtype=np.int64)
        self._address: Numbers = np.zeros(0, dtype=np.int64)
        self._row_of = np.zeros(0, dtype=np.uint32)  # of each bucket; 0: it was never used
        self._rows = 1
        self._latest: Postings = np.zeros((self._rows, HOLDERS), dtype=np.uint64)
        self.joined: set[bytes] = set()
        """The stories, as `called` has them, that have another article than the one that began them."""

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        arrays = (self._terms, self._times, self._address, self._row_of, self._latest)
        return sum(array.nbytes for array in arrays) + _JOINED_BYTES * len(self.joined)

    def enter(self, terms: Terms, times: Numbers, addresses: Numbers) -> Entered:
        """Enter articles that come next in the log; `place` must follow."""
        first, self._count = self._count, self._count + len(terms)
        self._make_room()
        self._terms[first : self._count] = terms
        self._times[first : self._count] = times
        self._address[first : self._count] = addresses
        place = np.flatnonzero(terms)
        packed = (terms.ravel()[place] >> _BUCKET).astype(np.uint64) << _PLACE | place.astype(np.uint64)
        packed.sort()
        place, bucket = (packed & _PLACES).astype(np.int64), (packed >> _PLACE).astype(np.int64)
        begins = np.append(True, bucket[1:] != bucket[:-1])[: bucket.size]
        heads = np.flatnonzero(begins)
        tails = np.append(heads[1:], bucket.size)[: heads.size] - 1
        # In front of all, a stretch for places without a term.
        queue = np.zeros((1 + heads.size) * HOLDERS + place.size, dtype=np.uint64)
        at = np.arange(place.size) + (1 + np.cumsum(begins)) * HOLDERS
        queue[at] = (first + 1 + place // TERMS).astype(np.uint64) << _NUMBER | terms.ravel()[place] & _REST
        stretches, rows = sliding_window_view(queue, HOLDERS, writeable=True), self._rows_of(bucket[heads])
        stretches[at[heads] - HOLDERS] = self._latest[rows]
        self._latest[rows] = stretches[at[tails] + 1 - HOLDERS]
        ends = np.full(terms.size, HOLDERS)
        ends[place] = at
        return Entered(first, queue, ends)

    def place(self, placed: Placed) -> None:
        """Say which stories articles have joined that another one began."""
        self.joined.update(called(placed))

    def alike(self, entered: Entered, since: Numbers) -> Alike:
        """For each article entered, the earlier ones with most in common, but those before its `since`.

        Only for those that have one which is near enough for a story.
        """
        article, entry = _most(self._sharing(entered, since), RELATED)
        cosine = _cosines(self._terms[entered.first + article], self._terms[entry])
        # Where not even the nearest is near enough, nothing can be.
        nearest = np.zeros(len(since), dtype=np.int64)
        np.maximum.at(nearest, article, cosine)
        near = np.flatnonzero(nearest[article] >= SAME)
        article, entry, cosine = article[near], entry[near], cosine[near]
        order = np.lexsort((-entry, -cosine, article))
        return Alike(article[order], entry[order], cosine[order])

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
        for name in ("_terms", "_times", "_address"):
            setattr(self, name, getattr(self, name)[kept].copy())
        self._count -= gone
        lost = np.uint64(gone) << _NUMBER
        self._latest = np.where(self._latest >> _NUMBER > gone, self._latest - lost, np.uint64(0))
        # A story that began before the horizon takes no more articles.
        self.joined = {story for story in self.joined if began(story) >= horizon_ms}

    def _sharing(self, entered: Entered, since: Numbers) -> Postings:
        """A row for each article: postings of earlier ones that have a term of it, with the product of the weights.

        Sorted, 0 where there is none. Of each term the last HOLDERS in its bucket are looked at.
        """
        mine = np.repeat(self._terms[entered.first : self._count] & _REST, HOLDERS, axis=1)
        found = sliding_window_view(entered.queue, HOLDERS)[entered.ends - HOLDERS].reshape(mine.shape)
        oldest = np.searchsorted(self._times[: self._count], since).astype(np.uint64) + np.uint64(1)
        rest = found.astype(np.uint32) & _REST
        live = found >= (oldest << _NUMBER)[:, None]
        live &= (rest ^ mine) <= _WEIGHT
        found >>= _NUMBER
        found <<= _NUMBER
        found |= (rest & _WEIGHT) * (mine & _WEIGHT)
        found *= live
        found.sort(axis=1)
        return found

    def _rows_of(self, buckets: Numbers) -> Numbers:
        """Where the latest postings of each bucket are; it gets a place if it has none."""
        rows = self._row_of[buckets]
        new = np.flatnonzero(rows == 0)
        rows[new] = np.arange(self._rows, self._rows + new.size)
        self._row_of[buckets[new]] = rows[new]
        self._rows += new.size
        if self._rows > len(self._latest):
            self._latest.resize((int(self._rows * _GROWTH), HOLDERS), refcheck=False)
        return rows.astype(np.int64)

    def _make_room(self) -> None:
        if not self._row_of.size:
            self._row_of = np.zeros(1 << _BUCKET_BITS, dtype=np.uint32)
        if self._count <= len(self._times):
            return
        room = max(_ROOM, int(self._count * _GROWTH))
        self._times.resize(room, refcheck=False)
        self._address.resize(room, refcheck=False)
        self._terms.resize((room, TERMS), refcheck=False)


def _most(shared: Postings, most: int) -> tuple[Numbers, Numbers]:
    """Of each article's pairs those with most in common, of equals the latest: article and entry."""
    flat = shared.ravel()
    last = np.ones(flat.size, dtype=np.bool_)
    np.greater(flat[1:] ^ flat[:-1], _PRODUCT, out=last[:-1])
    last[shared.shape[1] - 1 :: shared.shape[1]] = True
    tails = np.flatnonzero(last)
    common = np.diff(np.cumsum(flat & _PRODUCT)[tails], prepend=np.uint64(0))
    near = np.flatnonzero(common >= _FAINT)
    tails = tails[near]
    ranked = np.zeros(shared.shape, dtype=np.uint64)
    ranked.ravel()[tails] = common[near] << _COMMON | flat[tails] >> _NUMBER
    ranked.partition(shared.shape[1] - most, axis=1)
    first = ranked[:, -most:].ravel()
    chosen = np.flatnonzero(first)
    return chosen // most, (first[chosen] & _NUMBERS).astype(np.int64) - 1


def _cosines(ours: Terms, theirs: Terms) -> Numbers:
    """Times LENGTH squared, pair by pair: a 24-bit hash that two words share by chance does no harm worth mention."""
    terms = np.concatenate((ours, theirs), axis=1)
    terms.sort(axis=1)  # an article has a term but once, so equal neighbours are one of each
    same = np.flatnonzero((terms[:, 1:] ^ terms[:, :-1]) <= _WEIGHT)
    pair = same // (2 * TERMS - 1)
    weights, left = terms.ravel() & _WEIGHT, same + pair
    return np.bincount(pair, weights[left] * weights[left + 1], minlength=len(ours)).astype(np.int64)
