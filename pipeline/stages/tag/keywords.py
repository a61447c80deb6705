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

    def find(self, tokens: list[str], lower: list[str], headline: int, language: str | None) -> tuple[str, ...]:
        """The best keywords, best first; empty for languages without a stop list.

        `tokens` are the headline's, of which there are `headline`, and the body's; `lower` the same in small letters.
        """
        stop = self._stop.get(language or "")
        if stop is None:
            return ()
        scores = self._scores(tokens, lower, set(lower[:headline]), stop)
        ranked = sorted(scores, key=lambda k: (-scores[k], k))
        written = set(tokens)
        return tuple(_shown(key, tokens, lower, written) for key in _apart(ranked)[:MOST])

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
        first = dict(zip(reversed(lower), range(len(lower) - 1, -1, -1), strict=True))
        plain = set(tokens)
        for word, count in singles.items():
            weight = _HEADLINE_WEIGHT if word in headline else 1.0
            weight *= 1.0 if word in plain else _CAPITAL_WEIGHT
            # A word first met 400 words in weighs two thirds of one in the lead.
            scores[(word,)] = count * weight / (1 + log(1 + first[word] / 100) / 3)
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


def _shown(key: tuple[str, ...], tokens: list[str], lower: list[str], written: set[str]) -> str:
    """The key as first met; a lone word in small letters if it ever was written so."""
    if len(key) == 1 and key[0] in written:
        return key[0]
    met = next(i for i in range(len(lower)) if tuple(lower[i : i + len(key)]) == key)
    return " ".join(tokens[met : met + len(key)])
