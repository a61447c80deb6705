"""How much a word tells of what an article is about: little where many articles have it. See `data/make_common.py`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.deduplicate.hashes import Hashes, Prefix
from pipeline.stages.deduplicate.texts import texts_of

MOST = 255
"""What a word tells that is not in the list."""

_BITS = 18
_SLOT = np.uint64((1 << _BITS) - 1)
_CHECK = np.uint64(_BITS)


def telling(hashes: Hashes) -> NDArray[np.uint16]:
    """For the hash of each word, 0 (tells nothing) to MOST. One in two thousand rare words is taken for another."""
    found = _table().take((hashes & _SLOT).view(np.int64))
    unknown = (found >> np.uint16(8)) != _check(hashes)
    found |= unknown * np.uint16(MOST)  # all eight bits of what a word tells
    found &= np.uint16(MOST)
    return found


def _check(hashes: Hashes) -> NDArray[np.uint8]:
    """Eight other bits of the hash, never 0, as that stands for an empty slot."""
    bits: NDArray[np.uint8] = np.maximum((hashes >> _CHECK).astype(np.uint8), np.uint8(1))
    return bits


def listed() -> bytes:
    """The list as it ships; its hash is one of the parameters."""
    return files("pipeline.stages.deduplicate").joinpath("data/common.tsv").read_bytes()


@cache
def _table() -> NDArray[np.uint16]:
    lines = [line.split("\t") for line in listed().decode().splitlines()]
    words = [word for _, listed_words in lines for word in listed_words.split(" ")]
    values = [int(value) for value, listed_words in lines for _ in listed_words.split(" ")]
    texts = texts_of(words)
    hashes = Prefix(texts.codes).between(texts.starts, texts.ends)
    table = np.zeros(1 << _BITS, dtype=np.uint16)
    # Where two meet the commoner one stays: the other then counts as rare.
    entries = (_check(hashes).astype(np.uint16) << np.uint16(8)) | np.array(values, dtype=np.uint16)
    table[(hashes[::-1] & _SLOT).astype(np.intp)] = entries[::-1]
    return table
