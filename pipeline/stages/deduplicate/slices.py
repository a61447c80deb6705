"""One slice of time of the index: its articles, and two tables that lead from keys and ids to them.

A slice only grows; when its newest article has left the window it is dropped whole, at no cost per article.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from pipeline.records import ORIGINAL, Verdict
from pipeline.stages.deduplicate.claims import KEPT, Rows
from pipeline.stages.deduplicate.table import Keys, Numbers, Table

FULL = 1 << 20
"""Articles after which a new slice is begun; bounds the time that growing a table takes."""

_GROWTH = 1.125
_KEPT_NAMES = list(KEPT.names or ())
_VERDICT_BYTES = 330
"""What one entry of `verdicts` takes: the Verdict, its id of 32 characters, a float and the dict's share."""
_ROOT_BYTES = 64
"""The two numbers of one entry of `roots`."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(24)


def spread(values: Keys) -> Keys:
    """64-bit values as table keys: 40 bits, never 0."""
    mixed = (values ^ (values >> np.uint64(32))) * _MIX
    keys: Keys = np.maximum(mixed >> _SHIFT, np.uint64(1))
    return keys


def hex_id(row: Rows) -> str:
    """The id of one ROW as 32 hex digits."""
    return row["id"].tobytes().hex()


class Slice:
    """Articles by their number within the slice, from 0 in log order."""

    def __init__(self, serial: int, period: int) -> None:
        self.serial = serial
        """Counts the slices of an index; orders articles across slices."""
        self.period = period
        """Which stretch of log time this slice is for."""
        self.keys = Table()
        """Shingle, exact and revision keys → the latest article that has the key."""
        self.verdicts: dict[int, Verdict] = {}
        """Number → verdict of whatever is not an original."""
        self.versions: dict[int, tuple[str, int]] = {}
        """Number → id and number of the version in force, where an older text came back under its revision key."""
        self.roots: dict[int, int] = {}
        """Number → address of the original, of duplicates."""
        self._ids = Table()
        self._twins: dict[tuple[int, int], int] = {}  # ids whose key in `_ids` belongs to another id
        self._rows: Rows = np.empty(0, dtype=KEPT)
        self._times: Numbers = np.empty(0, dtype=np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        arrays = self._rows.nbytes + self._times.nbytes + self.keys.nbytes + self._ids.nbytes
        dicts = sum(map(sys.getsizeof, (self.verdicts, self.versions, self.roots))) + _ROOT_BYTES * len(self.roots)
        return arrays + dicts + _VERDICT_BYTES * (len(self.verdicts) + len(self.versions) + len(self._twins))

    @property
    def newest(self) -> int:
        """Log time of the latest article, in milliseconds."""
        return int(self._times[self._count - 1]) if self._count else 0

    def rows(self, numbers: Numbers) -> Rows:
        """A copy of these articles' rows."""
        return self._rows[numbers]

    def times(self, numbers: Numbers) -> Numbers:
        """Log times of these articles, in milliseconds."""
        return self._times[numbers]

    def append(self, rows: Rows, now_ms: int) -> int:
        """Enter articles that are new to the whole index. Returns the number of the first."""
        first, self._count = self._count, self._count + len(rows)
        if self._count > len(self._rows):
            room = max(1024, int(self._count * _GROWTH))
            # Grows in place where the allocator can; nobody else holds on to these arrays.
            self._rows.resize(room, refcheck=False)
            self._times.resize(room, refcheck=False)
        self._rows[first : self._count] = rows[_KEPT_NAMES]
        self._times[first : self._count] = now_ms
        self._enter_ids(rows["id"], np.arange(first, self._count))
        return first

    def find_ids(self, ids: NDArray[np.uint64]) -> Numbers:
        """The number of each id (two words each), -1 where there is none."""
        found = self._ids.find(_id_keys(ids))
        for at in np.flatnonzero(found >= 0):
            if not np.array_equal(self._rows[found[at]]["id"], ids[at]):
                found[at] = self._twins.get((int(ids[at, 0]), int(ids[at, 1])), -1)
        return found

    def verdict(self, number: int) -> Verdict:
        """What was decided about this article."""
        return self.verdicts.get(number, ORIGINAL)

    def root(self, number: int) -> str:
        """Id of the article that a duplicate of this one is a duplicate of: itself, unless it is one."""
        verdict = self.verdict(number)
        return verdict.of if verdict.kind == "duplicate" and verdict.of else hex_id(self._rows[number])

    def version(self, number: int) -> tuple[str, int]:
        """Id and number of the version that this article stands for."""
        return self.versions.get(number) or (self.root(number), self.verdict(number).number)

    def _enter_ids(self, ids: NDArray[np.uint64], numbers: Numbers) -> None:
        """An id is never forgotten for another one with the same key: that would let an article out twice."""
        keys = _id_keys(ids)
        before, now = self._ids.swap(keys, numbers)
        for at in np.flatnonzero((before >= 0) | (now != numbers)):
            self._twins[int(ids[at, 0]), int(ids[at, 1])] = int(numbers[at])
        pushed_out = np.flatnonzero(before >= 0)
        if pushed_out.size:
            self._ids.swap(keys[pushed_out], before[pushed_out])


def _id_keys(ids: NDArray[np.uint64]) -> Keys:
    return spread(ids[:, 0] ^ (ids[:, 1] << np.uint64(1)))
