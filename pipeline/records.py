"""What travels, hop by hop: RawArticle → Article → Fingerprint → Verdict → Tags → an outcome on a topic.

A record's name says which hop it is on. All are frozen; nothing here does I/O or reads a clock.
`ninjs` turns the last hop into the bytes of the enriched and duplicate topics.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import quote_from_bytes

import orjson

from pipeline.terms import DateMention, Mention, Place, Term, Topic

Headers = Sequence[tuple[str, bytes]]

_HEX_ID = re.compile("[0-9a-f]{32}")
_POSITIONS = range(1 << 63)


def source_name(path: bytes) -> str:
    """Inbox-relative `path` (bytes, `/` between parts) percent-encoded: printable, reversible, ASCII."""
    return quote_from_bytes(path, safe="/")


def inbox_label(inbox: str) -> str:
    """The inbox's own name, percent-encoded: its metric label and the first part of its ledger keys.

    It is the last part of the path as given (a symbolic link is not resolved), so an inbox may be moved to
    another place or machine under the same name without being published anew.
    """
    return source_name(os.fsencode(os.path.basename(os.path.abspath(inbox))))


def article_id(source: str, position: int, sha256: str, version: int = 0) -> str:
    """32 hex digits from where an article stands and what it says.

    The same file always gives the same ids. `version` counts how often the content under `source` was
    replaced, so that an article that comes back after a replacement is a new arrival, not the same one twice.
    """
    stem = f"{source}\0{position}\0{sha256}\0{version}" if version else f"{source}\0{position}\0{sha256}"
    return hashlib.blake2b(stem.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class RawArticle:
    """One article exactly as found: the value and headers of an `articles.raw` record."""

    id: str
    source: str
    """Inbox-relative path, percent-encoded bytes; of a member of an archive `ARCHIVE!/MEMBER` (a `!` in a name
    is `%21`, so nothing else looks like it)."""
    position: int
    """Byte offset of the line (JSON Lines), else number of the entry in the file or member, from 0."""
    media_type: str
    """What one article is, after unpacking and splitting; see `formats`."""
    received: str
    """When the watcher read it, RFC 3339 UTC."""
    sha256: str
    """Of `content`, hex."""
    content: bytes
    version: int = 0
    """How often the content under `source` had been replaced when this was read."""
    single: bool = True
    """Whether the file holds this one article only, so that `source` names the article too."""
    context: Mapping[str, str] = field(default_factory=dict)
    """What the file says about all its articles, where `content` is only a part of it: `charset`; `language`;
    `publisher` (a feed's title); `home` (its address); `authors` (parted by `; `); `url` and `date` (of a web
    archive's record); `xmlns` (declarations, as they stand in a start tag)."""
    inbox: str = ""
    """Name of the inbox that it came by, percent-encoded: says whose freshness it counts to, and nothing else."""
    attempts: int = 1
    """How often it was put into the stream, this time included; above 1 only by `copydesk rejected retry`."""

    def headers(self) -> list[tuple[str, bytes]]:
        """The record's headers; those from `version` on only where they differ from the usual."""
        headers: list[tuple[str, bool, bytes]] = [
            ("source", True, self.source.encode()),
            ("position", True, b"%d" % self.position),
            ("media-type", True, self.media_type.encode()),
            ("received", True, self.received.encode()),
            ("sha256", True, self.sha256.encode()),
            ("version", self.version != 0, b"%d" % self.version),
            ("single", not self.single, b"0"),
            ("inbox", self.inbox != "", self.inbox.encode()),
            ("attempts", self.attempts != 1, b"%d" % self.attempts),
            ("context", bool(self.context), orjson.dumps(self.context, option=orjson.OPT_SORT_KEYS)),
        ]
        return [(name, text) for name, is_said, text in headers if is_said]

    @classmethod
    def from_record(cls, key: bytes, value: bytes, headers: Iterable[tuple[str, bytes]]) -> RawArticle:
        """The inverse of key, `content` and `headers()`.

        Raises KeyError, ValueError or AttributeError on foreign records. What passes here can be claimed and written:
        a record that broke a later stage would stop every worker that reads it.
        """
        have = {name: text.decode() for name, text in headers}
        raw = cls(
            id=key.decode(),
            source=have["source"],
            position=int(have["position"]),
            media_type=have["media-type"],
            received=have["received"],
            sha256=have["sha256"],
            content=value,
            version=int(have.get("version", "0")),
            single=have.get("single") != "0",
            inbox=have.get("inbox", ""),
            attempts=int(have.get("attempts", "1")),
            context=_context(have.get("context", "{}")),
        )
        if not _HEX_ID.fullmatch(raw.id):
            raise ValueError(f"the key {raw.id!r} is no article id (32 hex digits)")
        if not all(number in _POSITIONS for number in (raw.position, raw.version, raw.attempts - 1)):
            raise ValueError(f"position {raw.position}, version {raw.version} or attempts {raw.attempts} out of range")
        if datetime.fromisoformat(raw.received).tzinfo is None:
            raise ValueError(f"received {raw.received!r} names no time zone")
        return raw


def _context(header: str) -> dict[str, str]:
    """Raises ValueError."""
    found = orjson.loads(header)
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError(f"context {header!r} is no object of strings")
    return found


@dataclass(frozen=True, slots=True)
class Dated:
    """A moment that an article states about itself, and how much of it is known."""

    value: str
    """RFC 3339 UTC; midnight UTC where only the day is known."""
    precision: Literal["day", "minute", "second"]
    zone_known: bool
    raw: str
    """The words it was read from."""
    origin: str
    """Where it stood: a format's slug, or `date-line`, `json-ld`, `meta`, `url`, `field`, `text`, `file-name`."""


@dataclass(frozen=True, slots=True)
class Article:
    """What `normalise` makes of a RawArticle: clean text and the facts stated with it."""

    raw: RawArticle
    format: str
    """Slug of the parser, e.g. `text`, `html`, `json`."""
    headline: str
    headline_derived: bool
    """True where the article had no title and the headline was taken from its first sentence."""
    body: str
    """NFC text, paragraphs parted by one blank line, quotes as they were."""
    word_count: int
    byline: tuple[str, ...] = ()
    published: Dated | None = None
    modified: Dated | None = None
    language: str | None = None
    """As declared (BCP 47), unverified."""
    url: str | None = None
    """Canonical URL as stated, http or https only."""
    publisher: str | None = None
    place: str | None = None
    """From the dateline, e.g. `LISBON`."""
    version: str | None = None
    """As the format numbers it, e.g. `3`."""
    status: Literal["usable", "withheld", "canceled"] | None = None
    """What its publisher allows to be done with it, in IPTC's words."""
    embargo: Dated | None = None
    """Not to be published before."""
    copyright: str | None = None
    """The copyright notice, as stated."""
    usage_terms: str | None = None
    warnings: tuple[str, ...] = ()
    """Slugs of what was mended or doubtful, sorted."""
    origins: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """For people who ask why: each fact found and where it stood. Not part of any record."""

    @property
    def id(self) -> str:
        """The article's id."""
        return self.raw.id

    @property
    def paragraphs(self) -> list[str]:
        """The body's paragraphs in order."""
        return self.body.split("\n\n") if self.body else []


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the claim log decided about one article. `of` is None for an original."""

    kind: Literal["original", "duplicate", "revision", "derived"]
    of: str | None = None
    """Id of the original (duplicate), of the version before (revision), or of what shares text with it (derived)."""
    method: Literal["exact", "near"] | None = None
    similarity: float = 0.0
    """Estimated Jaccard similarity of the shingle sets, 0..1, three decimals; 1.0 when exact."""
    number: int = 0
    """Which revision this is, from 1; 0 for all else."""
    story: str = ""
    """Id of the article that began the story which this one belongs to; empty: it begins one itself."""


ORIGINAL = Verdict("original")


@dataclass(frozen=True, slots=True)
class Tags:
    """What `tag` found. Empty fields mean that nothing was found, never that nobody looked; see `failed`."""

    language: str | None = None
    """BCP 47, None where the text is too short or no language."""
    language_confidence: float = 0.0
    """0..1."""
    language_alternatives: tuple[tuple[str, float], ...] = ()
    """Other languages that the text may be in as well, likeliest first, each with its share of 0..1."""
    people: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    topics: tuple[Topic, ...] = ()
    keywords: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    dates: tuple[DateMention, ...] = ()
    taxonomy: str | None = None  # its version, where there is one
    model: str | None = None
    """Name and version of the model that found names, where it is not our own."""
    terms: tuple[Term, ...] = ()
    failed: str | None = None
    """One sentence where the tagger broke: the article was claimed by then, so it goes out without tags."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Bytes that cannot become an article, with the reason: the value and headers of `articles.rejected`."""

    key: str
    """Article id; for `watch`, the source."""
    content: bytes
    reason: str
    error: str
    """One sentence that names the thing."""
    stage: str
    source: str
    position: int
    attempts: int = 1
    raw: RawArticle | None = None
    """What it was on `articles.raw`, where it was an article there: its headers go along, so that it can be retried."""

    def headers(self) -> list[tuple[str, bytes]]:
        """The record's headers; text is UTF-8."""
        found = [
            ("reason", self.reason.encode()),
            ("error", self.error.encode("utf-8", "backslashreplace")),
            ("stage", self.stage.encode()),
            ("source", self.source.encode()),
            ("position", b"%d" % self.position),
            ("attempts", b"%d" % self.attempts),
        ]
        return found + [one for one in (self.raw.headers() if self.raw else ()) if one[0] not in dict(found)]
