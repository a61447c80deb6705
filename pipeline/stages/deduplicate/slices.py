"""One slice of time of the index: its articles, what was decided about them, and two tables that lead to them.

A slice only grows; when its newest article has left the window it is dropped whole, at no cost per article.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.deduplicate.claims import KEPT, ROW, Rows
from pipeline.stages.deduplicate.decisions import DECISION, EXACT, NEAR, REVISION, Decisions, find
from pipeline.stages.deduplicate.stories import PLACED
from pipeline.stages.deduplicate.table import Keys, Numbers, Table, nonzero

FULL = 1 << 22
"""Articles after which a new slice is begun, at the latest: their numbers have to fit into a table. A key is looked up
in every slice, so in a large index many small ones would cost many looks."""

_GROWTH = 1.05
_TWIN_BYTES = 200
"""What one entry of the dict of twins takes."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(24)

STANDING = np.dtype([("root", "V16"), ("version_of", "V16"), ("version", "<u4"), ("duplicate", "?")])
"""What an article stands for. `root`: the article that a duplicate of it is a duplicate of, itself unless it is one.
`version_of` and `version`: id and number of the version that a revision of it follows."""


def spread(values: Keys) -> Keys:
    """64-bit values as table keys: 40 bits, never 0."""
    mixed = (values ^ (values >> np.uint64(32))) * _MIX
    keys: Keys = np.maximum(mixed >> _SHIFT, np.uint64(1))
    return keys


def names(ids: NDArray[np.uint64]) -> NDArray[Any]:
    """Ids of two words each as one value each, which can be compared and hashed."""
    return np.ascontiguousarray(ids).view("V16").ravel()


class Slice:
    """Articles by their number within the slice, from 0 in log order."""

    def __init__(self, serial: int, period: int, before: Slice | None = None) -> None:
        self.serial = serial
        """Counts the slices of an index; orders articles across slices."""
        self.period = period
        """Which stretch of log time this slice is for."""
        self.keys: Table = Table(before.keys if before else None)
        """Shingle, exact and revision keys → the latest article that has the key."""
        self._ids: Table = Table(before._ids if before else None)
        self._twins: dict[tuple[int, int], int] = {}  # ids whose key in `_ids` belongs to another id
        self._rows: Rows = np.empty(0, dtype=KEPT)
        self._times: Numbers = np.empty(0, dtype=np.int64)
        self._count = 0
        self._decisions: Decisions = np.empty(0, dtype=DECISION)
        self._decided_rows = np.empty(0, dtype=np.uint32)  # of the decisions, apart: see `find`
        self._decided = 0

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        arrays = (self._rows, self._times, self._decisions, self._decided_rows, self.keys, self._ids)
        return sum(array.nbytes for array in arrays) + _TWIN_BYTES * len(self._twins)

    @property
    def newest(self) -> int:
        """Log time of the latest article, in milliseconds."""
        return int(self._times[self._count - 1]) if self._count else 0

    @property
    def oldest(self) -> int:
        """Log time of the first article, in milliseconds."""
        return int(self._times[0]) if self._count else 0

    def rows(self, numbers: Numbers) -> Rows:
        """A copy of these articles' rows."""
        return self._rows.take(numbers)  # far faster than [] where rows are wide

    def times(self, numbers: Numbers) -> Numbers:
        """Log times of these articles, in milliseconds."""
        return self._times[numbers]

    def append(self, rows: Rows, times: Numbers) -> int:
        """Enter articles that are new to the whole index, at their log times. Returns the number of the first."""
        first, self._count = self._count, self._count + len(rows)
        if self._count > len(self._rows):
            room = max(1024, int(self._count * _GROWTH))
            # Grows in place where the allocator can; nobody else holds on to these arrays.
            self._rows.resize(room, refcheck=False)
            self._times.resize(room, refcheck=False)
        self._rows.view(_KEPT_BYTES)[first : self._count] = rows.view(_ROW_PARTS)["kept"]
        self._times[first : self._count] = times
        self._enter_ids(rows["id"], np.arange(first, self._count))
        return first

    def decide(self, decisions: Decisions) -> None:
        """Remember these, whose `row` is a number of this slice, each beyond those remembered so far."""
        first, self._decided = self._decided, self._decided + len(decisions)
        if self._decided > len(self._decisions):
            room = max(256, int(self._decided * _GROWTH))
            self._decisions.resize(room, refcheck=False)
            self._decided_rows.resize(room, refcheck=False)
        self._decisions[first : self._decided] = decisions
        self._decided_rows[first : self._decided] = decisions["row"]

    def decisions(self, numbers: Numbers) -> tuple[Numbers, Decisions]:
        """Which of `numbers` (places) are no plain originals, and what was decided about them."""
        return find(self._decided_rows[: self._decided], self._decisions, numbers)

    def standing(self, numbers: Numbers) -> NDArray[Any]:
        """What these articles stand for, array of STANDING."""
        found = np.zeros(len(numbers), dtype=STANDING)
        found["root"] = names(self._rows["id"][numbers])
        at, decisions = self.decisions(numbers)
        stand = found[at]
        how = decisions["how"]
        stand["duplicate"] = (how == EXACT) | (how == NEAR)
        stand["root"] = np.where(stand["duplicate"], names(decisions["of"]), stand["root"])
        found[at] = stand
        found["version_of"] = found["root"]
        stand = found[at]
        stand["version"] = np.where(how == REVISION, decisions["number"], 0)
        overruled = decisions["version"] > 0
        stand["version"][overruled] = decisions["version"][overruled] - 1
        stand["version_of"][overruled] = names(decisions["version_of"])[overruled]
        found[at] = stand
        return found

    def placed(self, numbers: Numbers) -> NDArray[Any]:
        """Which stories these articles belong to, array of PLACED."""
        found = np.empty(len(numbers), dtype=PLACED)
        found["story"], found["began"] = names(self._rows["id"][numbers]), self._times[numbers]
        at, decisions = self.decisions(numbers)
        at, decisions = at[decisions["began"] > 0], decisions[decisions["began"] > 0]
        found["story"][at], found["began"][at] = names(decisions["story"]), decisions["began"]
        return found

    def find_ids(self, ids: NDArray[np.uint64]) -> Numbers:
        """The number of each id (two words each), -1 where there is none."""
        found = self._ids.find(_id_keys(ids))
        hits = nonzero(found >= 0)
        for at in hits[(self._rows["id"][found[hits]] != ids[hits]).any(axis=1)]:
            found[at] = self._twins.get((int(ids[at, 0]), int(ids[at, 1])), -1)
        return found

    def _enter_ids(self, ids: NDArray[np.uint64], numbers: Numbers) -> None:
        """An id is never forgotten for another one with the same key: that would let an article out twice."""
        keys = _id_keys(ids)
        before, now = self._ids.swap(keys, numbers)
        for at in nonzero((before >= 0) | (now != numbers)):
            self._twins[int(ids[at, 0]), int(ids[at, 1])] = int(numbers[at])
        pushed_out = nonzero(before >= 0)
        if pushed_out.size:
            self._ids.swap(keys[pushed_out], before[pushed_out])


_KEPT_BYTES = np.dtype(f"V{KEPT.itemsize}")
_ROW_PARTS = np.dtype([("kept", _KEPT_BYTES), ("keys", f"V{ROW.itemsize - KEPT.itemsize}")])
"""A row as two lumps, to copy the first in one go."""


def _id_keys(ids: NDArray[np.uint64]) -> Keys:
    return spread(ids[:, 0] ^ (ids[:, 1] << np.uint64(1)))
