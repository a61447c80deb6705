"""Texts as sets of shingles and figures, many texts at a time: what stands in a Fingerprint about the text itself.

All texts of a group lie in one array of codes, and every step is a handful of numpy operations on all of it: what they
cost each time they are called is shared by the group. A text's sketch is the same in any company.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.stages.deduplicate.hashes import BASE, Hashes, Prefix, mixed
from pipeline.stages.deduplicate.normal import Positions, normal_form
from pipeline.stages.deduplicate.parameters import BINS, KEYS, MIN_WORDS, SPOTS
from pipeline.stages.deduplicate.texts import Texts

_SMALL = "two three four five six seven eight nine ten eleven twelve".split()
"""`one` is not among them: it is a pronoun more often than a number."""


class Sketch(NamedTuple):
    """One text's part of a Fingerprint; the fields are explained there."""

    exact: int
    keys: bytes
    signature: bytes
    figures: bytes
    numbers: bytes
    shingles: int
    words: int


def sketches(texts: Texts, hashes: Prefix) -> list[Sketch]:
    """One of each text. `hashes`: of its codes."""
    long = texts.words >= MIN_WORDS
    shingles, counts = _distinct(hashes, texts, long)
    keys, signatures = _keys(shingles, counts), _signatures(shingles, counts)
    figures, numbers = _figures(hashes, texts, long)
    columns = zip(_exact(texts), keys, signatures, figures, numbers, counts.tolist(), texts.words.tolist(), strict=True)
    return [
        Sketch(exact, key.tobytes(), signature.tobytes(), figure.tobytes(), number.tobytes(), count, words)
        for exact, key, signature, figure, number, count, words in columns
    ]


def _exact(texts: Texts) -> list[int]:
    codes = texts.codes.tobytes()
    return [
        xxhash.xxh3_64_intdigest(codes[2 * start : 2 * end]) if end > start else 0
        for start, end in zip(texts.starts.tolist(), texts.ends.tolist(), strict=True)
    ]


def _distinct(hashes: Prefix, texts: Texts, long: NDArray[np.bool_]) -> tuple[Hashes, Positions]:
    """The different shingles of each long text in order of their hashes, text after text, and how many there are."""
    token = np.arange(texts.owner.size)
    last = token + texts.shingle[texts.owner] - 1
    token = np.flatnonzero(long[texts.owner] & (last <= texts.last[texts.owner]))
    found = hashes.between(texts.begin[token], texts.end[last[token]])
    owner = texts.owner[token]
    behind = np.cumsum(np.bincount(owner, minlength=len(texts)))
    heads = np.concatenate(([0], behind[:-1]))
    for start, end in zip(heads.tolist(), behind.tolist(), strict=True):
        found[start:end].sort()
    different = np.ones(len(found), dtype=np.bool_)
    np.not_equal(found[1:], found[:-1], out=different[1:])
    different[heads[heads < len(found)]] = True
    return found[different], np.bincount(owner[different], minlength=len(texts))


def _keys(shingles: Hashes, counts: Positions) -> NDArray[np.uint32]:
    # The low half: the high bits of the lowest hashes are all but the same. 0 is for "no key".
    place = np.arange(KEYS)
    at = (np.cumsum(counts) - counts)[:, None] + place
    keys = np.zeros(at.shape, dtype="<u4")
    known = place < counts[:, None]
    keys[known] = np.maximum(shingles[at[known]].astype(np.uint32), np.uint32(1))
    return keys


def _signatures(shingles: Hashes, counts: Positions) -> NDArray[np.uint8]:
    """For each bin, by the high bits, four other bits of its lowest hash; of a long enough text no bin is empty."""
    bins = (shingles >> np.uint64(64 - BINS.bit_length() + 1)).astype(np.intp)
    bins += np.repeat(np.arange(len(counts)) * BINS, counts)
    values = (((shingles & np.uint64(0xFFFF)) * np.uint64(15)) >> np.uint64(16)).astype(np.uint8)
    found = np.zeros(len(counts) * BINS, dtype=np.uint8)
    found[bins[::-1]] = values[::-1] + np.uint8(1)  # of several for one bin numpy leaves the last: the lowest
    return (found[::2] | (found[1::2] << np.uint8(4))).reshape(len(counts), BINS // 2)


def _figures(hashes: Prefix, texts: Texts, long: NDArray[np.bool_]) -> tuple[NDArray[np.uint16], NDArray[np.uint64]]:
    """What figures say, by the words around them: sums that differ in their second half alone tell of other facts.

    Second, the set of all figures, whatever is around them.
    """
    sums, numbers = np.zeros((len(texts), 2, SPOTS), dtype="<u2"), np.zeros((len(texts), 2), dtype="<u8")
    tokens, spelled, digits = _numbers(hashes, texts, long)
    if not tokens.size:
        return sums, numbers
    owner = texts.owner[tokens]
    apart = np.flatnonzero((np.diff(tokens) > 1) | (np.diff(owner) > 0))
    heads, tails = np.concatenate(([0], apart + 1)), np.append(apart, len(tokens) - 1)
    first, last, owner = tokens[heads], tokens[tails], owner[heads]
    around = np.minimum(texts.word[owner], 2)
    left = texts.begin[np.maximum(first - around, texts.first[owner])]
    right = texts.end[np.minimum(last + around, texts.last[owner])]
    begin, end = texts.begin[first], texts.end[last]
    stretches = hashes.between(np.concatenate((left, end, begin)), np.concatenate((begin, right, end)))
    before, after, said = stretches.reshape(3, -1)
    alone = spelled[heads] & (heads == tails)
    said[alone] = digits[heads[alone]]
    context = mixed(before ^ (after * np.uint64(BASE)))
    values = mixed(context ^ said)
    spots = owner * SPOTS + (context >> np.uint64(60)).astype(np.intp)
    for half, part in enumerate((context | np.uint64(1), values)):
        summed = np.bincount(spots, part.astype(np.uint16), minlength=len(texts) * SPOTS).astype(np.int64)
        sums[:, half] = summed.reshape(-1, SPOTS).astype("<u2")
    words = owner * 2 + (said >> np.uint64(63)).astype(np.intp)
    np.bitwise_or.at(numbers.reshape(-1), words, np.uint64(1) << (said & np.uint64(63)))
    return sums, numbers


def _numbers(hashes: Prefix, texts: Texts, long: NDArray[np.bool_]) -> tuple[Positions, NDArray[np.bool_], Hashes]:
    """Which tokens are figures or small numbers spelled out; which are the latter, and the hash of the same in digits.

    Agencies differ in which numbers they spell out. Few tokens are either: the rest is left out by its first and last
    sign, before anything is counted or hashed.
    """
    codes, starts, ends = texts.codes, texts.begin, texts.end
    digit = (codes - np.uint16(48)) < 10
    maybe = np.flatnonzero(digit[starts] & digit[ends - 1])
    size = ends - starts
    written = maybe[_all(digit, starts[maybe], size[maybe])]
    maybe = np.flatnonzero(_spelling_starts()[codes[starts]] & (size >= 3) & (size <= 6))
    known, in_digits = _spelled()
    found = hashes.between(starts[maybe], ends[maybe])
    at = np.minimum(np.searchsorted(known, found), len(known) - 1)
    is_number = known[at] == found
    words = maybe[is_number]
    tokens = np.concatenate((written, words))
    order = np.argsort(tokens)
    order = order[long[texts.owner[tokens[order]]]]
    spelled = np.concatenate((np.zeros(len(written), dtype=np.bool_), np.ones(len(words), dtype=np.bool_)))
    digits = np.concatenate((np.zeros(len(written), dtype=np.uint64), in_digits[at[is_number]]))
    return tokens[order], spelled[order], digits[order]


def _all(flags: NDArray[np.bool_], starts: Positions, sizes: Positions) -> NDArray[np.bool_]:
    """Whether all flags are set from each start on, for so many of them."""
    if not sizes.size:
        return np.zeros(0, dtype=np.bool_)
    heads = np.cumsum(sizes) - sizes
    every = flags[np.repeat(starts - heads, sizes) + np.arange(int(sizes.sum()))]
    found: NDArray[np.bool_] = np.logical_and.reduceat(every, heads)
    return found


@cache
def _spelled() -> tuple[Hashes, Hashes]:
    """Hashes of small numbers spelled out, sorted, and of the same in digits."""
    spelled, digits = ([_hash_of(word) for word in words] for words in (_SMALL, map(str, range(2, 13))))
    order = np.argsort(np.array(spelled, dtype=np.uint64))
    return np.array(spelled, dtype=np.uint64)[order], np.array(digits, dtype=np.uint64)[order]


def _hash_of(word: str) -> int:
    codes = normal_form(word)
    return int(Prefix(codes).between(np.array([0]), np.array([codes.size]))[0])


@cache
def _spelling_starts() -> NDArray[np.bool_]:
    """For every code, whether a small number spelled out begins with it."""
    found = np.zeros(1 << 16, dtype=np.bool_)
    found[[ord(word[0]) for word in _SMALL]] = True
    return found
