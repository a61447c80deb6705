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
from numpy.typing import NDArray

from pipeline.stages.deduplicate.parameters import FAINT, HOLDERS, RELATED, SAME_STORY, TERMS
from pipeline.stages.deduplicate.table import Numbers, nonzero
from pipeline.stages.deduplicate.terms import HASH_BITS, LENGTH, WEIGHT_BITS, Terms

_BUCKET_BITS = 20
_BUCKET = np.uint32(32 - _BUCKET_BITS)
_WEIGHT = np.uint32(LENGTH)
_FAINT = round(FAINT * LENGTH * LENGTH)
SAME = round(SAME_STORY * LENGTH * LENGTH)
"""Least cosine, times LENGTH squared."""

_ROOM = 1024
_GROWTH = 1.05
_FEW = 1 << 12
_JOINED_BYTES = 100
"""What one entry of the set of joined stories takes."""
_PLACE, _PLACES = np.uint64(32), np.uint64((1 << 32) - 1)
_NUMBER, _PRODUCT = np.uint64(16), np.uint64((1 << 16) - 1)
_COMMON, _NUMBERS = np.uint64(32), np.uint64((1 << 32) - 1)
_REST = np.uint32(HASH_BITS - _BUCKET_BITS)
_RESTS = np.uint32((1 << (HASH_BITS - _BUCKET_BITS)) - 1)

_LATEST, _WEIGHTS = np.dtype(f"V{4 * HOLDERS}"), np.dtype(f"V{HOLDERS}")

PLACED = np.dtype([("story", "V16"), ("began", "<i8")])
"""Which story an article belongs to, and when that began: log time, milliseconds."""

Placed = NDArray[Any]
Postings = NDArray[np.uint32]
Weights = NDArray[np.uint8]
Shared = NDArray[np.uint64]


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
    weights: Weights
    """Of the terms in the queue."""
    ends: Numbers
    """For each term of each article, where in the queue it stands itself, behind those that went before it."""


class Stories:
    """The articles of the story window that are no duplicates, by number, in log order.

    A posting says that an article has a term: the article's number, from 1, then the bits of the hash that the bucket
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
        self._latest = np.zeros(self._rows, dtype=_LATEST)
        self._weights = np.zeros(self._rows, dtype=_WEIGHTS)
        self.joined: set[bytes] = set()
        """The stories, as `called` has them, that have another article than the one that began them."""

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        arrays = (self._terms, self._times, self._address, self._row_of, self._latest, self._weights)
        return sum(array.nbytes for array in arrays) + _JOINED_BYTES * len(self.joined)

    def enter(self, terms: Terms, times: Numbers, addresses: Numbers) -> Entered:
        """Enter articles that come next in the log; `place` must follow."""
        first, self._count = self._count, self._count + len(terms)
        self._make_room()
        self._terms[first : self._count] = terms
        self._times[first : self._count] = times
        self._address[first : self._count] = addresses
        place = nonzero(terms)
        packed = (terms.ravel()[place] >> _BUCKET).astype(np.uint64) << _PLACE | place.astype(np.uint64)
        packed.sort()
        place, bucket = (packed & _PLACES).astype(np.int64), (packed >> _PLACE).astype(np.int64)
        begins = np.append(True, bucket[1:] != bucket[:-1])[: bucket.size]
        heads = nonzero(begins)
        tails = np.append(heads[1:], bucket.size)[: heads.size] - 1
        rows = self._rows_of(bucket[heads])
        # In front of all, a stretch for places without a term.
        at = np.arange(place.size) + (1 + np.cumsum(begins)) * HOLDERS
        terms = terms.ravel()[place]
        postings = (first + 1 + place // TERMS).astype(np.uint32) << _REST | _rest(terms)
        ends = np.full((self._count - first) * TERMS, HOLDERS)
        ends[place] = at
        stretches = rows, at, at[heads] - HOLDERS, at[tails] + 1 - HOLDERS
        queue = _queue(self._latest, postings, *stretches)
        weights = _queue(self._weights, (terms & _WEIGHT).astype(np.uint8), *stretches)
        return Entered(first, queue, weights, ends)

    def place(self, placed: Placed) -> None:
        """Say which stories articles have joined that another one began."""
        self.joined.update(called(placed))

    def alike(self, entered: Entered, since: Numbers) -> Alike:
        """For each article entered, the earlier ones with most in common, but those before its `since`.

        Only for those that have one which is near enough for a story.
        """
        article, entry = _most(self._sharing(entered, since), RELATED)
        cosine = _cosines(self._terms.take(entered.first + article, axis=0), self._terms.take(entry, axis=0))
        # Where not even the nearest is near enough, nothing can be.
        nearest = np.zeros(len(since), dtype=np.int64)
        np.maximum.at(nearest, article, cosine)
        near = nonzero(nearest[article] >= SAME)
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
        lost = np.uint32(gone) << _REST
        postings = self._latest.view(np.uint32)
        postings[:] = np.where(postings >> _REST > gone, postings - lost, 0)
        # A story that began before the horizon takes no more articles.
        self.joined = {story for story in self.joined if began(story) >= horizon_ms}

    def _sharing(self, entered: Entered, since: Numbers) -> Shared:
        """A row for each article: numbers (from 1) of earlier ones that have a term of it, with the product of weights.

        Sorted, 0 where there is none. Of each term the last HOLDERS in its bucket are looked at.
        """
        _, queue, weights, ends = entered
        mine = np.repeat(self._terms[entered.first : self._count], HOLDERS, axis=1)
        found = _stretches(queue)[ends - HOLDERS].view(np.uint32).reshape(mine.shape)
        products = _stretches(weights)[ends - HOLDERS].view(np.uint8).reshape(mine.shape).astype(np.uint32)
        products *= mine & _WEIGHT
        oldest = np.searchsorted(self._times[: self._count], since).astype(np.uint32) + np.uint32(1)
        live = found >= (oldest << _REST)[:, None]
        live &= ((found ^ _rest(mine)) & _RESTS) == 0
        found >>= _REST
        shared = found.astype(np.uint64)
        shared <<= _NUMBER
        shared |= products
        shared *= live
        shared.sort(axis=1)
        return shared

    def _rows_of(self, buckets: Numbers) -> Numbers:
        """Where the latest postings of each bucket are; it gets a place if it has none."""
        rows = self._row_of[buckets]
        new = nonzero(rows == 0)
        rows[new] = np.arange(self._rows, self._rows + new.size)
        self._row_of[buckets[new]] = rows[new]
        self._rows += new.size
        if self._rows > len(self._latest):
            room = int(self._rows * _GROWTH)
            self._latest.resize(room, refcheck=False)
            self._weights.resize(room, refcheck=False)
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


def _queue(
    latest: NDArray[Any], new: NDArray[Any], rows: Numbers, at: Numbers, heads: Numbers, tails: Numbers
) -> NDArray[Any]:
    """Put what is new, `at` these places, behind the `latest` of its bucket, which become the last ones of that.

    `heads`, `tails`: where the first and the last HOLDERS of each bucket's stretch begin. Returns all stretches.
    """
    queue = np.zeros((1 + len(rows)) * HOLDERS + len(new), dtype=new.dtype)
    queue[at] = new
    stretches = _stretches(queue)
    stretches[heads] = latest.take(rows)
    latest[rows] = stretches[tails]
    return queue


def _stretches(queue: NDArray[Any]) -> NDArray[Any]:
    """A view of `queue` with, for each place, the HOLDERS from there on as one lump: numpy moves those at once."""
    size = queue.itemsize
    return np.ndarray((len(queue) - HOLDERS + 1,), f"V{HOLDERS * size}", queue, strides=(size,))


def _rest(terms: Terms) -> Postings:
    """Of each term, the bits of the hash that its bucket does not tell."""
    rest: Postings = (terms >> np.uint32(WEIGHT_BITS)) & _RESTS
    return rest


def _most(shared: Shared, most: int) -> tuple[Numbers, Numbers]:
    """Of each article's pairs those with most in common, of equals the latest: article and entry."""
    flat = shared.ravel()
    last = np.ones(flat.size, dtype=np.bool_)
    np.greater(flat[1:] ^ flat[:-1], _PRODUCT, out=last[:-1])
    last[shared.shape[1] - 1 :: shared.shape[1]] = True
    tails = nonzero(last)
    sums = np.cumsum(flat.astype(np.uint16), dtype=np.uint32)[tails]  # may run over: it is differences that count
    common = np.diff(sums, prepend=np.uint32(0))
    near = nonzero(common >= _FAINT)
    tails = tails[near]
    ranked = np.zeros(shared.shape, dtype=np.uint64)
    ranked.ravel()[tails] = common[near].astype(np.uint64) << _COMMON | flat[tails] >> _NUMBER
    ranked.partition(shared.shape[1] - most, axis=1)
    first = ranked[:, -most:].ravel()
    chosen = nonzero(first)
    return chosen // most, (first[chosen] & _NUMBERS).astype(np.int64) - 1


def _cosines(ours: Terms, theirs: Terms) -> Numbers:
    """Times LENGTH squared, pair by pair: a 24-bit hash that two words share by chance does no harm worth mention."""
    terms = np.concatenate((ours, theirs), axis=1)
    terms.sort(axis=1)  # an article has a term but once, so equal neighbours are one of each
    same = nonzero((terms[:, 1:] ^ terms[:, :-1]) <= _WEIGHT)
    pair = same // (2 * TERMS - 1)
    weights, left = terms.ravel() & _WEIGHT, same + pair
    return np.bincount(pair, weights[left] * weights[left + 1], minlength=len(ours)).astype(np.int64)
