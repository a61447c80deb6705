"""What an article is known by on the claim log: exact fingerprint, revision key, signature, figures.

The headline has no part in it: the same body under a changed headline is an exact duplicate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import rensa
import xxhash
from numpy.typing import NDArray

from pipeline.records import Article
from pipeline.stages.deduplicate.normal import SPACE, Codes, normal_form, spaceless_signs
from pipeline.stages.deduplicate.parameters import (
    MIN_TOKENS,
    PERMUTATIONS,
    SEED,
    SIGNS_IN_SHINGLE,
    WORDS_IN_SHINGLE,
)

Hashes = NDArray[np.uint64]
Positions = NDArray[np.intp]

NO_SIGNATURE = bytes(PERMUTATIONS)
_BASE = 0x9E3779B97F4A7C15  # odd, so that its powers have inverses modulo 2**64
_MANY = 1 << 16


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One article's claim. Zero stands for "has none" in `exact` and `revision`."""

    id: str
    """The article's id, 32 hex digits."""
    exact: int
    """64-bit hash of the body's normal form."""
    revision: int
    """64-bit hash of the canonical URL, else of the source if the article is alone in it."""
    signature: bytes
    """128 MinHash values cut to 8 bits; its 32-bit words are the band keys. All zero: too short to have one."""
    figures: int
    """64 bits, some of them set by the numbers in the body."""
    tokens: int
    """Words (or signs, where words are not parted by spaces) in the body."""


def fingerprint(article: Article) -> Fingerprint:
    """The claim of `article`: depends on its id, body, URL and source alone, and on nothing else."""
    codes = normal_form(article.body)
    hashes = _Prefix(codes)
    starts, ends, size = _tokens(codes)
    shingles = hashes.between(starts[: len(starts) - size + 1], ends[size - 1 :])
    return Fingerprint(
        id=article.id,
        exact=xxhash.xxh3_64_intdigest(codes.tobytes()) if codes.size else 0,
        revision=_revision_key(article),
        signature=_signature(shingles) if len(starts) >= MIN_TOKENS else NO_SIGNATURE,
        figures=_figures(codes, hashes),
        tokens=len(starts),
    )


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
        # Low bits of a polynomial know little of the text; fold the high ones in (the finaliser of SplitMix).
        found ^= found >> np.uint64(30)
        found *= np.uint64(0xBF58476D1CE4E5B9)
        found ^= found >> np.uint64(27)
        found *= np.uint64(0x94D049BB133111EB)
        return found ^ (found >> np.uint64(31))


def _tokens(codes: Codes) -> tuple[Positions, Positions, int]:
    """Where tokens start and end, and how many make a shingle."""
    gaps = np.flatnonzero(codes == SPACE)
    starts, ends = np.concatenate(([0], gaps + 1)), np.append(gaps, codes.size)
    if not codes.size:
        return starts[:0], ends[:0], WORDS_IN_SHINGLE
    if int(codes.max()) < 0x0E00:
        return starts, ends, WORDS_IN_SHINGLE
    alone = spaceless_signs()[codes]
    if alone.sum() * 2 < codes.size:
        return starts, ends, WORDS_IN_SHINGLE
    signs = np.flatnonzero(codes != SPACE)
    return signs, signs + 1, SIGNS_IN_SHINGLE


def _signature(shingles: Hashes) -> bytes:
    ends = np.array([0, len(shingles)], dtype=np.uint64)
    rows = rensa.RMinHash.digest_matrix_from_flat_token_hashes(shingles, ends, PERMUTATIONS, SEED).to_rows()
    return np.array(rows[0], dtype=np.uint32).astype(np.uint8).tobytes()


def _figures(codes: Codes, hashes: _Prefix) -> int:
    """One of 64 bits for each run of digits, by what the digits say."""
    digits = np.flatnonzero((codes - np.uint16(48)) < 10)
    if not digits.size:
        return 0
    last = np.flatnonzero(np.diff(digits) > 1)
    starts, ends = digits[np.concatenate(([0], last + 1))], digits[np.append(last, -1)] + 1
    bits = hashes.between(starts, ends) >> np.uint64(58)
    return int(np.bitwise_or.reduce(np.uint64(1) << bits))
