"""All known names in one Aho-Corasick pass: places of the atlas, and organisations."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable

from ahocorasick_rs import AhoCorasick, MatchKind

from pipeline.stages.tag.places import Atlas
from pipeline.stages.tag.stretches import InOrder, Known
from pipeline.stages.tag.words import alternatives, rows
from pipeline.terms import Place

# What may be a place and opens a paragraph in capitals.
_DATELINE = re.compile(r"^[A-Z][A-Z.'’ -]{2,24}[A-Z](?=[,:]| ?[(/]| [-–—])", re.MULTILINE)
_KATAKANA = re.compile("[\u30a1-\u30ff]")
_SEAS = tuple("洋海湾灣")
_HALF_SIGN = re.compile("[\ud800-\udfff]")


class Gazetteer:
    """Finds known spellings, whole words only. What they mean is for the reader to decide."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self.organisations: dict[str, str] = {}
        for name, aliases in rows("organisations.tsv"):
            for spelling in (name, *alternatives(aliases)):
                self.organisations[spelling] = name
        towns = {spelling for spelling, name in atlas.names.items() if name.is_only_a_town}
        # Of them the chain has learnt nothing.
        self._towns = towns - self.organisations.keys()
        self._spellings = sorted({*atlas.names, *self.organisations})
        self._automaton = AhoCorasick(self._spellings, matchkind=MatchKind.LeftmostLongest)
        by_language: dict[str, dict[str, Place]] = defaultdict(dict)
        for language, name, key in rows("local_names.tsv"):
            by_language[language][name] = atlas.by_key[key]
        self._local = {
            language: (list(names.values()), AhoCorasick(list(names), matchkind=MatchKind.LeftmostLongest))
            for language, names in by_language.items()
        }

    def has(self, spelling: str, kind: str) -> bool:
        """Whether a list knows `spelling` as an organisation, or else as a place or region."""
        return spelling in (self.organisations if kind == "organisation" else self._atlas.names)

    def find(self, text: str) -> list[Known]:
        """Known spellings in `text`, in order, longest first where two begin together."""
        last = len(text)
        return [
            Known(start, end, self._spellings[number])
            for number, start, end in _matches(self._automaton, text)
            if not (start and _touches(text[start - 1])) and not (end < last and text[end].isalnum())
        ]

    def with_datelines(self, text: str, known: list[Known]) -> list[Known]:
        """`known`, and the places in capitals that open a paragraph: `LONDON, March 18`, `NEW DELHI:`."""
        there = InOrder(known)
        more = [
            Known(found.start(), found.end(), spelling)
            for found in _DATELINE.finditer(text)
            if self._atlas.is_place(spelling := found[0].title()) and not there.over(found.start(), found.end())
        ]
        return sorted([*known, *more]) if more else known

    def local(self, text: str, language: str | None) -> list[tuple[int, int, Place]]:
        """The places in `text` by names that only its language has, in order: start, end, place."""
        names, automaton = self._local.get(language or "", ([], None))
        if automaton is None:
            return []
        apart = _APART.get(language or "", _parted)
        return [
            (start, end, names[number])
            for number, start, end in _matches(automaton, text)
            if apart(text[start - 1 : start], text[start:end], text[end : end + 1])
        ]

    def letters(self, known: list[Known]) -> list[tuple[int, int, str]]:
        """What the chain is told of each known spelling: where it is, and a letter for what it may be."""
        return [(start, end, self._letter(spelling)) for start, end, spelling in known if spelling not in self._towns]

    def _letter(self, spelling: str) -> str:
        if spelling in self.organisations:
            return "o"
        name = self._atlas.names[spelling]
        return "c" if name.country else "y" if name.cities else "p"


def _parted(before: str, name: str, behind: str) -> bool:
    """Whether a name stands by itself where words are parted."""
    return not before.isalnum() and not behind.isalnum()


def _unparted(before: str, name: str, behind: str) -> bool:
    """The same where they are not: `印度洋` is no country, and a word in katakana ends where they do."""
    katakana = _KATAKANA.match(name)
    return behind not in _SEAS and not (katakana and (_KATAKANA.match(before) or _KATAKANA.match(behind)))


# Korean parts words, but puts particles behind a name.
_APART: dict[str, Callable[[str, str, str], bool]] = {
    "zh": _unparted, "ja": _unparted, "th": _unparted, "ko": lambda before, name, behind: not before.isalnum(),
}  # fmt: skip


def _touches(before: str) -> bool:
    """Whether a word that begins behind this character is part of another one: `A$AP`."""
    return before.isalnum() or before == "$"


def _matches(automaton: AhoCorasick, text: str) -> list[tuple[int, int, int]]:
    try:
        return automaton.find_matches_as_indexes(text)
    except UnicodeEncodeError:
        # Half a sign alone, which cannot be handed over; what replaces it is as long, so offsets stay right.
        return automaton.find_matches_as_indexes(_HALF_SIGN.sub("\ufffd", text))
