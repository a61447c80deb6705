"""Who and where: segments and known spellings of one body become mentions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from pipeline.records import Article, Mention, Place
from pipeline.stages.tag.gazetteer import Gazetteer, Known
from pipeline.stages.tag.names import NameRules, People, acronym, crowned
from pipeline.stages.tag.places import Atlas
from pipeline.stages.tag.runs import Segment, Splitter, Word, runs

# Of all words; above it the text is in Title Case or capitals, and a capital says nothing.
MOST_CAPITALISED = 0.7
# The names of a text that long, some 16,000 words, have all been said; a dump of megabytes must not hold the stream up.
CHARACTERS_READ = 100_000
Kind = Literal["person", "organisation", "place"]
_COMPASS = frozenset(
    "North South East West Northern Southern Eastern Western Central Greater Downtown Upper Lower".split()
)


@dataclass(slots=True)
class Found:
    """The mentions of one body, in order, and the places behind those of kind `place`."""

    mentions: list[Mention] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def names(self, kind: str) -> tuple[str, ...]:
        """Canonical names of one kind, most often mentioned first, then in order of appearance."""
        return tuple(name for name, _ in Counter(m.name for m in self.mentions if m.kind == kind).most_common())

    def ranked_places(self) -> tuple[Place, ...]:
        """Places, most often mentioned first, then in order of appearance."""
        return tuple(place for place, _ in Counter(self.places).most_common())


@dataclass(slots=True)
class _Reading:
    """What is known of one article while it is read."""

    text: str
    english: bool
    hints: Counter[str]
    people: People = field(default_factory=People)
    acronyms: dict[str, str] = field(default_factory=dict)
    found: Found = field(default_factory=Found)

    @property
    def end(self) -> int:
        """Where the last mention ended."""
        return self.found.mentions[-1].end if self.found.mentions else 0


class EntityFinder:
    """Holds the gazetteer; `find` is pure."""

    def __init__(self) -> None:
        self._atlas = Atlas()
        self._gazetteer = Gazetteer(self._atlas)
        self._splitter = Splitter()
        self._rules = NameRules()

    def find(self, article: Article, english: bool) -> Found:
        """Mentions and places of `article`; people and organisations only where the language is English."""
        text = article.body[:CHARACTERS_READ]
        known = self._gazetteer.find(text)
        headline = self._gazetteer.find(article.headline[:CHARACTERS_READ])
        spellings = [k.spelling for k in (*headline, *known) if k.spelling in self._atlas.names]
        reading = _Reading(text, english, self._atlas.hints(spellings))
        known = [k for k in known if k.spelling in self._gazetteer.organisations or self._atlas.is_place(k.spelling)]
        groups = list(runs(text))
        shouting = sum(map(len, groups)) > MOST_CAPITALISED * (text.count(" ") + text.count("\n") + 1)
        segments = self._segments(groups, known)
        if english and not shouting:
            self._name_people(segments, reading)
        for segment, spelling in segments:
            # `Bosnia and Herzegovina` is one mention over two segments.
            if segment.start >= reading.end:
                self._mention(segment, spelling, reading, names=english and not shouting)
        if article.place and (place := self._atlas.dateline(article.place, reading.hints)):
            reading.found.places.append(place)
        return reading.found

    def _segments(self, groups: list[list[Word]], known: list[Known]) -> list[tuple[Segment, str]]:
        """Segments, each with the known spelling that it is, or an empty string."""
        ends = {k.start: k for k in known}
        found: list[tuple[Segment, str]] = []
        for group in groups:
            if self._splitter.is_empty(group):
                continue
            for piece, spelling in self._cut(group, ends):
                if spelling:
                    found.append((Segment(piece), spelling))
                else:
                    found.extend((segment, _whole(segment, ends)) for segment in self._splitter.segments(piece))
        return found

    def _cut(self, group: list[Word], known: dict[int, Known]) -> Iterable[tuple[list[Word], str]]:
        """Take known organisations of several words out of a run, since titles and breaks may be inside them."""
        rest: list[Word] = []
        i = 0
        while i < len(group):
            hit = known.get(group[i].start)
            after = i + 1
            if hit and " " in hit.spelling and hit.spelling in self._gazetteer.organisations:
                while after < len(group) and group[after].end <= hit.end:
                    after += 1
                yield from [(rest, "")] if rest else []
                yield group[i:after], hit.spelling
                rest = []
            else:
                rest.append(group[i])
            i = after
        yield from [(rest, "")] if rest else []

    def _name_people(self, segments: list[tuple[Segment, str]], reading: _Reading) -> None:
        """First pass: who is named in full anywhere, so that a surname before it is the same person."""
        for segment, spelling in segments:
            if spelling or self._rules.is_organisation(segment):
                continue
            self._rules.tidy(segment)
            if len(segment.words) > 1 and self._rules.is_person(segment, reading.text):
                reading.people.add(segment, reading.text)

    def _mention(self, segment: Segment, spelling: str, reading: _Reading, *, names: bool) -> None:
        """Second pass: decide what one segment is and note it."""
        lone = segment.words[0].text if len(segment.words) == 1 else ""
        person = reading.people.known(lone, segment.start) if lone else None
        if names and person:
            return _note(reading, segment, "person", person)
        if self._place(segment, spelling, reading) or not names:
            return None
        return self._name(segment, spelling, lone, reading)

    def _place(self, segment: Segment, spelling: str, reading: _Reading) -> bool:
        """Note a place if the segment is one; a compass word before it is left off."""
        if not spelling and len(segment.words) > 1 and segment.words[0].text in _COMPASS:
            segment = Segment(segment.words[1:])
            spelling = reading.text[segment.start : segment.end]
        if not spelling or segment.title in ("Mr", "Mrs", "Ms", "Dr", "Mr.", "Mrs.", "Ms.", "Dr."):
            return False
        start = segment.start
        before = reading.text[max(0, start - 10) : start]
        place = self._atlas.resolve(spelling, before, reading.text, reading.hints, reading.english)
        if place is None:
            return False
        _note(reading, segment, "place", place.name, start + len(spelling))
        reading.found.places.append(place)
        return True

    def _name(self, segment: Segment, spelling: str, lone: str, reading: _Reading) -> None:
        """Note a person or an organisation, or nothing."""
        organisation = self._gazetteer.organisations.get(spelling) or reading.acronyms.get(lone)
        short = acronym(segment, reading.text)
        if not organisation and (short or self._rules.is_organisation(segment)):
            organisation = " ".join(reading.text[segment.start : segment.end].split())
        if organisation:
            if short:
                reading.acronyms[short] = organisation
            return _note(reading, segment, "organisation", organisation, segment.start + len(spelling))
        if spelling or not self._rules.is_person(segment, reading.text):
            return None
        if not lone:
            return _note(reading, segment, "person", reading.people.canonical(segment, reading.text))
        return _note(reading, segment, "person", f"{segment.title} {lone}" if crowned(segment) else lone)


def _whole(segment: Segment, known: dict[int, Known]) -> str:
    """The known spelling that covers all of `segment`, perhaps with small words after it (`Isle of Man`)."""
    hit = known.get(segment.start)
    return hit.spelling if hit and hit.end >= segment.end else ""


def _note(reading: _Reading, segment: Segment, kind: Kind, name: str, end: int = 0) -> None:
    start, end = segment.start, max(end, segment.end)
    reading.found.mentions.append(Mention(start, end, reading.text[start:end], kind, name))
