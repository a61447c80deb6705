"""What tags are made of: names, dates, places and topics that were found, and terms of your own taxonomy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Target = Literal["person", "organisation", "topic", "keyword"]
"""What a term of your own taxonomy adds to a record."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place that made a rule hold. Offsets count characters of that part, end exclusive."""

    part: Literal["headline", "body"]
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Term:
    """A term of your own taxonomy that holds for an article."""

    id: str
    name: str
    target: Target
    evidence: tuple[Evidence, ...]
    """The first places that made it hold."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One stretch of the body that names something. Offsets count characters, end exclusive."""

    start: int
    end: int
    text: str
    kind: Literal["person", "organisation", "place"]
    name: str
    """Canonical name that the mention stands for."""
    found: Literal["list", "model", "full-name", "short-form"] = "list"
    """How: on our lists, by the model, as part of a name given in full, or as a short form given in brackets."""


@dataclass(frozen=True, slots=True)
class DateMention:
    """One stretch of the body that names a date. Offsets count characters, end exclusive."""

    start: int
    end: int
    text: str
    value: str
    """ISO 8601, as exact as `grain` says: `2025-03-18`, `2025-W12`, `2025-03`, `2025`."""
    grain: Literal["day", "week", "month", "year"]
    found: Literal["stated", "relative"]
    """Whether the text states all of it, or it was counted from the day of the article."""


@dataclass(frozen=True, slots=True)
class Place:
    """A country, region or city. `code` is the ISO 3166-1 alpha-2 code of the country."""

    name: str
    kind: Literal["country", "region", "city"]
    code: str
    latitude: float | None = None
    longitude: float | None = None
    geonames_id: int | None = None
    region: str | None = None
    """ISO 3166-2 code of the region, or of that in which the city lies, e.g. `US-ME`; None where we do not know it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """An IPTC Media Topic with our confidence."""

    code: str
    """Eight digits, e.g. `15000000`."""
    label: str
    confidence: int
    """0..100."""
    path: tuple[str, ...] = ()
    """Codes from the top topic down to this one."""
