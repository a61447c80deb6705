"""How alike two articles are by their rows, and what that makes one of the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.deduplicate.claims import Rows
from pipeline.stages.deduplicate.parameters import (
    COLLISION,
    CONTAINED,
    CONTAINED_SIMILAR,
    CONTAINED_WORDS,
    LONG_WORDS,
    MIN_WORDS,
    NUMBERS,
    NUMBERS_KEPT,
    NUMBERS_KEPT_DERIVED,
    SERIES,
    SIMILAR,
    SIMILAR_TO_ORIGINAL,
    SIMILAR_WHEN_SHORT,
)

Ratios = NDArray[np.float64]
Flags = NDArray[np.bool_]

_NUMBER_BITS = 128
_LOW_BITS = np.uint64(0x1111_1111_1111_1111)


def similarity(left: Rows, right: Rows) -> Ratios:
    """Estimated Jaccard similarity of the shingle sets, pair by pair, 0..1, rounded to three decimals.

    Of the bins that either text fills, the share in which both have the same lowest shingle (Li, Owen, Zhang: One
    Permutation Hashing, 2012); corrected for values that agree by chance where both have one.
    """
    ours, theirs = left["signature"], right["signature"]
    either = _filled(ours | theirs)
    both = (_filled(ours) + _filled(theirs) - either).astype(np.float64)
    same = either - _filled(ours ^ theirs)
    agree = np.maximum(same - both * COLLISION, 0) / (1 - COLLISION)
    ratios: Ratios = agree / np.maximum(either, 1)
    return ratios.round(3)


def containment(left: Rows, right: Rows, ratios: Ratios) -> Ratios:
    """Estimated share of the shorter text's shingles that the longer one has, from their similarity, 0..1."""
    ours, theirs = left["shingles"].astype(np.float64), right["shingles"].astype(np.float64)
    common = ratios * (ours + theirs) / (1 + ratios)
    shares: Ratios = common / np.maximum(np.minimum(ours, theirs), 1)
    return shares.round(3)


def needed(left: Rows, right: Rows) -> Ratios:
    """The similarity from which a pair counts as near duplicates: more where the shorter text is short."""
    words = np.minimum(left["words"], right["words"]).astype(np.float64)
    shortness: Ratios = np.clip((LONG_WORDS - words) / (LONG_WORDS - MIN_WORDS), 0, 1)
    return SIMILAR + (SIMILAR_WHEN_SHORT - SIMILAR) * shortness


def figures(left: Rows, right: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """In how many spots the words around figures are the same, pair by pair: with the same figures, with others."""
    (ours, our_values), (theirs, their_values) = (np.moveaxis(rows["figures"], 1, 0) for rows in (left, right))
    comparable = (ours == theirs) & (ours != 0)
    kept = comparable & (our_values == their_values)
    same: NDArray[np.int64] = np.count_nonzero(kept, axis=1)
    return same, np.count_nonzero(comparable, axis=1) - same


def numbers_kept(left: Rows, right: Rows) -> Ratios:
    """Of the text with fewer figures, the share of them that the other one has too, 0..1; 1 where they are too few.

    Bits of the two sets that meet by chance are taken off.
    """
    ours, theirs = (np.bitwise_count(rows["numbers"]).sum(axis=1, dtype=np.int64) for rows in (left, right))
    common = np.bitwise_count(left["numbers"] & right["numbers"]).sum(axis=1, dtype=np.int64)
    fewest, chance = np.minimum(ours, theirs), ours * theirs / _NUMBER_BITS
    shares: Ratios = np.where(fewest < NUMBERS, 1.0, (common - chance) / np.maximum(fewest - chance, 1))
    return np.clip(shares, 0, 1)


def relations(left: Rows, right: Rows) -> tuple[Flags, Flags, Ratios]:
    """Which pairs are near duplicates, which are derived one from the other, and how similar all of them are.

    The same words around another figure make other news of it: a correction where that is the exception (derived),
    another report of the same series where it is the rule (neither).
    """
    ratios = similarity(left, right)
    same, other = figures(left, right)
    kept = numbers_kept(left, right)
    near = (ratios >= needed(left, right)) & _same_news(left, right, other, kept)
    long = np.minimum(left["words"], right["words"]) >= CONTAINED_WORDS
    contained = (containment(left, right, ratios) >= CONTAINED) & (ratios >= CONTAINED_SIMILAR)
    contained &= (other <= same) & (kept >= NUMBERS_KEPT_DERIVED)
    return near, contained & long & ~near, ratios


def series(left: Rows, right: Rows) -> Flags:
    """Which pairs are reports of one series, by the words that stand around other figures in both, pair by pair."""
    same, other = figures(left, right)
    found: Flags = other - same >= SERIES
    return found


def near_original(rows: Rows, originals: Rows) -> Flags:
    """Whether near duplicates of duplicates are not too far from the original, and say nothing else than it."""
    _, other = figures(rows, originals)
    close: Flags = similarity(rows, originals) >= SIMILAR_TO_ORIGINAL
    return close & _same_news(rows, originals, other, numbers_kept(rows, originals))


def _same_news(left: Rows, right: Rows, other: NDArray[np.int64], kept: Ratios) -> Flags:
    """Whether nothing speaks against it. Who corrects another text wants to be read."""
    found: Flags = (other == 0) & (kept >= NUMBERS_KEPT) & (left["correction"] == right["correction"])
    return found


def _filled(signatures: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many of a signature's four-bit values are not 0."""
    folded = signatures | (signatures >> np.uint64(1))
    folded = (folded | (folded >> np.uint64(2))) & _LOW_BITS
    filled: NDArray[np.int64] = np.bitwise_count(folded).sum(axis=1, dtype=np.int64)
    return filled
