"""Who had this key last: for each key of each article of a batch, the latest earlier article that has it too.

Which verdict an article gets has no bearing on its keys, so all of a batch is asked and entered in one go; that an
article sees the ones before it in its own batch comes from `Table.swap`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pipeline.stages.deduplicate.claims import Rows
from pipeline.stages.deduplicate.parameters import KEYS
from pipeline.stages.deduplicate.slices import Slice, spread
from pipeline.stages.deduplicate.table import NUMBER_BITS, NUMBER_MASK, Keys, Numbers, nonzero

EXACT, REVISION = KEYS, KEYS + 1
"""Lanes of an article's keys; those below are its shingles'."""

_LANES = KEYS + 2
# Shingles are the same in whichever lane they come.
_LANE_SALT = np.maximum(np.arange(_LANES, dtype=np.uint64), KEYS - 1) * np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True, slots=True)
class Holders:
    """Parallel arrays: `article` (its place in the batch) shares the key of `lane` with `holder` (an address)."""

    article: Numbers
    lane: Numbers
    holder: Numbers


def address(serial: int, number: Any) -> Any:
    """One number for an article of the index, in log order."""
    return (serial << NUMBER_BITS) | number


def enter(rows: Rows, first: int, slices: Sequence[Slice], horizons: Numbers) -> Holders:
    """Enter the keys of `rows`, which are articles `first`… of the newest slice; say who held each until then.

    `slices` are in order of time. Holders from before an article's horizon do not count.
    """
    keys, where = _keys(rows)
    article, lane = where // _LANES, where % _LANES
    current = slices[-1]
    before, now = current.keys.swap(keys, first + article)
    holder = np.where(before >= 0, address(current.serial, before), -1)
    unknown = nonzero(before < 0)
    for older in reversed(slices[:-1]):
        numbers = older.keys.find(keys[unknown])
        holder[unknown] = np.where(numbers >= 0, address(older.serial, numbers), -1)
        unknown = unknown[numbers < 0]
    # Articles from before a horizon are in the oldest slices alone.
    expiring = [piece for piece in slices if len(piece) and piece.oldest < horizons[-1]]
    if expiring:
        known = nonzero((holder >= 0) & (holder < address(expiring[-1].serial + 1, 0)))
        holder[known[gathered(expiring, holder[known], np.int64, Slice.times) < horizons[article[known]]]] = -1
    ours = address(current.serial, first)
    later, earlier = _repeats(keys, where, now - first)
    holder[later] = ours + article[earlier]
    shared = nonzero(holder >= 0)
    return Holders(article[shared], lane[shared], holder[shared])


def enter_unasked(rows: Rows, first: int, newest: Slice) -> None:
    """Enter the keys of `rows`, which are articles `first`… of the newest slice."""
    keys, where = _keys(rows)
    newest.keys.swap(keys, first + where // _LANES)


def _keys(rows: Rows) -> tuple[Keys, Numbers]:
    """All keys that these articles have, in log order, and where each stands: article times lanes plus lane."""
    values = np.empty((len(rows), _LANES), dtype=np.uint64)
    values[:, :KEYS] = rows["keys"]
    values[:, EXACT] = rows["exact"]
    values[:, REVISION] = rows["revision"]
    where = nonzero(values)
    return spread((values + _LANE_SALT).ravel()[where]), where


def _repeats(keys: Keys, where: Numbers, last: Numbers) -> tuple[Numbers, Numbers]:
    """Places of a key in the batch, and for each the place before it; `last` is the last article that has the key."""
    article = where // _LANES
    early = nonzero(last != article)
    if not early.size:
        return early, early
    # Where a key stands last, and it stands nowhere else, is of no interest; most keys do.
    met = np.zeros(int(article[-1]) + 1, dtype=np.bool_)
    met[last[early]] = met[article[early]] = True
    some = nonzero(met[article])
    again = np.unique(keys[early])
    places = some[again[np.minimum(np.searchsorted(again, keys[some]), again.size - 1)] == keys[some]]
    order = places[np.argsort(keys[places], kind="stable")]
    follows = (keys[order[1:]] == keys[order[:-1]]) & (article[order[1:]] != article[order[:-1]])
    return order[1:][follows], order[:-1][follows]


def gathered(
    slices: Sequence[Slice], addresses: Numbers, kind: DTypeLike, of: Callable[[Slice, Numbers], NDArray[Any]]
) -> NDArray[Any]:
    """What `of` says about each article, an array of `kind`; a slice is asked once, about all that lie in it."""
    found = np.empty(len(addresses), dtype=kind)
    lump = f"V{found.itemsize}"  # numpy moves it at once, not field by field
    serials, numbers = addresses >> NUMBER_BITS, addresses & NUMBER_MASK
    for piece in slices:
        at = nonzero(serials == piece.serial)
        if at.size:
            found.view(lump)[at] = of(piece, numbers[at]).view(lump)
    return found
