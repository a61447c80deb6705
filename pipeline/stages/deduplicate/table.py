"""A hash table of 40-bit keys in numpy arrays, asked and filled a batch at a time.

Slots stand in rows of eight (one cache line). A key's home row follows from its high bits, so the table is nearly
sorted by key; what finds its row full runs over into the next one. A row's eight tags, seven bits of each key, make one
word: it tells nearly always whether the row has a key, where its first free slot is, and in its highest bit whether
anything ran over it, so that the next row has to be looked at too (Google's SwissTable and Meta's F14 do much the
same). Nothing is ever removed: a table is dropped as a whole. A Python dict of the same entries takes about 100 bytes
each, this one 11 to 15.

Which keys meet in a row depends on a number drawn anew by each process: or else somebody could write articles that all
do, and have every look take as long as he likes. Nothing else depends on it.

A table that has become too full moves into a larger one in the order of its keys, so much with each batch that none has
to wait: keys up to the edge are in the new rows, those from there on still in the old ones.
"""

from __future__ import annotations

import secrets
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
_CHUNK_ROWS = 1 << 12  # moved at once: fits the second-level cache
_MOVED_ROWS = 8  # for each key that comes: after 2 % more keys all have moved, some 20 ms for a batch of 500 articles

_NUMBER = np.uint64(NUMBER_BITS)
_MASK = np.uint64(NUMBER_MASK)
_KEY = np.uint64(KEY_BITS)
_ONE = np.uint64(1)
_KEYS = np.uint64(1 << KEY_BITS)
_DRAWN = np.uint64(secrets.randbits(KEY_BITS) | 1)
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
        self._likely: int = like._rows.count if like else 0
        # Not all of it at once: keys come in no order, and the system takes its time to hand out that much memory.
        self._rows: _Rows = _Rows(max(_FIRST_ROWS, self._likely // 32))
        self._old: _Rows | None = None
        self._next = 0
        """Of the old rows, the first that has not moved."""
        self._edge = _KEYS
        """Keys from here on are in the old rows."""

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return self._rows.nbytes + (self._old.nbytes if self._old else 0)

    def find(self, keys: Keys) -> Numbers:
        """The number of each key, -1 where there is none. `keys` may hold a key several times."""
        keys = _scattered(keys)
        found = np.empty(keys.size, dtype=np.int64)
        for rows, at in self._parts(keys):
            found[at] = rows.find(keys[at])
        return found

    def swap(self, keys: Keys, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """Give every key its number. Returns the numbers they had before (-1: none) and those they have now.

        Where `keys` holds a key several times the last one stays: it is what all of them have now, and what
        they had before is the same for all of them.
        """
        keys = _scattered(keys)
        self._make_room(keys.size)
        before, now = np.empty((2, keys.size), dtype=np.int64)
        for rows, at in self._parts(keys):
            before[at], now[at], more = rows.swap(keys[at], numbers[at])
            self._count += more
        return before, now

    def _parts(self, keys: Keys) -> list[tuple[_Rows, Numbers | slice]]:
        """Which keys (places) are where."""
        if not self._old:
            return [(self._rows, slice(None))]
        moved = keys < self._edge
        return [(self._rows, nonzero(moved)), (self._old, nonzero(~moved))]

    def _make_room(self, more: int) -> None:
        while self._count + more > self._rows.count * _WIDTH * _FULLEST:
            while self._old:
                self._move(_CHUNK_ROWS)
            count = self._rows.count
            larger = 2 * count if 2 * count < self._likely else int(count * _GROWTH) + 1
            self._old, self._rows = self._rows, _Rows(larger)
            self._next, self._edge = 0, np.uint64(0)
        self._move(more * _MOVED_ROWS)

    def _move(self, most: int) -> None:
        """Move so many of the old rows."""
        while self._old and most > 0:
            end = self._old.end(self._next, self._next + min(most, _CHUNK_ROWS))
            self._rows.take_over(self._old.entries(self._next, end), self._edge)
            most -= end - self._next
            self._next, self._edge = end, self._old.first_key(end)
            if self._edge >= _KEYS:
                self._old = None


class _Rows:
    """So many home rows of slots, which is not enough for more keys than `_FULLEST` says."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._slots = np.zeros((count + _SPARE_ROWS, _WIDTH), dtype=np.uint64)
        self._tags = np.zeros(count + _SPARE_ROWS, dtype=np.uint64)

    @property
    def nbytes(self) -> int:
        return self._slots.nbytes + self._tags.nbytes

    def find(self, keys: Keys) -> Numbers:
        """As that of a table."""
        places, _ = self._seek(keys)
        found = np.full(keys.size, -1, dtype=np.int64)
        known = nonzero(places >= 0)
        found[known] = _number(self._slots.ravel().take(places[known]))
        return found

    def swap(self, keys: Keys, numbers: Numbers) -> tuple[Numbers, Numbers, int]:
        """As that of a table; third, how many keys are new."""
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
        todo, more = nonzero(before < 0), 0
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
            more += put.size
            at = fits[put]
            self._tags[rows[at]] = tags[at] | (_tag(keys[chosen[put]]) << (byte[put] * _WIDTH).astype(np.uint64))
            full = nonzero(free == 0)
            self._tags[rows[full]] = tags[full] | _RAN_OVER
            rows[full] += 1
            left = np.ones(todo.size, dtype=np.bool_)
            left[fits[(held >> _NUMBER) == keys[chosen]]] = False  # the rest lost a free slot to another key
            todo, rows = todo[left], rows[left]
        return before, now, more

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
        return ((keys * np.uint64(self.count)) >> _KEY).astype(np.intp)

    def first_key(self, row: int) -> np.uint64:
        """The least key whose home row is this one or a later one; `_KEYS` where there is none."""
        return np.uint64(min(-((-row << KEY_BITS) // self.count), int(_KEYS)))

    def end(self, start: int, end: int) -> int:
        """The first row from `end` on into which none of those from `start` on has run over."""
        while end < len(self._slots) and self._slots[end - 1, -1]:
            end += 1
        return min(end, len(self._slots))

    def entries(self, start: int, end: int) -> Keys:
        """What these rows hold, in order of keys."""
        found = self._slots[start:end]
        entries: Keys = found[found != 0]
        entries.sort(kind="stable")  # four times as fast on what is nearly sorted
        return entries

    def take_over(self, entries: Keys, edge: np.uint64) -> None:
        """Enter keys in their order. All from `edge` on, theirs, are new, and those that are here lie before it."""
        if not entries.size:
            return
        # Keys from before the edge fill its home row from the front, and where it is full they run over.
        row = int(self._home(np.array([edge]))[0])
        while not (free := _free(self._tags[row : row + 1]))[0]:
            row += 1
        free_from = row * _WIDTH + int(_lowest_byte(free)[0])
        keys, steps = entries >> _NUMBER, np.arange(entries.size)
        home = self._home(keys)
        # Each goes to its home row or right behind its predecessor, whichever is later.
        places = np.maximum.accumulate(np.maximum(home * _WIDTH, free_from) - steps) + steps
        self._slots.ravel()[places] = entries
        self._tags.view(np.uint8)[places] |= _tag(keys).astype(np.uint8)
        rows = places // _WIDTH
        while home.size:
            over = nonzero(home < rows)
            home, rows = home[over], rows[over]
            self._tags[home] |= _RAN_OVER
            home = home + 1


def nonzero(values: NDArray[Any]) -> Numbers:
    """As `np.flatnonzero`, at a fifth of its cost where the values are few: the index calls it 300 times a batch."""
    places: Numbers = values.ravel().nonzero()[0]
    return places


def _scattered(keys: Keys) -> Keys:
    """Other keys, one for each (multiply-shift hashing: Dietzfelbinger and others 1997)."""
    scattered: Keys = (keys * _DRAWN) & (_KEYS - _ONE)
    return scattered


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
