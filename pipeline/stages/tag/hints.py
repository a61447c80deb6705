"""What a text says about where it plays: of which countries and regions it speaks, and which towns it names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.stages.tag.places import Atlas, Name, country_of
from pipeline.stages.tag.stretches import Known
from pipeline.stages.tag.words import rows
from pipeline.terms import Place

_COUNTY = re.compile(r"((?:[A-Z][\w.'’-]+ ){1,3})(?:County|Parish)\b")
_LOCATIVES = ("in", "at", "near", "from", "outside", "around", "across", "through")
_BEFORE_A_PLACE = tuple(f" {word} " for word in _LOCATIVES) + tuple(f"{word.title()} " for word in _LOCATIVES)
_OF_A_REGION = ("state of ", "State of ", "upstate ", "Upstate ", "province of ")
_LONGEST_BEFORE = 12
_JOINTS = frozenset({", ", " and ", ", and ", " or ", ", or "})
_IN_A_ROW = 2
_FEWEST_TOWNS = 2
_SEAT_OF_GOVERNMENT = re.compile(r"\b(?:White House|Congress|Pentagon|Senate|Capitol|federal|[Pp]resident)\b")


class Hints(Counter[str]):
    """How often a text speaks for each country and region, by their codes, and for each continent."""

    def __init__(self) -> None:
        super().__init__()
        self.near: list[Place] = []
        """Its large cities."""
        self.towns: Counter[str] = Counter()
        """Of each region: how many of the cities and towns in the text lie there."""
        self.regions: set[int] = set()
        """Where in the body a name that a city or a country has too is a region's: `Seattle, Washington`."""
        self.meant: set[str] = set()
        """Names of small towns that stand behind `in` or the like, and whose region is spoken of."""


class Clues:
    """Holds the atlas and the counties; pure."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._doubtful = {spelling for spelling, n in atlas.names.items() if n.region and not n.is_only_a_region}
        self._counties = {name: codes.split() for name, codes in rows("counties.tsv")}

    def read(self, hints: Hints, text: str, known: Sequence[Known]) -> set[int]:
        """Add to `hints` what the names `known` in `text` say about where it plays.

        Returned is where a name that a city or a country has too is a region's.
        """
        at: dict[str, list[int]] = {}
        for i, (_, _, spelling) in enumerate(known):
            at.setdefault(spelling, []).append(i)
        small = [spelling for spelling, which in at.items() if self._count(hints, spelling, text, known, which)]
        if text.find(" County") > 0 or text.find(" Parish") > 0:
            hints.towns.update(self._of_counties(text))
        found = self._regions(hints, text, known, at)
        if small:
            most = max((hints[code] for code in self._atlas.continents), default=0)
            hints.meant.update(town for town in small if self._is_meant(hints, town, most))
        return found

    def _count(self, hints: Hints, spelling: str, text: str, known: Sequence[Known], which: list[int]) -> bool:
        """Count what `spelling` speaks for; returned is whether it is nothing but a small town that is named."""
        name = self._atlas.names.get(spelling)
        if name is None:
            return False
        for code in name.says:
            hints[code] += len(which)
        if name.large:
            hints.near.append(name.large)
        if not name.within and not name.region:
            return False
        plain = spelling not in self._atlas.common
        if name.is_only_a_region and name.region and name.region.region:
            hints[name.region.region] += self._located(text, known, which, plain)
        if not name.within or not self._located(text, known, which, plain and bool(name.cities)):
            return False
        hints.towns.update(name.within)
        return name.is_only_a_town

    def _located(self, text: str, known: Sequence[Known], which: list[int], sure: bool) -> int:
        """How many of the names `which` are places: all that are `sure`, others behind `in` or the like."""
        return len(which) if sure else sum(is_located(text, known[i].start) for i in which)

    def _is_meant(self, hints: Hints, town: str, most: int) -> bool:
        """Whether the text speaks of the region of a small `town`, and of no country more (`most`) than of its own."""
        within = self._atlas.names[town].within
        return town not in self._atlas.common and any(hints[c] and hints[country_of(c)] >= most for c in within)

    def _regions(self, hints: Hints, text: str, known: Sequence[Known], at: dict[str, list[int]]) -> set[int]:
        """Which names that others have too are regions: by what stands beside them, or by what the text speaks of."""
        found: set[int] = set()
        # In the order of the text, as each may speak for the next.
        for i in sorted(i for spelling in self._doubtful & at.keys() for i in at[spelling]):
            name = self._atlas.names[known[i].spelling]
            if name.region and (
                self._is_beside(text, known, i, name) or self._is_spoken_of(hints, text, known[i], name)
            ):
                found.add(known[i].start)
                hints[name.region.region or ""] += 1
                # Ontario has spoken for Canada before.
                hints[name.region.code] += name.region.code not in name.says
        return found

    def _is_beside(self, text: str, known: Sequence[Known], i: int, name: Name) -> bool:
        """Whether what stands beside it makes it a region: `New York state`, `Buffalo, New York`, others in a row."""
        start, end, _ = known[i]
        if text.startswith((" state", " State"), end) and not text.startswith(" University", end + len(" state")):
            return True
        if text[max(0, start - _LONGEST_BEFORE) : start].endswith(_OF_A_REGION):
            return True
        before = known[i - 1] if i else known[i]
        code = name.region.region if name.region else None
        if (
            text[before.end : start] == ", "
            and (city := self._atlas.names.get(before.spelling))
            and code in city.within
        ):
            return True
        first, last = i, i
        while first and self._are_in_a_row(text, known[first - 1], known[first]):
            first -= 1
        while last + 1 < len(known) and self._are_in_a_row(text, known[last], known[last + 1]):
            last += 1
        sure = any(self._atlas.names[k.spelling].is_only_a_region for k in known[first : last + 1])
        # `Texas and Washington` may well be at odds.
        return sure and last - first >= (_IN_A_ROW if _lies_apart(name) else 1)

    def _are_in_a_row(self, text: str, one: Known, other: Known) -> bool:
        names = self._atlas.names.get(one.spelling), self._atlas.names.get(other.spelling)
        return text[one.end : other.start] in _JOINTS and all(name and name.region for name in names)

    def _is_spoken_of(self, hints: Hints, text: str, known: Known, name: Name) -> bool:
        code = name.region.region or "" if name.region else ""
        if name.country:
            # Georgia: what speaks for the country, against what speaks for the state and for those beside it.
            others = (
                sum(hints[other] for other in hints if other.startswith(f"{country_of(code)}-")) + hints.towns[code]
            )
            return others > sum(word in text for word in self._atlas.needs.get(name.country.code, ()))
        if all(hints[country_of(code)] > hints[city.code] for city, _ in name.cities):
            # Ontario is in Canada, unless the text speaks of California's.
            return True
        return _lies_apart(name) and hints.towns[code] >= _FEWEST_TOWNS and not _SEAT_OF_GOVERNMENT.search(text)

    def _of_counties(self, text: str) -> Iterable[str]:
        """The regions of the counties that `text` names."""
        for found in _COUNTY.finditer(text):
            parts = found[1].split()
            for i in range(len(parts)):
                codes = self._counties.get(" ".join(parts[i:]))
                if codes:
                    yield from codes
                    break


def _lies_apart(name: Name) -> bool:
    """Whether no city of a region's name lies in it: Washington."""
    return name.country is None and all(city.region != name.region.region for city, _ in name.cities if name.region)


def is_located(text: str, start: int) -> bool:
    """Whether what stands before the name at `start` makes a place of it: `in`, `near`."""
    return text[max(0, start - _LONGEST_BEFORE) : start].endswith(_BEFORE_A_PLACE)
