"""A hash table of 40-bit keys in one numpy array, asked and filled a batch at a time.

Slots stand in rows of eight (one cache line). A key's home row follows from its high bits, so the table is nearly
sorted by key; a full row runs over into the next one. Nothing is ever removed: a table is dropped as a whole.
A Python dict of the same entries takes about 100 bytes each, this one 10 to 14.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Numbers = NDArray[np.int64]

KEY_BITS = 40
NUMBER_BITS = 24
NUMBER_MASK = (1 << NUMBER_BITS) - 1
_WIDTH = 8
_FULLEST = 0.8
_GROWTH = 1.4  # so the load stays between 0.57 and 0.8; doubling would waste twice as much
_FIRST_ROWS = 1024
_SPARE_ROWS = 64  # beyond the last home row, for what runs over
_CHUNK_ROWS = 1 << 12  # moved at once in growing: fits the second-level cache

_NUMBER = np.uint64(NUMBER_BITS)
_MASK = np.uint64(NUMBER_MASK)
_KEY = np.uint64(KEY_BITS)
_ONE = np.uint64(1)


class Table:
    """Maps keys (1 ≤ key < 2**40) to numbers (0 ≤ number < 2**24 - 1). Lookups cost the same at any size."""

    def __init__(self) -> None:
        self._count = 0
        self._rows = _FIRST_ROWS
        self._slots = np.zeros((self._rows + _SPARE_ROWS, _WIDTH), dtype=np.uint64)

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return self._slots.nbytes

    def find(self, keys: Keys) -> Numbers:
        """The number of each key, -1 where there is none. `keys` may hold a key several times."""
        found = np.full(keys.size, -1, dtype=np.int64)
        todo = np.arange(keys.size)
        rows = self._home(keys)
        while todo.size:
            slots = self._slots.take(rows, axis=0)
            hits = np.flatnonzero((slots >> _NUMBER) == keys[todo, None])
            found[todo[hits // _WIDTH]] = _number(slots.ravel()[hits])
            over = np.flatnonzero(slots[:, -1])
            over = over[found[todo[over]] < 0]
            todo, rows = todo[over], rows[over] + 1
        return found

    def swap(self, keys: Keys, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """Give every key its number. Returns the numbers they had before (-1: none) and those they have now.

        Where `keys` holds a key several times the last one stays: it is what all of them have now, and what
        they had before is the same for all of them.
        """
        while self._count + keys.size > self._rows * _WIDTH * _FULLEST:
            self._grow()
        before = np.full(keys.size, -1, dtype=np.int64)
        now = numbers.copy()
        entries = (keys << _NUMBER) | (numbers.astype(np.uint64) + _ONE)
        flat = self._slots.ravel()
        todo = np.arange(keys.size)
        rows = self._home(keys)
        while todo.size:
            slots = self._slots.take(rows, axis=0)
            same = (slots >> _NUMBER) == keys[todo, None]
            hits = np.flatnonzero(same)
            before[todo[hits // _WIDTH]] = _number(slots.ravel()[hits])
            usable = (same | (slots == 0)).view(np.uint64).ravel()  # a row's eight flags, one a byte
            fits = np.flatnonzero(usable)
            chosen, places = todo[fits], rows[fits] * _WIDTH + _lowest_flag(usable[fits])
            flat[places] = entries[chosen]  # of several for one place numpy leaves the last
            held = flat.take(places)
            now[chosen] = _number(held)
            self._count += int(((held == entries[chosen]) & (before[chosen] < 0)).sum())
            rows += usable == 0  # full of others: the next one
            left = np.ones(todo.size, dtype=np.bool_)
            left[fits[(held >> _NUMBER) == keys[chosen]]] = False  # the rest lost a free slot to another key
            todo, rows = todo[left], rows[left]
        return before, now

    def _home(self, keys: Keys) -> NDArray[np.intp]:
        return ((keys * np.uint64(self._rows)) >> _KEY).astype(np.intp)

    def _grow(self) -> None:
        """Move everything into a larger table, in key order, so that both are read and written once from end to end."""
        old = self._slots
        self._rows = int(self._rows * _GROWTH) + 1
        self._slots = np.zeros((self._rows + _SPARE_ROWS, _WIDTH), dtype=np.uint64)
        flat, free_from = self._slots.ravel(), 0
        for chunk in _chunks(old):
            entries = chunk[chunk != 0]
            entries.sort(kind="stable")  # four times as fast on what is nearly sorted
            steps = np.arange(entries.size)
            ideal = self._home(entries >> _NUMBER) * _WIDTH
            # Each goes to its home row or right behind its predecessor, whichever is later.
            places = np.maximum.accumulate(np.maximum(ideal, free_from) - steps) + steps
            flat[places] = entries
            free_from = int(places[-1]) + 1 if entries.size else free_from


def _number(slots: Keys) -> Numbers:
    return (slots & _MASK).astype(np.int64) - 1


def _lowest_flag(flags: Keys) -> Numbers:
    """Which byte, from the lowest, is the first that is not zero."""
    lowest = flags & (~flags + _ONE)
    return (np.bitwise_count(lowest - _ONE) >> 3).astype(np.int64)


def _chunks(slots: NDArray[np.uint64]) -> Iterator[NDArray[np.uint64]]:
    """Stretches of rows that no entry runs across, so that each holds its keys apart from the next one's."""
    start = 0
    while start < len(slots):
        end = start + _CHUNK_ROWS
        while end < len(slots) and slots[end - 1, -1]:
            end += 1
        yield slots[start:end]
        start = end
