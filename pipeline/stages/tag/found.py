"""What is found in one article, and what is known of it while it is read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.stages.tag.chain import Kind
from pipeline.stages.tag.hints import Hints
from pipeline.stages.tag.names import People
from pipeline.terms import Mention, Place

_LONGEST_BEFORE = 10


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
        # By number, since a place takes a microsecond to hash.
        by_number = {place.geonames_id: place for place in self.places}
        return tuple(by_number[number] for number, _ in Counter(p.geonames_id for p in self.places).most_common())


class Piece(NamedTuple):
    """A stretch that may be a name: what the model says it is, if anything, and the known spelling that it is."""

    start: int
    end: int
    kind: Kind | None
    spelling: str


@dataclass(slots=True)
class Reading:
    """What is known of one article while it is read."""

    text: str
    english: bool
    hints: Hints
    people: People = field(default_factory=People)
    acronyms: dict[str, str] = field(default_factory=dict)
    regions: dict[str, frozenset[str]] = field(default_factory=dict)
    """Codes of the regions or countries in one of which a city is, by its spelling, where the text says so: `Paris,
    Texas`."""
    regions_at: dict[int, frozenset[str]] = field(default_factory=dict)
    """The same by where the city stands, if it says so there."""
    states: set[int] = field(default_factory=set)
    """Where a state's short form stands behind a city: `Spokane, Wash.`"""
    home: Place | None = None
    """Where the article was written: a lone name that is this city is no person."""
    found: Found = field(default_factory=Found)

    def is_home(self, spelling: str) -> bool:
        """Whether `spelling` names the place where the article was written."""
        return self.home is not None and self.home.name == spelling

    def before(self, piece: Piece) -> str:
        """What stands right before it: a title, or `in`."""
        return self.text[max(0, piece.start - _LONGEST_BEFORE) : piece.start]

    def note(self, piece: Piece, kind: Kind, name: str, how: str) -> None:
        """Add a mention; `how` it was found: `list`, `model`, `full-name` or `short-form`."""
        self.found.mentions.append(
            Mention(piece.start, piece.end, self.text[piece.start : piece.end], kind, name, how)  # type: ignore[arg-type]
        )
