"""IPTC Media Topics by weighted keywords of our own. English only: other languages get no topics, not wrong ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log, sqrt

import numpy as np

from pipeline.stages.tag.letters import Mask, Table, cut
from pipeline.stages.tag.page import Page
from pipeline.stages.tag.words import rows
from pipeline.terms import Topic

STRONG, WEAK = 2.0, 0.6
FEWEST_HITS = 2
FEWEST_FAINT_HITS = 4
BRIEF_WORDS = 100
LEAST_CONFIDENCE = 45
MOST = 5
_HEADLINE = 3
# An article of this many words is judged as it stands; longer ones need more evidence for the same confidence, and
# shorter ones less, down to this part of it, at some 50 words.
USUAL_WORDS = 250
_SATURATION, _SHORT = 9.0, 0.44
_FAINT_ALONE = 0.8
# A second top topic must come this near to the first; a child must carry this share of its parent's evidence.
_SECOND, _CHILD = 0.5, 0.3
# A clear word said once, in passing, makes nothing more specific than a top topic.
_CHILD_CLEAR = 3.0


@dataclass(slots=True)
class _Evidence:
    clear: float = 0.0
    faint: float = 0.0
    hits: int = 0

    @property
    def score(self) -> float:
        """Faint evidence counts for no more than the clear: many everyday words make no topic of a long text.

        Where there is no clear evidence at all it counts a little less than it weighs.
        """
        return self.clear + min(self.faint, self.clear) if self.clear else self.faint * _FAINT_ALONE


class TopicFinder:
    """Holds the vocabulary and its keywords. A keyword speaks for its topic and for all topics above it."""

    def __init__(self) -> None:
        vocabulary = list(rows("topics.tsv"))
        self._labels = {code: label for code, label, _ in vocabulary}
        self._parents = {code: parent for code, _, parent in vocabulary}
        self._children: dict[str, list[str]] = defaultdict(list)
        for code, _, parent in vocabulary:
            self._children[parent].append(code)
        weights: dict[str, dict[str, float]] = defaultdict(dict)
        for code, strong, weak in rows("topic_words.tsv"):
            for field, weight in ((weak, WEAK), (strong, STRONG)):
                for phrase in field.split(", "):
                    self._credit(weights, phrase, code, weight)
        phrases = sorted(weights)
        self._weights = [tuple(weights[phrase].items()) for phrase in phrases]
        self._alone: dict[int, int] = {}
        """Phrases of one word, by that: their number."""
        self._longer: dict[int, dict[int, list[tuple[list[int], int]]]] = defaultdict(lambda: defaultdict(list))
        """Longer ones, by their first and their second word, longest first: all their words, and their number."""
        words = cut(phrases)
        for number, (first, after) in enumerate(pairwise(words.bounds)):
            spelled: list[int] = words.lowers[first : after - 1].tolist()
            if len(spelled) == 1:
                self._alone[spelled[0]] = number
            else:
                self._longer[spelled[0]][spelled[1]].append((spelled, number))
        self._begins = Table(np.array([*self._alone.keys() | self._longer.keys()], np.uint64))
        for alike in (alike for seconds in self._longer.values() for alike in seconds.values()):
            alike.sort(key=lambda phrase: -len(phrase[0]))

    def _credit(self, weights: dict[str, dict[str, float]], phrase: str, code: str, weight: float) -> None:
        """Let `phrase`, and its plural, speak for `code` and the topics above it."""
        for form in (phrase, phrase if phrase.endswith("s") else phrase + "s"):
            above = code
            while above:
                weights[form][above] = max(weight, weights[form].get(above, 0.0))
                above = self._parents[above]

    def find_all(self, pages: Sequence[Page]) -> list[tuple[Topic, ...]]:
        """Topics of English articles, those of each surest first, at most five.

        Each top topic that the evidence carries comes with the most specific topic below it that it also carries.
        """
        if not pages:
            return []
        begins = self._begins.has(np.concatenate([page.lowers for page in pages]))
        ends = np.cumsum([len(page.words) for page in pages])
        return [self._find(page, each) for page, each in zip(pages, np.split(begins, ends[:-1]), strict=True)]

    def _find(self, page: Page, begins: Mask) -> tuple[Topic, ...]:
        """The topics of one article; `begins`: which of its words begin a phrase."""
        counts = self._counts(page, np.flatnonzero(begins).tolist())
        evidence = self._evidence(counts)
        norm = _SATURATION * max(_SHORT, sqrt(len(page.words) / USUAL_WORDS))
        tops = self._tops(evidence, len(page.words) <= BRIEF_WORDS)
        found = [code for top in tops for code in self._descend(top, evidence)]
        topics = [
            Topic(c, self._labels[c], round(100 * (1 - exp(-evidence[c].score / norm))), self._path(c)) for c in found
        ]
        sure = [topic for topic in topics if topic.confidence >= LEAST_CONFIDENCE]
        return tuple(sorted(sure, key=lambda t: (-t.confidence, t.code))[:MOST])

    def _path(self, code: str) -> tuple[str, ...]:
        return (*(self._path(self._parents[code]) if self._parents[code] else ()), code)

    def _counts(self, page: Page, begins: list[int]) -> dict[int, int]:
        """How often each phrase occurs, by number; of phrases that share words the longest one.

        What the headline says counts three times.
        """
        words = page.words
        counts: dict[int, int] = {}
        free, after, times = 0, page.headline, _HEADLINE
        for i in begins:
            if i >= after:
                after, times = len(words), 1
            if i < free:
                continue
            number, free = self._alone.get(words[i]), i + 1
            seconds = self._longer.get(words[i]) if i + 1 < after else None
            for spelled, longer in seconds.get(words[i + 1], ()) if seconds else ():
                end = i + len(spelled)
                if end <= after and words[i:end] == spelled:
                    number, free = longer, end
                    break
            if number is not None:
                counts[number] = counts.get(number, 0) + times
        return counts

    def _evidence(self, counts: dict[int, int]) -> dict[str, _Evidence]:
        evidence: dict[str, _Evidence] = defaultdict(_Evidence)
        for number, count in counts.items():
            # Saying it again adds less each time.
            repeated = 1 + log(count)
            for code, weight in self._weights[number]:
                entry = evidence[code]
                entry.hits += 1
                if weight == STRONG:
                    entry.clear += weight * repeated
                else:
                    entry.faint += weight * repeated
        return evidence

    def _tops(self, evidence: dict[str, _Evidence], brief: bool) -> list[str]:
        tops = [code for code in self._children[""] if _is_top(evidence.get(code, _NOTHING), brief)]
        best = max((evidence[code].score for code in tops), default=0.0)
        return [code for code in tops if evidence[code].score >= _SECOND * best]

    def _descend(self, code: str, evidence: dict[str, _Evidence]) -> list[str]:
        """`code` and the most specific topic below it that still carries most of its evidence."""
        lowest = code
        while below := [c for c in self._children.get(lowest, ()) if _carries(evidence.get(c, _NOTHING), _CHILD_CLEAR)]:
            best = max(below, key=lambda c: (evidence[c].score, c))
            if evidence[best].score < _CHILD * evidence[lowest].score:
                break
            lowest = best
        return [code] if lowest == code else [code, lowest]


_NOTHING = _Evidence()


def _is_top(evidence: _Evidence, brief: bool) -> bool:
    """A clear phrase and another one; in a brief, several that speak faintly."""
    return _carries(evidence, STRONG) or (brief and evidence.hits >= FEWEST_FAINT_HITS)


def _carries(evidence: _Evidence, clear: float) -> bool:
    """Two different phrases, and clear evidence of at least `clear`."""
    return evidence.hits >= FEWEST_HITS and evidence.clear >= clear
