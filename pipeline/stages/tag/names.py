"""People and organisations: what a segment of capitalised words is, by gazetteer, form and context. English only."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from operator import itemgetter

from pipeline.stages.tag.runs import Segment
from pipeline.stages.tag.words import words

_LONGEST_PERSON = 4
_SPEECH = "said|says|told|added|argued|warned|wrote|insisted|explained|tweeted|recalled|admitted|joked"
_SPEAKS = re.compile(rf"(?:, \d\d,)? (?:{_SPEECH})\b|, \d\d,|, who\b")
_SPOKE = re.compile(rf"(?:{_SPEECH}) $")
_ACRONYM = re.compile(r" \(([A-Z]{2,6})\)")
# With these the title is part of how the person is known: King Charles, Pope Francis.
# Before a first name these make a place of it: San Francisco, New Brunswick.
_SAINTS = frozenset("San Santa Saint Saints St St. Los Las New Fort Port El".split())
_GENERATIONS = frozenset({"Jr", "Jr.", "Sr", "Sr."})
_CROWNED = frozenset("King Queen Prince Princess Pope Emperor Emir".split())


class NameRules:
    """What the form of a segment and the words around it say."""

    def __init__(self) -> None:
        self._first_names = words("first_names.txt")
        self._org_ends = words("org_words.txt")
        self._org_heads = words("org_heads.txt")
        self._things = words("things.txt")

    def is_organisation(self, segment: Segment) -> bool:
        """Whether it ends or begins like the name of a body: `… University`, `Ministry of …`."""
        parts = segment.words
        if len(parts) < 2 or segment.title in _CROWNED:
            return False
        headed = parts[0].text in self._org_heads and any(w.of for w in parts)
        return headed or (parts[-1].text in self._org_ends and not parts[-1].of)

    def is_person(self, segment: Segment, text: str) -> bool:
        """Whether a title, a first name or a verb of speech makes it a person's name."""
        parts = segment.words
        if (
            parts[0].text in _GENERATIONS
            or len(parts) > _LONGEST_PERSON
            or parts[-1].text in self._things
            or any(w.of for w in parts)
        ):
            return False
        if len(parts) == 1:
            # A lone word is a person only after a title; and `President US` is none.
            return bool(segment.title) and not parts[0].text.isupper()
        if all(w.text.isupper() for w in parts):
            return False
        if segment.title or parts[0].text in self._first_names or parts[0].text.split("-")[0] in self._first_names:
            return True
        return len(parts) <= 3 and self._speaks(segment, text)

    def _speaks(self, segment: Segment, text: str) -> bool:
        before = text[max(0, segment.start - 12) : segment.start]
        return bool(_SPEAKS.match(text, segment.end) or _SPOKE.search(before))

    def tidy(self, segment: Segment) -> None:
        """Cut a capitalised word before a first name (`Yesterday Donald Trump`) and capitals after a name."""
        first, *rest = segment.words
        if len(rest) > 1 and rest[-1].text.isupper() and first.text in self._first_names:
            segment.words.pop()
        if len(rest) > 1 and first.text not in self._first_names | _SAINTS and rest[0].text in self._first_names:
            segment.words = rest


class People:
    """The people of one article. A surname stands for whoever of that name was last named in full before it."""

    def __init__(self) -> None:
        self._full: dict[tuple[str, str], str] = {}
        self._by_part: dict[str, list[tuple[int, str]]] = defaultdict(list)

    def add(self, segment: Segment, text: str) -> None:
        """Take in a full name. Names must come in the order of the text."""
        name = self.canonical(segment, text)
        for part in _ends(segment):
            self._by_part[part].append((segment.start, name))

    def canonical(self, segment: Segment, text: str) -> str:
        """The form in which the person was first named, whatever stands between first and last name here."""
        return self._full.setdefault(_ends(segment), text[segment.start : segment.end])

    def known(self, word: str, position: int) -> str | None:
        """The person that a lone `word` at `position` stands for."""
        found = self._by_part.get(word)
        if not found:
            return None
        before = bisect_right(found, position, key=itemgetter(0))
        return found[max(0, before - 1)][1]


def _ends(segment: Segment) -> tuple[str, str]:
    """First and last name, without `Jr.`."""
    parts = [w.text for w in segment.words if w.text not in _GENERATIONS]
    return parts[0], parts[-1]


def crowned(segment: Segment) -> bool:
    """Whether a lone name is known together with its title."""
    return segment.title in _CROWNED


def acronym(segment: Segment, text: str) -> str | None:
    """The short form given in brackets after a name, where its letters are the name's initials."""
    match = _ACRONYM.match(text, segment.end)
    if match is None or len(segment.words) < 2:
        return None
    initials = "".join(w.text[0] for w in segment.words)
    short = match[1]
    return short if short[0] == initials[0] and short[-1] in initials and len(short) <= len(initials) + 2 else None
