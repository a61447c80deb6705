"""Every number that decides what counts as a duplicate, in one place, with its reason.

A change to anything in `PARAMETERS` changes what signatures mean: `parameters_id` changes with it, and claims
written before are refused rather than compared with something they cannot be compared with.
"""

from __future__ import annotations

import rensa
import xxhash

PERMUTATIONS = 128
"""Values in a signature. The estimate's standard error is √(J(1-J)/128), at most 0.045."""

BANDS = 32
"""With 4 rows each: pairs of similarity 0.5, 0.6, 0.7 meet in a band with probability 0.87, 0.99, 0.9998."""

ROWS = PERMUTATIONS // BANDS
"""Four rows of eight bits: a band's key is one 32-bit word of the signature, so bands are not stored twice."""

COLLISION = 1 / 256
"""Signatures keep eight bits of each value, so this share of unequal values agrees by chance."""

SEED = 42

WORDS_IN_SHINGLE = 3
"""Three words: unrelated articles share 7 % of them at most, and 5 % of words changed still leaves 76 %."""

SIGNS_IN_SHINGLE = 5
"""Where words are not parted by spaces each sign is a token; five signs weigh about as much as three words."""

MIN_TOKENS = 16
"""Shorter texts have no signature: at that length one changed word is another piece of news."""

SIMILAR = 0.5
"""Least estimated Jaccard similarity of a near duplicate. Two copies with 5 % of words changed in each have 0.57
between them and 0.75 with their original; at 0.55 it mattered for some clusters which of the three came first,
at 0.5 for none of 2,000. What that lets in of other reports from one series, `FIGURES_SHARED` keeps out."""

SIMILAR_WHEN_SHORT = 0.85
LONG_TOKENS = 100
"""Below this length the threshold rises, in a straight line, to `SIMILAR_WHEN_SHORT` at `MIN_TOKENS`."""

FIGURES_SHARED = 0.34
FIGURES_ENOUGH = 4
"""Reports of one series share their wording and not their facts. Where both texts hold this many different
figures, near duplicates share at least that much of them (Jaccard over 64 bits that figures set)."""

PARAMETERS = (
    PERMUTATIONS,
    BANDS,
    ROWS,
    SEED,
    WORDS_IN_SHINGLE,
    SIGNS_IN_SHINGLE,
    MIN_TOKENS,
    int(rensa.RMinHash.ALGORITHM_VERSION),
    "NFKC, lower case, letters, marks, digits, currency, percent; polynomial shingle hash 1",
)

PARAMETERS_ID = xxhash.xxh32_intdigest(repr(PARAMETERS).encode())
"""32 bits that name what signatures depend on. Thresholds are not part of it: old claims can be read under new ones,
but workers come to the same verdicts only while all of them run the same release."""
