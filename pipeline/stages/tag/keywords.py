"""Keywords: what an article says often, early and in its headline, of one word or two.

yake-rust gives fuller lists but costs 3 to 5 ms an article, more than all other tags together.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import log

from pipeline.stages.tag.words import stopwords

MOST = 8
_SHORTEST = 3
# A pair says more than its words: two mentions of "climate talks" outweigh three of "climate".
_PAIR_WEIGHT = 2.2
_HEADLINE_WEIGHT = 1.6
_CAPITAL_WEIGHT = 1.3
_FEWEST_MENTIONS = 2


class KeywordFinder:
    """Holds the stop lists; languages without one get no keywords."""

    def __init__(self) -> None:
        self._stop = stopwords()

    def find(self, headline: list[str], body: list[str], language: str | None) -> tuple[str, ...]:
        """The best keywords of an article given as tokens, best first; empty for languages without a stop list."""
        stop = self._stop.get(language or "")
        if stop is None:
            return ()
        tokens = [*headline, *body]
        lower = [token.lower() for token in tokens]
        scores = self._scores(tokens, lower, {token.lower() for token in headline}, stop)
        ranked = sorted(scores, key=lambda k: (-scores[k], k))
        return tuple(" ".join(_shown(key, tokens, lower)) for key in _apart(ranked)[:MOST])

    def _scores(
        self, tokens: list[str], lower: list[str], headline: set[str], stop: frozenset[str]
    ) -> dict[tuple[str, ...], float]:
        singles = {
            word: count
            for word, count in Counter(lower).items()
            if count >= _FEWEST_MENTIONS and len(word) >= _SHORTEST and word[0].isalpha() and word not in stop
        }
        pairs = Counter(pair for pair in pairwise(lower) if pair[0] in singles and pair[1] in singles)
        scores: dict[tuple[str, ...], float] = {}
        plain = set(tokens)
        for word, count in singles.items():
            weight = _HEADLINE_WEIGHT if word in headline else 1.0
            weight *= 1.0 if word in plain else _CAPITAL_WEIGHT
            # A word first met 400 words in weighs two thirds of one in the lead.
            scores[(word,)] = count * weight / (1 + log(1 + lower.index(word) / 100) / 3)
        for (left, right), count in pairs.items():
            if count >= _FEWEST_MENTIONS:
                mean = (scores[(left,)] / singles[left] + scores[(right,)] / singles[right]) / 2
                scores[left, right] = count * mean * _PAIR_WEIGHT
        return scores


def _apart(ranked: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """`ranked` without keys that share a word with a better one."""
    taken: set[str] = set()
    kept = []
    for key in ranked:
        if taken.isdisjoint(key):
            kept.append(key)
            taken.update(key)
    return kept


def _shown(key: tuple[str, ...], tokens: list[str], lower: list[str]) -> list[str]:
    """The words as written: in small letters if they ever were, else as first met."""
    return [word if word in tokens else tokens[lower.index(word)] for word in key]
