"""texts ─▶ letters ─▶ words: a batch of texts cut into words by numpy, a letter a number and a word a hash of them.

No word becomes a Python string here, so plain words, nine in ten, cost next to nothing, and nothing is remembered
from one text to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Mask = NDArray[np.bool_]

_LETTER, _UPPER, _CAPITAL, _DIGIT, _SPACE, _BREAK, _SMALL = 1, 2, 4, 8, 16, 32, 64
_OTHER = 0xFFFF
"""All characters beyond the basic plane are taken for this one, which is a sign."""
_MASK = (1 << 64) - 1


def _scrambled(number: int) -> int:
    """64 bits that look random (splitmix64, Steele et al. 2014)."""
    number = (number * 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


# One for each place in a word. The model's weights are found by these hashes, so they must never change.
_FACTORS = np.array([_scrambled(place) | 1 for place in range(1, 65)], np.uint64)
_EDGE = 3  # letters that are a word's beginning, and its end
_FEWEST_BITS = 12
_MIX = np.uint64(0x9E3779B97F4A7C15)
_ABBREVIATED = "Mr Mrs Ms Dr Prof Sen Rep Gov Gen Lt Col Sgt Capt Maj Adm Cpl Rev Fr St Jr Sr Inc Corp Co Ltd".split()


class Words(NamedTuple):
    """All words and signs of a batch of texts, in order; every array has one entry a word unless it says otherwise."""

    codes: NDArray[np.uint32]
    kinds: NDArray[np.uint8]
    """All characters of all texts, a line break after each text, and what each is."""
    begins: list[int]
    bounds: list[int]
    """Text `i` begins at `begins[i]` in `codes`; its words are those from `bounds[i]` up to `bounds[i + 1]`."""
    starts: Ints
    ends: Ints
    forms: Hashes
    lowers: Hashes
    """The word as it is written, and in small letters."""
    capital: Mask
    """Begins with a capital letter, or like `al-Assad`."""
    breaks: Mask
    """Is line breaks."""


@cache
def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint8]]:
    """Of each character of the basic plane: what it is, its small letter, and its class in a word's shape."""
    kinds = np.zeros(_OTHER + 1, np.uint8)
    lower = np.arange(_OTHER + 1, dtype=np.uint32)
    classes = np.zeros(_OTHER + 1, np.uint8)
    for code in range(_OTHER):
        character = chr(code)
        if character.isalnum():
            kinds[code] = _LETTER | (_UPPER if character.isupper() else 0) | (_SMALL if character.islower() else 0)
        elif character == "\n":
            kinds[code] = _BREAK
        elif character.isspace():
            kinds[code] = _SPACE
        small = character.lower()
        if small != character and len(small) == 1:
            lower[code] = ord(small)
        if character.isalpha() and code < 0x250:
            classes[code] = 1 if character.isupper() else 2
    kinds[ord("A") : ord("Z") + 1] |= _CAPITAL
    kinds[ord("0") : ord("9") + 1] |= _DIGIT
    classes[ord("0") : ord("9") + 1] = 3
    return kinds, lower, classes


def _ahead(mask: Mask, steps: int) -> Mask:
    """Of each character, what `mask` says of the one `steps` after it; before it where negative."""
    found = np.zeros_like(mask)
    if steps > 0:
        found[:-steps] = mask[steps:]
    else:
        found[-steps:] = mask[:steps]
    return found


def cut(texts: Sequence[str]) -> Words:
    """The words of `texts`, signs one by one. `U.S.`, `J.` before a name, `O'Neill`, `Covid-19` are one; so is `'s`."""
    table, lower, _ = _tables()
    joined = "".join(f"{text}\n" for text in texts)
    whole = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    codes = np.minimum(whole, _OTHER)
    kinds = table[codes]
    inside, starting = _inside(codes, kinds)
    breaks = (kinds & _BREAK) != 0
    token = (kinds & _SPACE) == 0
    first = token & (starting | ~inside | ~_ahead(inside, -1))
    first &= ~(breaks & _ahead(breaks, -1))
    # The line break behind a text is a word of its own.
    begins = np.cumsum([0, *(len(text) + 1 for text in texts)])
    first[begins[:-1]] = token[begins[:-1]]
    first[begins[1:] - 1] = True
    last = token & (_ahead(first, 1) | ~_ahead(token, 1))
    starts, ends = np.flatnonzero(first), np.flatnonzero(last) + 1
    forms = _hashes(codes, starts, ends)
    starts, ends, forms = _abbreviated(codes, starts, ends, forms)
    small = lower[codes]
    return Words(
        codes,
        kinds,
        begins.tolist(),
        np.searchsorted(starts, begins).tolist(),
        starts,
        ends,
        forms,
        _hashes(small, starts, ends),
        ((kinds[starts] & _UPPER) != 0) | _arabic(codes, starts, ends),
        breaks[starts],
    )


def _inside(codes: NDArray[np.uint32], kinds: NDArray[np.uint8]) -> tuple[Mask, Mask]:
    """Which characters are part of a word, and which begin one although a word stands right before them."""
    letter = (kinds & _LETTER) != 0
    before, after = _ahead(letter, -1), _ahead(letter, 1)
    capital = (kinds & _CAPITAL) != 0
    inside = letter.copy()
    apostrophe = (codes == 0x27) | (codes == 0x2019)
    s = (codes == 0x73) | (codes == 0x53)
    possessive = apostrophe & _ahead(s, 1) & ~_ahead(letter | (codes == 0x5F), 2)
    inside |= possessive | (apostrophe & before & after)
    next_capital = _ahead(capital, 1)
    inside |= (codes == 0x2D) & before & (next_capital | _ahead((kinds & _DIGIT) != 0, 1))
    inside |= (codes == 0x26) & before & next_capital
    initial = (codes == 0x2E) & _ahead(capital, -1) & ~_ahead(inside, -2)
    acronym = initial & (_ahead(initial, -2) | _ahead(initial, 2))
    inside |= acronym | (initial & _ahead(codes == 0x20, 1) & _ahead(capital, 2))
    return inside, possessive


def _hashes(codes: NDArray[np.uint32], starts: Ints, ends: Ints) -> Hashes:
    """A number of 64 bits a word that depends on its characters in their order."""
    lengths = ends - starts
    at = spread(starts, lengths)
    place = np.minimum(at - np.repeat(starts, lengths), len(_FACTORS) - 1)
    products = (codes[at] + np.uint64(1)) * _FACTORS[place]
    return _mixed(np.add.reduceat(products, np.cumsum(lengths) - lengths))


def _mixed(hashes: Hashes) -> Hashes:
    """Let every bit depend on the ones above and below it."""
    hashes = (hashes ^ (hashes >> np.uint64(32))) * _MIX
    mixed: Hashes = hashes ^ (hashes >> np.uint64(29))
    return mixed


def spread(firsts: Ints, counts: Ints) -> Ints:
    """`counts[0]` whole numbers from `firsts[0]` on, then `counts[1]` from `firsts[1]` on, and so on."""
    ends = np.cumsum(counts)
    found: Ints = np.repeat(firsts - ends + counts, counts) + np.arange(ends[-1] if len(ends) else 0)
    return found


def _abbreviated(codes: NDArray[np.uint32], starts: Ints, ends: Ints, forms: Hashes) -> tuple[Ints, Ints, Hashes]:
    """A full stop is part of `Mr.`"""
    short = np.flatnonzero(_abbreviations().has(forms))
    short = short[codes[ends[short]] == 0x2E]
    if not len(short):
        return starts, ends, forms
    ends[short] += 1
    forms[short] = _hashes(codes, starts[short], ends[short])
    return np.delete(starts, short + 1), np.delete(ends, short + 1), np.delete(forms, short + 1)


def _arabic(codes: NDArray[np.uint32], starts: Ints, ends: Ints) -> Mask:
    """Which words are like `al-Assad` or `el-Sisi`."""
    found = np.zeros(len(starts), bool)
    dashed = np.flatnonzero((ends - starts > _EDGE) & (codes[np.minimum(starts + 2, len(codes) - 1)] == 0x2D))
    first = codes[starts[dashed]]
    found[dashed] = ((first == 0x61) | (first == 0x65)) & (codes[starts[dashed] + 1] == 0x6C)
    return found


def shapes(words: Words, which: Ints) -> Hashes:
    """Of the words `which`: where they have capitals, small letters and digits, no more than two alike in a row."""
    starts, lengths = words.starts[which], words.ends[which] - words.starts[which]
    codes = words.codes[spread(starts, lengths)]
    classes = _tables()[2][codes]
    signs = np.where(classes == 0, codes + np.uint32(len(_FACTORS)), classes)
    begins = np.cumsum(lengths) - lengths
    place = np.arange(len(signs)) - np.repeat(begins, lengths)
    kept = np.ones(len(signs), bool)
    kept[2:] = (signs[2:] != signs[1:-1]) | (signs[2:] != signs[:-2]) | (place[2:] < 2)
    rank = np.cumsum(kept) - 1
    rank -= np.repeat(rank[begins], lengths)
    products = np.where(kept, (signs + np.uint64(1)) * _FACTORS[np.minimum(rank, len(_FACTORS) - 1)], np.uint64(0))
    return _mixed(np.add.reduceat(products, begins))


def edges(words: Words, which: Ints) -> tuple[Hashes, Hashes]:
    """The first three letters of the words `which`, and the last three, in small letters."""
    lower = _tables()[1]
    first, last = np.zeros(len(which), np.uint64), np.zeros(len(which), np.uint64)
    starts, ends = words.starts[which], words.ends[which]
    for i in range(_EDGE):
        there = ends - starts > i
        for at, into in ((starts + i, first), (ends - 1 - i, last)):
            into += np.where(
                there, (lower[words.codes[np.where(there, at, 0)]] + np.uint64(1)) * _FACTORS[i], np.uint64(0)
            )
    return _mixed(first), _mixed(last)


def all_capitals(words: Words, which: Ints) -> Mask:
    """Which of them have more than one letter and no small one."""
    starts, lengths = words.starts[which], words.ends[which] - words.starts[which]
    small = (words.kinds[spread(starts, lengths)] & _SMALL) != 0
    found: Mask = (lengths > 1) & ~np.logical_or.reduceat(small, np.cumsum(lengths) - lengths) if len(which) else small
    return found


def able(words: Words, which: slice) -> Mask:
    """Which of the words `which` have a letter first and three at least, so that they may be keywords."""
    starts = words.starts[which]
    found: Mask = ((words.kinds[starts] & (_LETTER | _DIGIT)) == _LETTER) & (words.ends[which] - starts >= _EDGE)
    return found


def numeric(words: Words, which: slice, lengths: tuple[int, ...]) -> Mask:
    """Which of the words `which` begin with a digit of ours and have one of `lengths`."""
    starts = words.starts[which]
    found: Mask = ((words.kinds[starts] & _DIGIT) != 0) & np.isin(words.ends[which] - starts, lengths)
    return found


def hashes(words: Iterable[str]) -> Hashes:
    """Of each of `words`, none of them empty, what `Words.forms` has for it."""
    every = list(words)
    if not every:
        return np.zeros(0, np.uint64)
    codes = np.minimum(np.frombuffer("".join(every).encode("utf-32-le", "surrogatepass"), np.uint32), _OTHER)
    ends = np.cumsum([len(word) for word in every])
    return _hashes(codes, np.concatenate([[0], ends[:-1]]), ends)


class Table:
    """Some words, by hash, each with a number; finds out quickly that a word is none of them."""

    def __init__(self, keys: Hashes, values: Iterable[int] = ()) -> None:
        order = np.argsort(keys)
        self._keys = keys[order]
        self._values = np.fromiter(values, np.uint32)
        self._values = self._values[order] if len(self._values) else np.ones(len(keys), np.uint32)
        # A look into a table of bits settles nearly all words; it has 16 bits and more for each word that is there.
        bits = max(_FEWEST_BITS, (16 * len(keys)).bit_length())
        self._shift = np.uint64(64 - bits)
        self._maybe = np.zeros(1 << bits, bool)
        self._maybe[self._keys >> self._shift] = True

    def has(self, found: Hashes) -> Mask:
        """Which of `found` are among the words."""
        there: Mask = self._maybe[found >> self._shift]
        maybe = np.flatnonzero(there)
        there[maybe] = self._keys[self._places(found[maybe])] == found[maybe]
        return there

    def of(self, found: Hashes) -> NDArray[np.uint32]:
        """The number of each of `found`; 0 for what is not among the words."""
        numbers = np.zeros(len(found), np.uint32)
        maybe = np.flatnonzero(self._maybe[found >> self._shift])
        places = self._places(found[maybe])
        numbers[maybe] = np.where(self._keys[places] == found[maybe], self._values[places], np.uint32(0))
        return numbers

    def _places(self, found: Hashes) -> Ints:
        return np.minimum(np.searchsorted(self._keys, found), len(self._keys) - 1)


def among(found: Hashes, known: Hashes) -> Mask:
    """Which of `found` are in `known`, which need not be sorted."""
    if not len(known):
        return np.zeros(len(found), bool)
    known = np.sort(known)
    same: Mask = known[np.minimum(np.searchsorted(known, found), len(known) - 1)] == found
    return same


@cache
def _abbreviations() -> Table:
    return Table(hashes(_ABBREVIATED))
