"""What a term of your own taxonomy leaves in a record."""

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
