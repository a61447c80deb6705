"""Every format in one table: its name, its file names, how its content begins, and what one article of it is.

A file's name only says that we may read it (`promised`); what it is, its first bytes say (`recognised`), so a feed
under the name of a page is read as a feed. Where they say nothing, the name decides.

`inbox` takes files apart by this table, `stages/normalise` has a parser for each media type in it. A package adds
formats of its own through the entry point group `copydesk.formats`: each entry point names a `Format`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any

GROUP = "copydesk.formats"
HEAD_BYTES = 65_536
"""So much of a file is enough for `recognised`."""

_BOM = codecs.BOM_UTF8
_BLANK = b" \t\r\n"
# What may stand before a document's root element. All groups are atomic: nothing here is tried twice.
_PROLOG = rb"(?>\s+|<\?(?>.*?\?>)|<!--(?>.*?-->)|<!(?i:doctype)(?>[^\[>]*)(?:\[(?>.*?\]\s*>)|>))*+"


def _root(*names: bytes) -> re.Pattern[bytes]:
    """An XML document with one of these root elements, under any prefix."""
    return re.compile(_PROLOG + rb"<(?:[\w.-]+:)?(?:" + b"|".join(names) + rb")(?=[\s/>])", re.S)


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table."""

    slug: str
    media_type: str
    """Of one raw article, after unpacking and splitting. Empty: its members have their own."""
    extensions: tuple[str, ...]
    """Of file names, lower case, with the dot."""
    what: str
    """In the words of `copydesk formats`."""
    sniff: re.Pattern[bytes] | None = None
    """Matches the first bytes of this format and of no other. None: only the name can tell."""
    grows: bool = False
    """More bytes at the file's end mean more articles and leave the earlier ones alone."""
    split: Callable[[bytes], Iterable[bytes]] | None = None
    """For formats of other packages: the articles in a file. None: the file is one article."""
    parse: Callable[[bytes], Mapping[str, Any]] | None = None
    """For formats of other packages: one article's fields, named as in JSON (`headline`, `body`, `datePublished` …)."""


FORMATS: tuple[Format, ...] = (
    Format("warc", "text/html", (".warc",), "web archive: its HTML responses, an article each",
           re.compile(rb"WARC/\d")),
    Format("rss", "application/rss+xml", (".rss",), "RSS 0.9x and 2.0: an article an item", _root(b"rss")),
    Format("rdf", "application/rss+xml", (".rdf",), "RSS 1.0 (RDF): an article an item", _root(b"RDF")),
    Format("atom", "application/atom+xml", (".atom",), "Atom: an article an entry", _root(b"feed")),
    Format("nitf", "application/nitf+xml", (".nitf",), "NITF: one article", _root(b"nitf")),
    Format("newsml-g2", "application/vnd.iptc.g2.newsitem+xml", (".g2",), "NewsML-G2: an article a newsItem",
           _root(b"newsItem", b"newsMessage", b"packageItem", b"conceptItem", b"knowledgeItem", b"planningItem")),
    Format("newsml", "application/vnd.iptc.newsml+xml", (".newsml",), "NewsML 1: an article a NewsItem",
           _root(b"NewsML")),
    Format("html", "text/html", (".html", ".htm", ".xhtml"), "web page: one article",
           re.compile(rb"(?i)" + _PROLOG.replace(rb"(?i:doctype)", rb"(?:doctype(?!\s+html))")
                      + rb"<(?:!doctype\s+html|html)(?=[\s>])", re.S)),
    Format("jsonfeed", "application/feed+json", (".jsonfeed",), "JSON Feed: an article an item",
           re.compile(rb"\{(?>.{0,4096}?\"version\"\s*:\s*\"https?:\\?/\\?/jsonfeed\.org\\?/version)", re.S)),
    Format("jsonl", "application/json", (".jsonl", ".ndjson"), "JSON Lines: an article a line", grows=True),
    Format("json", "application/json", (".json", ".jsonld"), "JSON: one article, a list, or several in a row",
           re.compile(rb"(?:\[\s*)?\{\s*\"[^\"\\]{1,100}\"\s*:")),
    Format("mbox", "message/rfc822", (".mbox",), "mailbox: an article a message",
           # With a day of the week: an article may begin "From our man in Kyiv, 10:30", and go on "KYIV: The port".
           re.compile(rb"From [^\n]{1,150}\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? [^\n]{1,30}\d\d:\d\d[^\n]{0,100}\n"
                      rb"(?:[A-Za-z-]+:|>?From )")),
    Format("eml", "message/rfc822", (".eml",), "e-mail: one article",
           re.compile(rb"(?i)(?:Received: (?:from|by) |Return-Path: <|Delivered-To: |Message-ID: <|MIME-Version: 1)")),
    Format("csv", "text/csv", (".csv",), "CSV with a header line: an article a row"),
    Format("markdown", "text/markdown", (".md", ".markdown"), "Markdown: one article"),
    Format("text", "text/plain", (".txt", ".text"), "plain text: one article"),
    Format("zip", "", (".zip",), "archive: every member as if it were a file", re.compile(rb"PK(?:\x03\x04|\x05\x06)")),
    Format("tar", "", (".tar", ".tgz", ".tbz2", ".txz", ".tzst"), "archive: every member as if it were a file",
           # With what follows in a tar: texts have "mustard" there, or "ajustar".
           re.compile(rb".{257}ustar(?:\x00|  \x00)", re.S)),
    Format("xml", "", (".xml",), "any of the XML formats above, by its root element"),
)  # fmt: skip
"""In the order in which `recognised` asks; the formats of other packages come before."""

PACKINGS = {
    "gzip": (b"\x1f\x8b\x08", ".gz"),
    "bzip2": (b"BZh", ".bz2"),
    "xz": (b"\xfd7zXZ\x00", ".xz"),
    "zstd": (b"\x28\xb5\x2f\xfd", ".zst"),
}
"""By name: how the packed bytes begin, and the end of the file's name. Any format may be packed in any of them."""

# Such a file tells about its folder.
_NO_ARTICLE = b"readme.md"


@cache
def formats() -> tuple[Format, ...]:
    """Those of other packages, by name, then our own. Raises what such a package raises when it is imported."""
    found = [point.load() for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)]
    return (*found, *FORMATS)


def promised(path: bytes) -> Format | None:
    """The format that the name at the end of `path` promises, None where it is none of ours."""
    name = path.rpartition(b"/")[2].lower()
    stem, dot, extension = name.rpartition(b".")
    if dot + extension in _PACKED:
        stem, dot, extension = stem.rpartition(b".")
    return _by_extension().get(dot + extension) if stem and name != _NO_ARTICLE else None


def recognised(head: bytes, named: Format) -> Format:
    """What a file is that begins with `head` (unpacked) and whose name promises `named`: `named` where in doubt."""
    start = _as_ascii(head)
    if named.grows and not _is_pretty_json(start):
        # A line of JSON looks like a file of JSON.
        start = b"" if start[:1] in (b"{", b"[") else start
    return next((form for form in formats() if form.sniff and form.sniff.match(start)), named)


def packing(head: bytes) -> str | None:
    """How the bytes that begin with `head` are packed, if they are."""
    return next((name for name, (magic, _) in PACKINGS.items() if head.startswith(magic)), None)


def of_media_type(media_type: str) -> Format | None:
    """The first format of this media type."""
    return next((form for form in formats() if form.media_type == media_type), None)


@cache
def _by_extension() -> dict[bytes, Format]:
    return {extension.encode(): form for form in reversed(formats()) for extension in form.extensions}


_PACKED = frozenset(end.encode() for _, end in PACKINGS.values())


def _as_ascii(head: bytes) -> bytes:
    """`head` without byte order mark and leading blanks, UTF-16 as far as it is ASCII."""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in head[:2]:
        # A tar's first bytes are a name, an archive's a mark: none of them has a zero here.
        head = head[2:].replace(b"\0", b"") if head[:1] in b"\xff\xfe" else head.replace(b"\0", b"")
    return head.removeprefix(_BOM).lstrip(_BLANK)


def _is_pretty_json(start: bytes) -> bool:
    """Whether a file of lines begins with a bracket alone, which is no line of JSON."""
    return start.split(b"\n", 1)[0].rstrip() in (b"{", b"[") and b"\n" in start
