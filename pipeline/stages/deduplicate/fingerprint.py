"""What an article is known by on the claim log: exact fingerprint, revision key, lookup keys, signature, figures.

The headline has no part in it: the same body under a changed headline is an exact duplicate. But for briefs, where the
headline may hold the only name: two companies that pay the same dividend on the same day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.records import Article
from pipeline.stages.deduplicate.normal import SPACE, Codes, long_word_signs, normal_form, spaceless_signs
from pipeline.stages.deduplicate.parameters import (
    BINS,
    BRIEF_WORDS,
    KEYS,
    MIN_WORDS,
    SIGNS_IN_LONG_SHINGLE,
    SIGNS_IN_LONG_WORD,
    SIGNS_IN_SHINGLE,
    SIGNS_IN_WORD,
    SPOTS,
    WORDS_IN_SHINGLE,
)

Hashes = NDArray[np.uint64]
Positions = NDArray[np.intp]

NO_KEYS = bytes(4 * KEYS)
NO_SIGNATURE = bytes(BINS // 2)
NO_FIGURES = bytes(4 * SPOTS)
NO_NUMBERS = bytes(16)
_BASE = 0x9E3779B97F4A7C15  # odd, so that its powers have inverses modulo 2**64
_MANY = 1 << 16
_SMALL = "two three four five six seven eight nine ten eleven twelve".split()
"""`one` is not among them: it is a pronoun more often than a number."""
_CORRECTS = re.compile(r"\W*correct(ion|ions|ed|s)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One article's claim. Zero stands for "has none" in `exact` and `revision`."""

    id: str
    """The article's id, 32 hex digits."""
    exact: int
    """64-bit hash of the body's normal form."""
    revision: int
    """64-bit hash of the canonical URL, else of the source if the article is alone in it."""
    keys: bytes
    """The lowest shingle hashes, 32 bits of each. All zero: too short to be looked up."""
    signature: bytes
    """One-permutation MinHash, four bits a bin."""
    figures: bytes
    """A 16-bit sum over the words around figures for each spot, then one over the figures with them."""
    shingles: int
    """Different shingles in the body, at most 2**32 - 1."""
    words: int
    """Words in the body, or as many signs as weigh the same where words are not parted by spaces."""
    numbers: bytes = NO_NUMBERS
    """A set of 128 bits, one for each figure, wherever it stands."""
    correction: bool = False
    """Whether it says of itself, in front, that it corrects another one."""


class _Text(NamedTuple):
    """A body cut into tokens: where they start and end, how many make a shingle, and how many weigh a word."""

    starts: Positions
    ends: Positions
    shingle: int
    word: int


def fingerprint(article: Article) -> Fingerprint:
    """The claim of `article`: depends on its id, body, URL and source alone, and on nothing else."""
    codes, text = _read(article)
    hashes = _Prefix(codes)
    words = len(text.starts) // text.word
    long = words >= MIN_WORDS
    shingles = _distinct(hashes, text) if long else np.zeros(0, dtype=np.uint64)
    figures, numbers = _figures(codes, hashes, text) if long else (NO_FIGURES, NO_NUMBERS)
    return Fingerprint(
        id=article.id,
        exact=xxhash.xxh3_64_intdigest(codes.tobytes()) if codes.size else 0,
        revision=_revision_key(article),
        keys=_keys(shingles) if long else NO_KEYS,
        signature=_signature(shingles) if long else NO_SIGNATURE,
        figures=figures,
        numbers=numbers,
        correction=_CORRECTS.match(article.headline) is not None or _CORRECTS.match(article.body) is not None,
        shingles=len(shingles),
        words=words,
    )


def _read(article: Article) -> tuple[Codes, _Text]:
    """Normal form and tokens of the body; of a brief, with the headline in front where it has one of its own."""
    codes = normal_form(article.body)
    text = _tokens(codes)
    if len(text.starts) // text.word < BRIEF_WORDS and not article.headline_derived:
        codes = normal_form(f"{article.headline} {article.body}")
        text = _tokens(codes)
    return codes, text


def _revision_key(article: Article) -> int:
    """What stays the same when an article is published again with another text, hashed; 0 if nothing does."""
    if article.url:
        address = article.url.partition("#")[0].partition("://")[2].rstrip("/")
        # A bare host is the front page, which careless sites declare as the address of every article.
        if "/" in address or "?" in address:
            return xxhash.xxh3_64_intdigest(f"url\0{address}".encode())
    return xxhash.xxh3_64_intdigest(f"source\0{article.raw.source}".encode()) if article.raw.single else 0


@cache
def _cached_powers() -> tuple[Hashes, Hashes]:
    return _powers(_MANY)


def _powers(count: int) -> tuple[Hashes, Hashes]:
    """The powers of _BASE from 0 up, and their inverses, modulo 2**64."""
    both = [np.full(count, factor, dtype=np.uint64) for factor in (_BASE, pow(_BASE, -1, 1 << 64))]
    for powers in both:
        powers[0] = 1
        np.cumprod(powers, out=powers)
    return both[0], both[1]


class _Prefix:
    """Hashes of any stretches of `codes` at the price of one pass: a polynomial, and its sums from the left."""

    def __init__(self, codes: Codes) -> None:
        powers, self._inverse = _cached_powers() if codes.size < _MANY else _powers(codes.size + 1)
        self._sums = np.zeros(codes.size + 1, dtype=np.uint64)
        np.cumsum(codes * powers[: codes.size], out=self._sums[1:])

    def between(self, starts: Positions, ends: Positions) -> Hashes:
        """One hash for each codes[start:end], the same wherever it stands."""
        found: Hashes = (self._sums[ends] - self._sums[starts]) * self._inverse[starts]
        return _mixed(found)


def _mixed(found: Hashes) -> Hashes:
    """Low bits of a polynomial know little of the text; fold the high ones in, in place (the finaliser of SplitMix)."""
    found ^= found >> np.uint64(30)
    found *= np.uint64(0xBF58476D1CE4E5B9)
    found ^= found >> np.uint64(27)
    found *= np.uint64(0x94D049BB133111EB)
    found ^= found >> np.uint64(31)
    return found


def _tokens(codes: Codes) -> _Text:
    gaps = np.flatnonzero(codes == SPACE)
    starts, ends = np.concatenate(([0], gaps + 1)), np.append(gaps, codes.size)
    if not codes.size:
        return _Text(starts[:0], ends[:0], WORDS_IN_SHINGLE, 1)
    if int(codes.max()) >= 0x0E00:
        alone = np.count_nonzero(spaceless_signs()[codes])
        if alone * 2 >= codes.size:
            signs = np.flatnonzero(codes != SPACE)
            if np.count_nonzero(long_word_signs()[codes]) * 2 >= alone:
                return _Text(signs, signs + 1, SIGNS_IN_LONG_SHINGLE, SIGNS_IN_LONG_WORD)
            return _Text(signs, signs + 1, SIGNS_IN_SHINGLE, SIGNS_IN_WORD)
    return _Text(starts, ends, WORDS_IN_SHINGLE, 1)


def _distinct(hashes: _Prefix, text: _Text) -> Hashes:
    """The different shingles of a text, in order of their hashes."""
    size = text.shingle
    found = np.sort(hashes.between(text.starts[: len(text.starts) - size + 1], text.ends[size - 1 :]))
    different = np.ones(len(found), dtype=np.bool_)
    np.not_equal(found[1:], found[:-1], out=different[1:])
    return found[different]


def _keys(shingles: Hashes) -> bytes:
    # The low half: the high bits of the lowest hashes are all but the same. 0 is for "no key".
    keys = np.zeros(KEYS, dtype="<u4")
    lowest = shingles[:KEYS].astype(np.uint32)
    keys[: len(lowest)] = np.maximum(lowest, np.uint32(1))
    return keys.tobytes()


def _signature(shingles: Hashes) -> bytes:
    """For each bin, by the high bits, four other bits of its lowest hash; of a long enough text no bin is empty."""
    bins = (shingles >> np.uint64(64 - BINS.bit_length() + 1)).astype(np.intp)
    values = (((shingles & np.uint64(0xFFFF)) * np.uint64(15)) >> np.uint64(16)).astype(np.uint8)
    found = np.zeros(BINS, dtype=np.uint8)
    found[bins[::-1]] = values[::-1] + np.uint8(1)  # of several for one bin numpy leaves the last: the lowest
    return (found[::2] | (found[1::2] << np.uint8(4))).tobytes()


def _figures(codes: Codes, hashes: _Prefix, text: _Text) -> tuple[bytes, bytes]:
    """What figures say, by the words around them: sums that differ in their second half alone tell of other facts.

    Second, the set of all figures, whatever is around them.
    """
    starts, ends = text.starts, text.ends
    tokens, spelled, digits = _numbers(codes, hashes, text)
    if not tokens.size:
        return NO_FIGURES, NO_NUMBERS
    apart = np.flatnonzero(np.diff(tokens) > 1)
    heads, tails = np.concatenate(([0], apart + 1)), np.append(apart, len(tokens) - 1)
    first, last = tokens[heads], tokens[tails]
    around = min(text.word, 2)
    begin, end = starts[first], ends[last]
    left, right = starts[np.maximum(first - around, 0)], ends[np.minimum(last + around, len(ends) - 1)]
    stretches = hashes.between(np.concatenate((left, end, begin)), np.concatenate((begin, right, end)))
    before, after, said = stretches.reshape(3, -1)
    alone = spelled[heads] & (heads == tails)
    said[alone] = digits[heads[alone]]
    context = _mixed(before ^ (after * np.uint64(_BASE)))
    values = _mixed(context ^ said)
    spots = (context >> np.uint64(60)).astype(np.intp)
    sums = [
        np.bincount(spots, part.astype(np.uint16), minlength=SPOTS).astype(np.int64).astype("<u2")
        for part in (context | np.uint64(1), values)
    ]
    numbers = np.zeros(2, dtype="<u8")
    np.bitwise_or.at(numbers, (said >> np.uint64(63)).astype(np.intp), np.uint64(1) << (said & np.uint64(63)))
    return b"".join(part.tobytes() for part in sums), numbers.tobytes()


def _numbers(codes: Codes, hashes: _Prefix, text: _Text) -> tuple[Positions, NDArray[np.bool_], Hashes]:
    """Which tokens are figures or small numbers spelled out; which are the latter, and the hash of the same in digits.

    Agencies differ in which numbers they spell out. Few tokens are either: the rest is left out by its first and last
    sign, before anything is counted or hashed.
    """
    starts, ends = text.starts, text.ends
    digit = (codes - np.uint16(48)) < 10
    maybe = np.flatnonzero(digit[starts] & digit[ends - 1])
    others = np.cumsum(~digit, dtype=np.int32)
    written = maybe[others[starts[maybe]] == others[ends[maybe] - 1]]
    size = ends - starts
    maybe = np.flatnonzero(_spelling_starts()[codes[starts]] & (size >= 3) & (size <= 6))
    known, in_digits = _spelled()
    found = hashes.between(starts[maybe], ends[maybe])
    at = np.minimum(np.searchsorted(known, found), len(known) - 1)
    is_number = known[at] == found
    words = maybe[is_number]
    tokens = np.concatenate((written, words))
    order = np.argsort(tokens)
    spelled = np.concatenate((np.zeros(len(written), dtype=np.bool_), np.ones(len(words), dtype=np.bool_)))
    digits = np.concatenate((np.zeros(len(written), dtype=np.uint64), in_digits[at[is_number]]))
    return tokens[order], spelled[order], digits[order]


@cache
def _spelled() -> tuple[Hashes, Hashes]:
    """Hashes of small numbers spelled out, sorted, and of the same in digits."""
    spelled, digits = ([_hash_of(word) for word in words] for words in (_SMALL, map(str, range(2, 13))))
    order = np.argsort(np.array(spelled, dtype=np.uint64))
    return np.array(spelled, dtype=np.uint64)[order], np.array(digits, dtype=np.uint64)[order]


def _hash_of(word: str) -> int:
    codes = normal_form(word)
    return int(_Prefix(codes).between(np.array([0]), np.array([codes.size]))[0])


@cache
def _spelling_starts() -> NDArray[np.bool_]:
    """For every code, whether a small number spelled out begins with it."""
    found = np.zeros(1 << 16, dtype=np.bool_)
    found[[ord(word[0]) for word in _SMALL]] = True
    return found
