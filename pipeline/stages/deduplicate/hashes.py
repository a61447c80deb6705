"""Hashes of any stretches of a text at the price of one pass: a polynomial, and its sums from the left."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.deduplicate.normal import Codes, Positions

Hashes = NDArray[np.uint64]

BASE = 0x9E3779B97F4A7C15  # odd, so that its powers have inverses modulo 2**64
_MANY = 1 << 16


@cache
def _cached_powers() -> tuple[Hashes, Hashes]:
    return _powers(_MANY)


def _powers(count: int) -> tuple[Hashes, Hashes]:
    """The powers of BASE from 0 up, and their inverses, modulo 2**64."""
    both = [np.full(count, factor, dtype=np.uint64) for factor in (BASE, pow(BASE, -1, 1 << 64))]
    for powers in both:
        powers[0] = 1
        np.cumprod(powers, out=powers)
    return both[0], both[1]


class Prefix:
    """Of `codes`, ready to be asked for stretches."""

    def __init__(self, codes: Codes) -> None:
        powers, self._inverse = _cached_powers() if codes.size < _MANY else _powers(codes.size + 1)
        self._sums = np.zeros(codes.size + 1, dtype=np.uint64)
        np.cumsum(codes * powers[: codes.size], out=self._sums[1:])

    def between(self, starts: Positions, ends: Positions) -> Hashes:
        """One hash for each codes[start:end], the same wherever it stands."""
        found: Hashes = (self._sums[ends] - self._sums[starts]) * self._inverse[starts]
        return mixed(found)


def mixed(found: Hashes) -> Hashes:
    """Low bits of a polynomial know little of the text; fold the high ones in, in place (the finaliser of SplitMix)."""
    found ^= found >> np.uint64(30)
    found *= np.uint64(0xBF58476D1CE4E5B9)
    found ^= found >> np.uint64(27)
    found *= np.uint64(0x94D049BB133111EB)
    found ^= found >> np.uint64(31)
    return found
