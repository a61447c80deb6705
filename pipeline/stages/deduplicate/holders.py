"""Who had this key last: for each key of each article of a batch, the latest earlier article that has it too.

Which verdict an article gets has no bearing on its keys, so all of a batch is asked and entered in one go; that an
article sees the ones before it in its own batch comes from `Table.swap`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.deduplicate.claims import Rows
from pipeline.stages.deduplicate.parameters import BANDS
from pipeline.stages.deduplicate.slices import Slice, spread
from pipeline.stages.deduplicate.table import NUMBER_BITS, NUMBER_MASK, Keys, Numbers

EXACT, REVISION = BANDS, BANDS + 1
"""Lanes of an article's keys; those below are its bands."""

_LANES = BANDS + 2
_LANE_SALT = (np.arange(_LANES, dtype=np.uint64) + np.uint64(1)) * np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True, slots=True)
class Holders:
    """Parallel arrays: `article` (its place in the batch) shares the key of `lane` with `holder` (an address)."""

    article: Numbers
    lane: Numbers
    holder: Numbers


def address(serial: int, number: Numbers) -> Numbers:
    """One number for an article of the index, in log order."""
    return (np.int64(serial) << np.int64(NUMBER_BITS)) | number


def enter(rows: Rows, first: int, slices: Sequence[Slice], horizon_ms: int) -> Holders:
    """Enter the keys of `rows`, which are articles `first`… of the newest slice; say who held each until then.

    `slices` are in order of time. Holders from before `horizon_ms` do not count.
    """
    keys, where = _keys(rows)
    article, lane = where // _LANES, where % _LANES
    current = slices[-1]
    before, now = current.keys.swap(keys, first + article)
    holder = np.where(before >= 0, address(current.serial, before), -1)
    unknown = np.flatnonzero(before < 0)
    for older in reversed(slices[:-1]):
        numbers = older.keys.find(keys[unknown])
        holder[unknown] = np.where(numbers >= 0, address(older.serial, numbers), -1)
        unknown = unknown[numbers < 0]
    known = np.flatnonzero(holder >= 0)
    holder[known[_times(slices, holder[known]) < horizon_ms]] = -1
    _link_within_batch(keys, article, now - first, holder, address(current.serial, np.int64(first)))
    shared = np.flatnonzero(holder >= 0)
    return Holders(article[shared], lane[shared], holder[shared])


def _keys(rows: Rows) -> tuple[Keys, Numbers]:
    """All keys that these articles have, in log order, and where each stands: article times lanes plus lane."""
    values = np.empty((len(rows), _LANES), dtype=np.uint64)
    values[:, :BANDS] = rows["signature"]
    values[:, EXACT] = rows["exact"]
    values[:, REVISION] = rows["revision"]
    present = values != 0
    present[:, :BANDS] = rows["signature"].any(axis=1)[:, None]
    where = np.flatnonzero(present)
    return spread((values + _LANE_SALT).ravel()[where]), where


def _link_within_batch(keys: Keys, article: Numbers, last: Numbers, holder: Numbers, first_address: Numbers) -> None:
    """Where a key occurs several times in the batch, each occurrence is held by the one before it."""
    repeated = np.flatnonzero(np.isin(keys, keys[last != article])) if (last != article).any() else []
    if not len(repeated):
        return
    order = repeated[np.argsort(keys[repeated], kind="stable")]
    follows = np.flatnonzero(keys[order[1:]] == keys[order[:-1]]) + 1
    mine, previous = article[order[follows]], article[order[follows - 1]]
    # One article can hold a key twice only where 40 bits collide; it is no duplicate of itself.
    holder[order[follows]] = np.where(mine == previous, -1, first_address + previous)


def _times(slices: Sequence[Slice], addresses: Numbers) -> Numbers:
    found = np.empty(len(addresses), dtype=np.int64)
    for at, numbers, piece in by_slice(slices, addresses):
        found[at] = piece.times(numbers)
    return found


def by_slice(slices: Sequence[Slice], addresses: Numbers) -> list[tuple[NDArray[np.intp], Numbers, Slice]]:
    """`addresses` split: which of them lie in a slice, their numbers there, and the slice."""
    serials = addresses >> NUMBER_BITS
    numbers = addresses & NUMBER_MASK
    split = ((np.flatnonzero(serials == piece.serial), piece) for piece in slices)
    return [(at, numbers[at], piece) for at, piece in split if at.size]
