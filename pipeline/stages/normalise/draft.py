"""What a parser hands over: the clean body, the facts as they were worded, and where each was stated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Names = Mapping[str, tuple[str, ...]]
"""Fields of JSON and CSV by fact, as a setting names them: `{"headline": ("kopf.titel",)}`; dots lead inwards."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a parser knows besides the bytes."""

    said: Mapping[str, str] = field(default_factory=dict)
    """By the file about all its articles; see `RawArticle.context`."""
    names: Names = field(default_factory=dict)


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
    embargo: list[tuple[str, str]] = field(default_factory=list)
    language: str | None = None
    url: str | None = None
    publisher: str | None = None
    place: str | None = None
    version: str | None = None
    status: str | None = None
    """As worded; only IPTC's three words and the commonest names for them are kept."""
    copyright: str | None = None
    usage_terms: str | None = None
    warnings: set[str] = field(default_factory=set)
    origin: str = ""
    """Where the facts stood that `origins` does not name: the format's slug, or `field`."""
    origins: dict[str, str] = field(default_factory=dict)
    """By fact: where it stood."""


Parser = Callable[[bytes, Context], Draft]
"""Raw bytes of one article → Draft. Pure; raises BadInput and nothing else."""
