"""A hash table of 40-bit keys in numpy arrays, asked and filled a batch at a time.

Slots stand in rows of eight (one cache line). A key's home row follows from its high bits, so the table is nearly
sorted by key; what finds its row full runs over into the next one. A row's eight tags, seven bits of each key, make one
word: it tells nearly always whether the row has a key, where its first free slot is, and in its highest bit whether
anything ran over it, so that the next row has to be looked at too (Google's SwissTable and Meta's F14 do much the
same). Nothing is ever removed: a table is dropped as a whole. A Python dict of the same entries takes about 100 bytes
each, this one 11 to 14.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
_LOWS = np.uint64(0x0101_0101_0101_0101)
_TAGS = np.uint64(0x7F7F_7F7F_7F7F_7F7F)
_HIGHS = np.uint64(0x8080_8080_8080_8080)
_RAN_OVER = np.uint64(1 << 63)


class Table:
    """Maps keys (1 ≤ key < 2**40) to numbers (0 ≤ number < 2**24 - 1). Lookups cost the same at any size.

    `like`: a table that will probably have had as many keys.
    """

    def __init__(self, like: Table | None = None) -> None:
        self._count = 0
        self._rows: int = max(_FIRST_ROWS, like._rows * 3 // 4 if like else 0)
        self._slots, self._tags = self._empty()

    def _empty(self) -> tuple[Keys, Keys]:
        rows = self._rows + _SPARE_ROWS
        return np.zeros((rows, _WIDTH), dtype=np.uint64), np.zeros(rows, dtype=np.uint64)

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return self._slots.nbytes + self._tags.nbytes

    def find(self, keys: Keys) -> Numbers:
        """The number of each key, -1 where there is none. `keys` may hold a key several times."""
        places, _ = self._seek(keys)
        found = np.full(keys.size, -1, dtype=np.int64)
        known = nonzero(places >= 0)
        found[known] = _number(self._slots.ravel().take(places[known]))
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
        places, rows = self._seek(keys)
        old = nonzero(places >= 0)
        places = places[old]
        before[old] = _number(flat.take(places))
        flat[places] = entries[old]  # of several for one place numpy leaves the last
        now[old] = _number(flat.take(places))
        todo = nonzero(before < 0)
        rows = rows[todo]
        while todo.size:
            tags = self._tags.take(rows)
            free = _free(tags)
            fits = nonzero(free)
            byte = _lowest_byte(free[fits])
            places, chosen = rows[fits] * _WIDTH + byte, todo[fits]
            flat[places] = entries[chosen]
            held = flat.take(places)
            now[chosen] = _number(held)
            put = nonzero(held == entries[chosen])
            self._count += put.size
            at = fits[put]
            self._tags[rows[at]] = tags[at] | (_tag(keys[chosen[put]]) << (byte[put] * _WIDTH).astype(np.uint64))
            full = nonzero(free == 0)
            self._tags[rows[full]] = tags[full] | _RAN_OVER
            rows[full] += 1
            left = np.ones(todo.size, dtype=np.bool_)
            left[fits[(held >> _NUMBER) == keys[chosen]]] = False  # the rest lost a free slot to another key
            todo, rows = todo[left], rows[left]
        return before, now

    def _seek(self, keys: Keys) -> tuple[Numbers, Numbers]:
        """The place of each key among all slots, -1 where it has none; and the row where its search came to an end."""
        places, ends = np.full(keys.size, -1, dtype=np.int64), self._home(keys)
        todo, rows, wanted = np.arange(keys.size), ends, _tag(keys) * _LOWS
        while todo.size:
            tags = self._tags.take(rows)
            likely = nonzero(_free(tags ^ wanted))
            slots = self._slots.take(rows[likely], axis=0)
            hits = nonzero((slots >> _NUMBER) == keys[likely, None])
            at = likely[hits // _WIDTH]
            places[todo[at]] = rows[at] * _WIDTH + hits % _WIDTH
            over = nonzero(tags >= _RAN_OVER)
            over = over[places[todo[over]] < 0]
            todo, rows, keys, wanted = todo[over], rows[over] + 1, keys[over], wanted[over]
            ends[todo] = rows
        return places, ends

    def _home(self, keys: Keys) -> NDArray[np.intp]:
        return ((keys * np.uint64(self._rows)) >> _KEY).astype(np.intp)

    def _grow(self) -> None:
        """Move everything into a larger table, in key order, so that both are read and written once from end to end."""
        old = self._slots
        self._rows = int(self._rows * _GROWTH) + 1
        self._slots, self._tags = self._empty()
        flat, tags, free_from = self._slots.ravel(), self._tags.view(np.uint8), 0
        for chunk in _chunks(old):
            entries = chunk[chunk != 0]
            if not entries.size:
                continue
            entries.sort(kind="stable")  # four times as fast on what is nearly sorted
            steps = np.arange(entries.size)
            home = self._home(entries >> _NUMBER)
            # Each goes to its home row or right behind its predecessor, whichever is later.
            places = np.maximum.accumulate(np.maximum(home * _WIDTH, free_from) - steps) + steps
            flat[places] = entries
            tags[places] |= _tag(entries >> _NUMBER).astype(np.uint8)
            self._run_over(home, places // _WIDTH)
            free_from = int(places[-1]) + 1

    def _run_over(self, home: Numbers, rows: Numbers) -> None:
        """Mark what keys ran over on their way from their home rows to those where they are."""
        while home.size:
            over = nonzero(home < rows)
            home, rows = home[over], rows[over]
            self._tags[home] |= _RAN_OVER
            home = home + 1


def nonzero(values: NDArray[Any]) -> Numbers:
    """As `np.flatnonzero`, at a fifth of its cost where the values are few: the index calls it 300 times a batch."""
    places: Numbers = values.ravel().nonzero()[0]
    return places


def _tag(keys: Keys) -> Keys:
    """Seven bits of each key that its home row does not tell, never 0."""
    tags: Keys = np.maximum(keys & np.uint64(127), _ONE)
    return tags


def _number(slots: Keys) -> Numbers:
    return (slots & _MASK).astype(np.int64) - 1


def _free(words: Keys) -> Keys:
    """Of each byte, the high bit where the others are 0: a free slot, or, of tags that were XORed, the same tag."""
    found: Keys = ~((words & _TAGS) + _TAGS) & _HIGHS
    return found


def _lowest_byte(flags: Keys) -> Numbers:
    """Which byte, from the lowest, is the first that is not zero; 8 if there is none."""
    return (np.bitwise_count((flags & (~flags + _ONE)) - _ONE) >> 3).astype(np.int64)


def _chunks(slots: NDArray[np.uint64]) -> Iterator[NDArray[np.uint64]]:
    """Stretches of rows that no entry runs across, so that each holds its keys apart from the next one's."""
    start = 0
    while start < len(slots):
        end = start + _CHUNK_ROWS
        while end < len(slots) and slots[end - 1, -1]:
            end += 1
        yield slots[start:end]
        start = end
