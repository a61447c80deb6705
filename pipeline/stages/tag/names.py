"""The people of one article, and short forms: which names say the same one. English only."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from itertools import takewhile
from operator import itemgetter

from pipeline.stages.tag.chain import INSIDE

# `J.K.` and `JK`, so that J. K. Rowling is one with both.
_INITIALS = re.compile(r"(?:[A-Z]\.)+|[A-Z]{1,2}")
_ARTICLES = ("al-", "el-", "Al-", "El-")
_PARTICLES = INSIDE - frozenset("of the for and &".split()) | {"le", "ben", "abu"}
_ACRONYM = re.compile(r" \(([A-Z]{2,6})\)")
_GENERATIONS = frozenset({"Jr", "Jr.", "Sr", "Sr."})
_LONG = 4
# With these the title is part of how the person is known: King Charles, Pope Francis.
_CROWNED = frozenset("King Queen Prince Princess Pope Emperor Emir".split())
_SAYS_WHO = {*"Mr Mr. Mrs Mrs. Ms Ms. Dr Dr. Lord Lady Baroness Senator Judge".split(), *_CROWNED}
_TITLED = tuple(f"{title} " for title in sorted(_SAYS_WHO))


class People:
    """The people of one article. A surname stands for whoever of that name was last named in full before it."""

    def __init__(self) -> None:
        self._full: dict[tuple[str, str], str] = {}
        self._spelled: dict[str, str] = {}
        self._by_part: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._lone: dict[str, str] = {}
        self._tails: dict[str, str] = {}

    def add(self, name: str, start: int) -> None:
        """Take in a full name that stands at `start`. Names must come in the order of the text."""
        known = self.canonical(name)
        for part in _parts(name):
            self._by_part[part].append((start, known))
        if name.count(" ") > 1 and (tail := _tail(name)):
            self._tails.setdefault(tail, known)

    def add_lone(self, word: str, before: str) -> None:
        """Take in a lone name, where the title `before` it says that it is somebody's."""
        if before.endswith(_TITLED):
            self._lone.setdefault(word, crowned(word, before))

    def __bool__(self) -> bool:
        """Whether anybody was named so that a part of the name will do."""
        return bool(self._by_part or self._lone)

    def __contains__(self, word: str) -> bool:
        """Whether the lone `word` may be one of them."""
        return word in self._by_part or word in self._lone

    def canonical(self, name: str) -> str:
        """The form in which the person was first named, whatever stands between first and last name here."""
        known = self._spelled.get(name)
        if known is None:
            known = self._spelled[name] = self._full.setdefault(_key(name), " ".join(name.split()))
        return known

    def known(self, word: str, position: int) -> str | None:
        """The person that a lone `word`, or `Von der Leyen`, at `position` stands for."""
        found = self._by_part.get(word)
        if not found:
            return self._lone.get(word) or (self._tails.get(word.lower()) if self._tails else None)
        before = bisect_right(found, position, key=itemgetter(0))
        return found[max(0, before - 1)][1]


def _parts(name: str) -> list[str]:
    """The words that may stand for the whole name: the last, the first, and of long names, Luiz Inácio Lula da Silva,
    those between."""
    first, last = _ends(name)
    found = [last] if _INITIALS.fullmatch(first) else [first, last]
    if last.startswith(_ARTICLES):
        found.append(last.split("-", 1)[1])
    parts = name.split()
    if len(parts) >= _LONG:
        found += [part for part in parts[1:-1] if part[0].isupper() and part not in _GENERATIONS]
    return found


def _tail(name: str) -> str:
    """What begins with a particle, in small letters: `von der leyen`."""
    parts = name.lower().split()
    at = next((i for i, part in enumerate(parts[1:-1], 1) if part in _PARTICLES), None)
    return " ".join(parts[at:]) if at else ""


def _ends(name: str) -> tuple[str, str]:
    """First and last name, without `Jr.`"""
    parts = [word for word in name.split() if word not in _GENERATIONS] or name.split()
    return parts[0], parts[-1]


def _key(name: str) -> tuple[str, str]:
    """What two spellings of one name have in common: first and last name, or all initials and the last name."""
    first, last = _ends(name)
    initials = [*takewhile(_INITIALS.fullmatch, name.split()[:-1])]
    return "".join(initials).replace(".", "") or first, last


def crowned(name: str, before: str) -> str:
    """A lone `name` with the title before it, where it is known together with that."""
    title = before.split()[-1:]
    return f"{title[0]} {name}" if title and title[0] in _CROWNED and before.endswith(" ") else name


def acronym(name: str, text: str, end: int) -> str | None:
    """The short form given in brackets after a name that ends at `end`, where its letters are the name's initials."""
    match = _ACRONYM.match(text, end)
    words = [word for word in name.split() if word[0].isupper()]
    if match is None or len(words) < 2:
        return None
    initials = "".join(word[0] for word in words)
    short = match[1]
    return short if short[0] == initials[0] and short[-1] in initials and len(short) <= len(initials) + 2 else None
