"""How alike two articles are by their rows, and whether that makes one a near duplicate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.deduplicate.claims import Rows
from pipeline.stages.deduplicate.parameters import (
    COLLISION,
    FIGURES_ENOUGH,
    FIGURES_SHARED,
    LONG_TOKENS,
    MIN_TOKENS,
    PERMUTATIONS,
    SIMILAR,
    SIMILAR_WHEN_SHORT,
)

Ratios = NDArray[np.float64]


def similarity(left: Rows, right: Rows) -> Ratios:
    """Estimated Jaccard similarity of the shingle sets, pair by pair, 0..1, rounded to three decimals."""
    ours, theirs = (np.ascontiguousarray(rows["signature"]).view(np.uint8) for rows in (left, right))
    agree = np.count_nonzero(ours == theirs, axis=1) / PERMUTATIONS
    ratios: Ratios = np.round(np.maximum((agree - COLLISION) / (1 - COLLISION), 0), 3)
    return ratios


def needed(left: Rows, right: Rows) -> Ratios:
    """The similarity from which a pair counts as near duplicates: more where the shorter text is short."""
    tokens = np.minimum(left["tokens"], right["tokens"]).astype(np.float64)
    shortness: Ratios = np.clip((LONG_TOKENS - tokens) / (LONG_TOKENS - MIN_TOKENS), 0, 1)
    return SIMILAR + (SIMILAR_WHEN_SHORT - SIMILAR) * shortness


def other_facts(left: Rows, right: Rows) -> NDArray[np.bool_]:
    """Whether both texts hold enough figures, and too few of them in common, to be the same report."""
    ours, theirs = left["figures"], right["figures"]
    fewest = np.minimum(np.bitwise_count(ours), np.bitwise_count(theirs))
    shared, either = np.bitwise_count(ours & theirs), np.bitwise_count(ours | theirs)
    differ: NDArray[np.bool_] = (fewest >= FIGURES_ENOUGH) & (shared < FIGURES_SHARED * either)
    return differ


def near(left: Rows, right: Rows) -> tuple[NDArray[np.bool_], Ratios]:
    """Which pairs are near duplicates, and how similar all of them are."""
    ratios = similarity(left, right)
    return (ratios >= needed(left, right)) & ~other_facts(left, right), ratios
