"""XML that holds several articles (RSS, Atom, RDF, NewsML-G2, NewsML 1): every article's element, byte by byte.

The tags are found by a scan of the bytes, not by an XML parser: so no entity is ever expanded, memory is bounded
by one article, a feed that is not well-formed still gives its articles, and each comes exactly as it stands. That
is sound because in all charsets of the web but UTF-16 (see `recoded`) the signs of a tag are those of ASCII.
An element that is never closed ends where the next one begins.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from pipeline.errors import BrokenRecord
from pipeline.inbox.channel import read_channel
from pipeline.inbox.entries import Entry, Limits, Read, capped, some

# What comes before the first article, as far as we look for what it says about all of them.
_CHANNEL_BYTES = 65_536
# No tag's name is longer, so at the end of a chunk so much may be the beginning of one.
_LONGEST_NAME = 200
# So many of the first bytes tell UTF-16.
_MARK_BYTES = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """How the articles of a format lie in its files."""

    names: bytes
    """Local names of their elements, parted by `|`."""
    roots: bytes
    """Local names of the elements around them, parted by `|`."""
    nests: bool = False
    """An article may hold another one, which then belongs to it."""
    lone: bool = False
    """A file of a single article stands for it, so that a later version may take its place."""


SHAPES = {
    "rss": Shape(b"item", b"rss|channel"),
    "rdf": Shape(b"item", b"RDF"),
    "atom": Shape(b"entry", b"feed"),
    "newsml-g2": Shape(
        b"newsItem|packageItem|conceptItem|knowledgeItem|planningItem", b"newsMessage|itemSet", lone=True
    ),
    "newsml": Shape(b"NewsItem", b"NewsML", nests=True, lone=True),
}


def recoded(read: Read) -> Read:
    """UTF-16 with a byte order mark (or plainly without) as UTF-8; anything else as it is."""
    head = read()
    while len(head) < _MARK_BYTES and (more := read()):
        head += more
    codec = _wide(head[:_MARK_BYTES])
    if not codec:
        parts = chain([head], iter(read, b""))
        return lambda: next(parts, b"")
    decoder = codecs.getincrementaldecoder(codec)("replace")
    # The mark is one at the very beginning only.
    start = decoder.decode(head).removeprefix("\ufeff")
    texts = chain([start], (decoder.decode(part) for part in iter(read, b"")))
    # An odd byte may decode to nothing, which would look like the end.
    full = (text.encode("utf-8", "replace") for text in texts if text)
    return lambda: next(full, b"")


def _wide(start: bytes) -> str:
    if start.startswith(codecs.BOM_UTF16_LE) or start[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if start.startswith(codecs.BOM_UTF16_BE) or start[:1] == b"\0" else ""


def split_markup(read: Read, name: str, slug: str, media_type: str, limits: Limits, position: int) -> Iterator[Entry]:
    """The entries from number `position` on.

    Raises EmptyInput where there is none, BrokenRecord where the file ends in the middle of an article, after the
    articles before it.
    """
    shape = SHAPES[slug]
    scan = _Scan(recoded(read), name, shape, limits.kept_bytes)
    found = (
        capped(Entry(number, part, number + 1, media_type=media_type), size, f"{name}, entry {number}", limits)
        for number, (part, size) in enumerate(scan.elements())
    )
    context = None
    for entry in some(_lone(found) if shape.lone else found, name):
        if context is None:
            context = read_channel(scan.channel, slug)
        if entry.position >= position:
            yield entry._replace(context=context)


def _lone(entries: Iterator[Entry]) -> Iterator[Entry]:
    """`entries`, a single one marked as such."""
    first = next(entries, None)
    if first is None:
        return
    try:
        second = next(entries, None)
    except BrokenRecord:
        yield first
        raise
    yield first if second else first._replace(single=True)
    if second:
        yield second
    yield from entries


class _Scan:
    """One pass over a file. `channel` holds its beginning once the first element was given."""

    def __init__(self, read: Read, name: str, shape: Shape, most: int) -> None:
        self.channel = b""
        self._read = read
        self._name = name
        self._nests = shape.nests
        self._most = most
        self._token = re.compile(rb"<!--|<!\[CDATA\[|<\?|<(/?)(?:[\w.-]+:)?(?:" + shape.names + rb")(?=[\s/>])")
        self._end = re.compile(rb"</(?:[\w.-]+:)?(?:" + shape.roots + rb")\s*>")
        self._buffer = b""
        self._at = 0
        """Where to look on in the buffer."""
        self._start = -1
        """Where the element begins that we are in; below 0: we are in none."""
        self._depth = 0
        self._dropped = 0
        """Bytes of an overlong element that are no longer in the buffer."""

    def elements(self) -> Iterator[tuple[bytes, int]]:
        """Each element and its size; of an overlong one its beginning only."""
        while token := self._next_token():
            kind = token[0]
            if kind in _CLOSERS:
                if not self._skip_past(_CLOSERS[kind], token.end()):
                    break
            elif token[1]:
                yield from self._closing(token)
            else:
                yield from self._opening(token)
        if self._start >= 0:
            yield self._last()

    def _next_token(self) -> re.Match[bytes] | None:
        while True:
            if token := self._token.search(self._buffer, self._at):
                self._at = token.start()
                return token
            self._at = max(self._at, len(self._buffer) - _LONGEST_NAME)
            if not self._more():
                return None

    def _more(self) -> bool:
        """Read on, after letting go of what is no longer needed."""
        if self._start < 0:
            self.channel += self._buffer[: min(self._at, _CHANNEL_BYTES - len(self.channel))]
            self._let_go(0, self._at)
        elif len(self._buffer) - self._start > self._most:
            self._let_go(self._start + self._most, self._at)
        chunk = self._read()
        self._buffer += chunk
        return bool(chunk)

    def _let_go(self, start: int, end: int) -> None:
        if end > start:
            self._buffer = self._buffer[:start] + self._buffer[end:]
            self._at -= end - start
            self._dropped += (end - start) if self._start >= 0 else 0

    def _skip_past(self, closer: bytes, begin: int) -> bool:
        """Go on behind `closer`, which is somewhere after `begin`; False where the file ends before."""
        self._at = begin
        while (place := self._buffer.find(closer, self._at)) < 0:
            self._at = max(self._at, len(self._buffer) - len(closer) + 1)
            if not self._more():
                return False
        self._at = place + len(closer)
        return True

    def _opening(self, token: re.Match[bytes]) -> Iterator[tuple[bytes, int]]:
        if self._start >= 0 and not self._nests:
            # The one before was never closed.
            yield self._cut(token.start())
            self._depth = 0
        begin = self._at
        if self._start < 0:
            self.channel += self._buffer[: min(begin, _CHANNEL_BYTES - len(self.channel))]
            self._let_go(0, begin)
            self._start = 0
        offset = token.end() - token.start()
        self._depth += 1
        if self._skip_past(b">", self._at + offset) and self._buffer[self._at - 2 : self._at] == b"/>":
            self._depth -= 1
            if not self._depth:
                yield self._cut(self._at)

    def _closing(self, token: re.Match[bytes]) -> Iterator[tuple[bytes, int]]:
        ends = self._skip_past(b">", token.end())
        if self._start >= 0 and ends:
            self._depth -= 1
            if not self._depth:
                yield self._cut(self._at)

    def _cut(self, end: int) -> tuple[bytes, int]:
        """The element up to `end`, taken off the buffer."""
        content, size = self._buffer[self._start : end], end - self._start + self._dropped
        self._buffer, self._at = self._buffer[end:], 0
        self._start, self._dropped, self._depth = -1, 0, 0
        return content, size

    def _last(self) -> tuple[bytes, int]:
        """The element that the file's end cuts off. Raises BrokenRecord unless only its own end tag is missing."""
        closed = self._end.search(self._buffer, self._start)
        if not closed:
            raise BrokenRecord(f"{self._name} ends in the middle of an article; copy the file again")
        return self._cut(closed.start())


_CLOSERS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
