"""Keywords: what an article says often, early and in its headline, of one word or two.

yake-rust gives fuller lists but costs 3 to 5 ms an article, more than all other tags together.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import log

from pipeline.stages.tag.page import Page, numbers
from pipeline.stages.tag.words import stopwords

MOST = 8
# A pair says more than its words: two mentions of "climate talks" outweigh three of "climate".
_PAIR_WEIGHT = 2.2
_HEADLINE_WEIGHT = 1.6
_CAPITAL_WEIGHT = 1.3
_FEWEST_MENTIONS = 2


Key = tuple[int, ...]
"""A keyword, by the numbers of its words."""


class KeywordFinder:
    """Holds the stop lists; languages without one get no keywords."""

    def __init__(self) -> None:
        self._stop = {code: numbers(small) for code, small in stopwords().items()}

    def find(self, page: Page, language: str | None) -> tuple[str, ...]:
        """The best keywords, best first; empty for languages without a stop list."""
        stop = self._stop.get(language or "")
        if stop is None:
            return ()
        words = page.words
        counts = Counter([words[i] for i in page.able])
        often = {word: n for word, n in counts.items() if n >= _FEWEST_MENTIONS and word not in stop}
        at = [i for i in page.able if words[i] in often]
        first = {words[i]: i for i in reversed(at)}
        plain = {words[i] for i, small in zip(at, page.plain(at), strict=True) if small}
        scores = _scores(page, often, first, plain)
        pairs = Counter((words[i], words[j]) for i, j in pairwise(at) if j == i + 1)
        for (left, right), count in pairs.items():
            if count >= _FEWEST_MENTIONS:
                mean = (scores[(left,)] / often[left] + scores[(right,)] / often[right]) / 2
                scores[left, right] = count * mean * _PAIR_WEIGHT
        # Of two that weigh the same, the one that was met first.
        ranked = sorted(scores, key=lambda key: (-scores[key], first[key[0]], len(key)))
        return tuple(_shown(key, page, first, plain) for key in _apart(ranked))


def _scores(page: Page, often: dict[int, int], first: dict[int, int], plain: set[int]) -> dict[Key, float]:
    """The weight of each lone word."""
    headline = set(page.words[: page.headline])
    scores: dict[Key, float] = {}
    for word, count in often.items():
        weight = _HEADLINE_WEIGHT if word in headline else 1.0
        weight *= 1.0 if word in plain else _CAPITAL_WEIGHT
        # A word first met 400 words in weighs two thirds of one in the lead.
        scores[(word,)] = count * weight / (1 + log(1 + first[word] / 100) / 3)
    return scores


def _apart(ranked: list[Key]) -> list[Key]:
    """The best of `ranked`, each without those that share a word with a better one."""
    taken: set[int] = set()
    kept: list[Key] = []
    for key in ranked:
        if taken.isdisjoint(key):
            kept.append(key)
            taken.update(key)
            if len(kept) == MOST:
                break
    return kept


def _shown(key: Key, page: Page, first: dict[int, int], plain: set[int]) -> str:
    """The key as first met; a lone word in small letters if it ever was written so, else not as a dateline has it."""
    met = first[key[0]]
    if len(key) == 1:
        word = page.spelled(met)
        if key[0] in plain:
            return word.lower()
        return _without_shouting(key[0], page, met) if word.isupper() else word
    while page.words[met + 1] != key[1]:
        met = page.words.index(key[0], met + 1)
    return f"{page.spelled(met)} {page.spelled(met + 1)}"


def _without_shouting(number: int, page: Page, met: int) -> str:
    """The word that was first met in capitals, `LISBON`, as it is written elsewhere; an acronym stays one."""
    at = met
    for _ in range(page.words.count(number) - 1):
        at = page.words.index(number, at + 1)
        if not (word := page.spelled(at)).isupper():
            return word
    return page.spelled(met)
