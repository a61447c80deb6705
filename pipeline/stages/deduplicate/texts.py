"""Texts cut into the tokens that shingles are made of, many texts at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.deduplicate.normal import (
    SPACE,
    Codes,
    Positions,
    long_word_signs,
    normal_forms,
    spaceless_signs,
)
from pipeline.stages.deduplicate.parameters import (
    SIGNS_IN_LONG_SHINGLE,
    SIGNS_IN_LONG_WORD,
    SIGNS_IN_SHINGLE,
    SIGNS_IN_WORD,
    WORDS_IN_SHINGLE,
)


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts cut into tokens. Tokens of a text are its words, or its signs where no spaces part words."""

    codes: Codes
    written: Codes
    """The signs that the codes were made of."""
    starts: Positions
    """Of each text."""
    ends: Positions
    begin: Positions
    """Of each token."""
    end: Positions
    owner: Positions
    """Which text each token belongs to, ascending."""
    first: Positions
    """Each text's first token."""
    last: Positions
    """Each text's last token; one less than the first where it has none."""
    shingle: Positions
    """How many tokens make a shingle, by text."""
    word: Positions
    """How many tokens weigh as much as a word, by text; 1 where they are words."""

    def __len__(self) -> int:
        return len(self.starts)

    def before(self, text: int) -> Texts:
        """Those before this one, as they stand."""
        tokens = int(np.searchsorted(self.owner, text))
        by_text = {name: getattr(self, name)[:text] for name in ("starts", "ends", "first", "last", "shingle", "word")}
        by_token = {name: getattr(self, name)[:tokens] for name in ("begin", "end", "owner")}
        return Texts(self.codes, self.written, **by_text, **by_token)

    @property
    def words(self) -> Positions:
        """Of each text."""
        return (self.last - self.first + 1) // self.word


def texts_of(bodies: Sequence[str]) -> Texts:
    """Normal forms and tokens of `bodies`."""
    codes, written, starts, ends = normal_forms(bodies)
    shingle, word = _kinds(codes, starts, ends)
    end = np.flatnonzero(codes == SPACE)
    begin = np.concatenate(([0], end[:-1] + 1))[: end.size]
    by_words = word == 1
    if not by_words.all():
        begin, end = _signs_apart(codes, begin, end, ends, by_words)
    first, behind = np.searchsorted(begin, starts), np.searchsorted(begin, ends)
    owner = np.repeat(np.arange(len(starts)), behind - first)
    return Texts(codes, written, starts, ends, begin, end, owner, first, behind - 1, shingle, word)


def _kinds(codes: Codes, starts: Positions, ends: Positions) -> tuple[Positions, Positions]:
    """How many tokens make a shingle and how many weigh a word, by text."""
    shingle, word = np.full(len(starts), WORDS_IN_SHINGLE), np.ones(len(starts), dtype=np.intp)
    if codes.size and int(codes.max()) >= 0x0E00:
        alone, long = (
            np.diff(np.concatenate(([0], np.cumsum(signs[codes]))).take([starts, ends]), axis=0)[0]
            for signs in (spaceless_signs(), long_word_signs())
        )
        spaceless = (ends > starts) & (alone * 2 >= ends - starts)
        shingle[spaceless] = np.where(long * 2 >= alone, SIGNS_IN_LONG_SHINGLE, SIGNS_IN_SHINGLE)[spaceless]
        word[spaceless] = np.where(long * 2 >= alone, SIGNS_IN_LONG_WORD, SIGNS_IN_WORD)[spaceless]
    return shingle, word


def _signs_apart(
    codes: Codes, begin: Positions, end: Positions, ends: Positions, by_words: NDArray[np.bool_]
) -> tuple[Positions, Positions]:
    """Tokens of which those in texts without spaces are single signs."""
    words = by_words[np.searchsorted(ends, begin, side="right")]
    signs = np.flatnonzero(codes != SPACE)
    signs = signs[~by_words[np.searchsorted(ends, signs, side="right")]]
    begin, end = np.concatenate((begin[words], signs)), np.concatenate((end[words], signs + 1))
    order = np.argsort(begin)
    return begin[order], end[order]
