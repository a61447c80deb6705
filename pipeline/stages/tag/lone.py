"""Which of the people that the model finds are people: of lone words only those that something else speaks for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.stages.tag.chain import Span
from pipeline.stages.tag.words import rows, words

_SPEECH = "said|says|told|added|argued|warned|wrote|insisted|explained|tweeted|recalled|admitted|joked"
_SPEAKS = re.compile(rf"(?:, \d\d,)? (?:{_SPEECH})\b|, \d\d,|, who\b")
_SPOKE = re.compile(rf"(?:{_SPEECH}) $")
_LONGEST_VERB, _LONGEST_TITLE = 12, 20
_ENDS_A_SENTENCE = '.!?\n“"'
_STORMS = ("Hurricane ", "Storm ", "Typhoon ", "Cyclone ")
_STORM = re.compile(rf"(?:{'|'.join(_STORMS)})([A-Z]\w+)")
# `Berrien and Cass counties`
_COUNTIES = re.compile(r"(?:,? (?:and )?[A-Z]\w+){0,5} [Cc]ount(?:y|ies)\b")
_A_COUNTY = ("ounty", "ounties")
# `O'Gara`, `McLeod`
CLAN = re.compile(r"(?:O['’]|Mc|Mac)[A-Z][a-z]")


class Lone:
    """Word lists about the names of people; pure."""

    def __init__(self) -> None:
        self._titles = words("titles.txt") | words("title_starts.txt")
        self._surnames = {name.split()[-1] for (name,) in rows("known_people.tsv")}
        self._everyday = words("word_names.txt")

    def somebodies(self, spans: Sequence[Span], text: str) -> list[Span]:
        """`spans` without people that are a storm, a county or the like, and without lone words that the model barely
        takes for a person where nothing else speaks for one."""
        storms = frozenset(_STORM.findall(text)) if any(storm in text for storm in _STORMS) else frozenset()
        counties = any(county in text for county in _A_COUNTY)
        kept = [s for s in spans if not s.doubtful or self._may_be_somebody(s, text)]
        if not storms and not counties:
            return kept
        return [s for s in kept if s.kind != "person" or not self._is_a_thing(s, text, storms)]

    def _is_a_thing(self, span: Span, text: str, storms: frozenset[str]) -> bool:
        word = text[span.start : span.end]
        if word in storms:
            return True
        counted = _COUNTIES.match(text, span.end) is not None
        return counted and not (" " in word and is_first_name(word.split()[0]))

    def _may_be_somebody(self, span: Span, text: str) -> bool:
        if self._is_beside(span, text):
            return True
        word = text[span.start : span.end]
        if word in self._everyday and text[max(0, span.start - 2) : span.start].rstrip(" ")[-1:] in _ENDS_A_SENTENCE:
            return False
        return is_first_name(word) or word in self._surnames or CLAN.match(word) is not None

    def _is_beside(self, span: Span, text: str) -> bool:
        """Whether a title, or a verb of speech, stands beside a name."""
        if is_speaking(text, span.start, span.end):
            return True
        before = text[max(0, span.start - _LONGEST_TITLE) : span.start]
        return before.endswith(" ") and not self._titles.isdisjoint(before.split()[-1:])


def is_speaking(text: str, start: int, end: int) -> bool:
    """Whether a verb of speech, or what else tells of a person, stands beside the name from `start` to `end`."""
    before = text[max(0, start - _LONGEST_VERB) : start]
    return _SPEAKS.match(text, end) is not None or _SPOKE.search(before) is not None


def is_first_name(word: str) -> bool:
    """Whether people are given that name."""
    return word in words("first_names.txt") or word.upper() in words("census_first.txt")
