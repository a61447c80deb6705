"""What a parser hands over: the clean body, the facts as they were worded, and where each was stated."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Draft:
    """One article as its format states it. Empty where the format states nothing."""

    paragraphs: list[str]
    """The body, already clean (see `cleaning.paragraphs`)."""
    headline: str | None = None
    authors: list[str] = field(default_factory=list)
    published: list[tuple[str, str]] = field(default_factory=list)
    """Candidates, best first: the words of the date and their origin (see `Dated.origin`)."""
    modified: list[tuple[str, str]] = field(default_factory=list)
    language: str | None = None
    url: str | None = None
    publisher: str | None = None
    place: str | None = None
    warnings: set[str] = field(default_factory=set)
