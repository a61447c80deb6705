"""What an article is about, in a few words: the most telling ones, hashed, each with its weight.

A word tells more the fewer texts have it (`common`), the more often it stands here, if the headline has it, and if it
is a name. Where no spaces part words, runs of as many signs as make a word take their place.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.deduplicate.common import telling
from pipeline.stages.deduplicate.hashes import Hashes, Prefix
from pipeline.stages.deduplicate.normal import SPACE
from pipeline.stages.deduplicate.parameters import HEADLINE, NAME, TERMS
from pipeline.stages.deduplicate.texts import Texts

HASH_BITS = 24
WEIGHT_BITS = 8
LENGTH = (1 << WEIGHT_BITS) - 1
"""Of an article's vector of weights: their squares add up to its square, but for rounding."""

_TEXT = 40
_COMMA = 44
_OFTEN = 64
# How often a word stands in a text, dampened: 1 + ln n, in sixteenths. Whole numbers, as machines round logarithms
# differently in the last place.
_DAMPENED = np.array([0] + [round(16 * (1 + math.log(n))) for n in range(1, _OFTEN)], dtype=np.int64)
_PLAIN = 4
_NAMED = round(_PLAIN * NAME)

Terms = NDArray[np.uint32]
"""TERMS for each article: 24 bits of a word's hash, eight of weight. The weightiest first, 0 where there are less."""


def terms(texts: Texts, hashes: Prefix) -> Terms:
    """The terms of each article. `texts`: all bodies, then all headlines; `hashes`: of their codes."""
    count = len(texts) // 2
    words = _words(texts, hashes)
    said, titled = np.split(words, [np.searchsorted(words, np.uint64(count << _TEXT))])
    titled = (titled - np.uint64(count << _TEXT)) & ~np.uint64(1)  # in a headline a capital tells nothing
    keys = np.concatenate((said, np.repeat(titled, HEADLINE)))
    keys.sort()
    last = np.ones(keys.size, dtype=np.bool_)
    np.greater(keys[1:] ^ keys[:-1], np.uint64(0xFFFF), out=last[:-1])
    at = np.flatnonzero(last)
    keys, counts = keys[at], np.diff(at, prepend=-1)
    owner = (keys >> np.uint64(40)).astype(np.intp)
    often = _DAMPENED[np.minimum(counts, _OFTEN - 1)]
    weight = ((keys >> np.uint64(1)) & np.uint64(0xFF)).astype(np.int64) * often
    weight *= np.where(keys & np.uint64(1), _NAMED, _PLAIN)
    return _weightiest(count, owner, (keys >> np.uint64(16)) & np.uint64(0xFFFFFF), weight)


def _words(texts: Texts, hashes: Prefix) -> Hashes:
    """Every word that tells something: the text it belongs to, 24 bits of hash, what it tells, and if it is a name.

    The order of these numbers is that of text and hash, the name's last.
    """
    begin, tokens = texts.begin, texts.word[texts.owner]
    last = np.arange(-1, begin.size - 1) + tokens
    wordy = last <= texts.last[texts.owner]
    wordy &= texts.end - begin + tokens > 2
    wordy &= (texts.codes[begin] - np.uint16(48)) > 9
    token = np.flatnonzero(wordy)
    begin, end = begin[token], texts.end[last[token]]
    found = hashes.between(begin, end)
    tells = telling(found)
    kept = np.flatnonzero(tells)
    begin, found = begin[kept], found[kept]
    owner = texts.owner[token[kept]]
    packed: Hashes = owner.astype(np.uint64) << np.uint64(_TEXT)
    packed |= _hash(found) << np.uint64(16)
    packed |= tells[kept] << np.uint16(1)
    packed |= _is_name(texts, begin, texts.starts[owner])
    return packed


def _hash(found: Hashes) -> Hashes:
    hashes: Hashes = np.maximum(found >> np.uint64(64 - HASH_BITS), np.uint64(1))
    return hashes


def _is_name(texts: Texts, begin: NDArray[np.intp], start: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether the words that begin here have a capital, and stand inside a sentence. `start`: of their texts."""
    before = texts.written[np.maximum(begin - 1, 0)]
    inside = (begin > start) & ((before == SPACE) | (before == _COMMA))
    names: NDArray[np.bool_] = inside & (texts.written[begin] != texts.codes[begin])
    return names


def _weightiest(count: int, owner: NDArray[np.intp], word: Hashes, weight: NDArray[np.int64]) -> Terms:
    """The TERMS weightiest words of each text, of equals that with the lower hash, their weights scaled to LENGTH."""
    heaviest = np.uint64((1 << 24) - 1)
    packed = owner.astype(np.uint64) << np.uint64(48) | (heaviest - weight.astype(np.uint64)) << np.uint64(24) | word
    packed.sort()
    owner, word = (packed >> np.uint64(48)).astype(np.intp), packed & heaviest
    weight = (heaviest - (packed >> np.uint64(24) & heaviest)).astype(np.int64)
    many = np.bincount(owner, minlength=count)
    rank = np.arange(owner.size) - np.repeat(np.cumsum(many) - many, many)
    kept = np.flatnonzero(rank < TERMS)
    owner, word, weight, rank = owner[kept], word[kept], weight[kept], rank[kept]
    lengths = np.sqrt(np.bincount(owner, (weight * weight).astype(np.float64), minlength=count))
    scaled = np.maximum(np.rint(weight * LENGTH / lengths[owner]), 1).astype(np.uint32)
    found = np.zeros((count, TERMS), dtype="<u4")
    found[owner, rank] = (word.astype(np.uint32) << np.uint32(WEIGHT_BITS)) | scaled
    return found
