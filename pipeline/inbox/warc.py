"""Web archives (WARC): the pages in them, in bounded memory.

Only responses that are HTML are articles; requests, images and metadata are passed over. A page comes without its
HTTP head and unpacked, as the server meant it; `context` tells its address, when it was fetched, and its charset.
A record whose length is wrong ends where the next one begins, as far as it fits into memory.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from pipeline.errors import ArchiveLimit, BadInput, BrokenRecord
from pipeline.inbox.entries import Entry, Limits, Read, capped, some

_LONGEST_HEAD = 65_536
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([\w.:-]{2,40})", re.I)
_LENGTH = re.compile(rb"\d{1,18}")
# A record begins after an empty line.
_NEXT = re.compile(rb"(?:\r?\n){1,2}(?=WARC/\d\.\d\r?\n)")
_FIRST_LINE_BYTES = 16
_CHUNK_LINE = re.compile(rb"\s*([0-9a-fA-F]{1,8})[^\r\n]{0,200}\r?\n")
_HTML = (b"text/html", b"application/xhtml+xml")

Head = dict[bytes, bytes]


def split_warc(read: Read, name: str, limits: Limits, position: int) -> Iterator[Entry]:
    """A page an entry, from number `position` on.

    Raises EmptyInput where there is no page, ArchiveLimit where the file is cut short or no WARC from some place on.
    """
    for entry in some(_pages(_Stream(read, name), name, limits), name):
        if entry.position >= position:
            yield entry


def _pages(stream: _Stream, name: str, limits: Limits) -> Iterator[Entry]:
    number = 0
    while head := stream.head():
        first, fields = head
        if not first.startswith(b"WARC/"):
            raise ArchiveLimit(f"{name}: there is no WARC record behind page {number}; pack the file again")
        length = fields.get(b"content-length", b"")
        # One without a length is as one with a wrong one.
        kept, size = stream.record(int(length) if _LENGTH.fullmatch(length) else 0, limits.kept_bytes)
        is_page = fields.get(b"warc-type", b"").lower() == b"response"
        if is_page and (page := _page(kept, size, fields, number, f"{name}, page {number}", limits)):
            yield page
            number += 1


def _page(record: bytes, size: int, fields: Head, number: int, what: str, limits: Limits) -> Entry | None:
    """The page in a response, None where it is none: another kind of content, or an error of the server."""
    top, _, body = record.partition(b"\r\n\r\n")
    first, http = _parse_head(top)
    kind = http.get(b"content-type", b"").lower()
    if not re.match(rb"HTTP/[\d.]+ 2\d\d", first) or not kind.startswith(_HTML):
        return None
    context = {"url": fields.get(b"warc-target-uri", b"").strip(b"<>"), "date": fields.get(b"warc-date", b"")}
    if charset := _CHARSET.search(kind):
        context["charset"] = charset[1]
    entry = Entry(
        number, body, number + 1, media_type="text/html",
        context={name: value.decode("utf-8", "replace")[:2048] for name, value in context.items() if value},
    )  # fmt: skip
    if size > len(record):
        return capped(entry, size, what, limits)
    try:
        chunked = http.get(b"transfer-encoding", b"").lower() == b"chunked"
        body = _unpacked(_joined(body) if chunked else body, http, what, limits)
    except BadInput as fault:
        return entry._replace(fault=fault)
    return capped(entry._replace(content=body), len(body), what, limits)


def _joined(body: bytes) -> bytes:
    """A chunked body in one piece; as it is where it is not chunked after all, as in many archives."""
    parts: list[bytes] = []
    at = 0
    while line := _CHUNK_LINE.match(body, at):
        size = int(line[1], 16)
        if not size:
            return b"".join(parts)
        parts.append(body[line.end() : line.end() + size])
        at = line.end() + size
    return b"".join(parts) if parts and at >= len(body) else body


def _unpacked(body: bytes, http: Head, what: str, limits: Limits) -> bytes:
    """The body without its content encoding; many archives keep the header and not the encoding."""
    coding = http.get(b"content-encoding", b"").lower()
    if coding == b"gzip" and body.startswith(b"\x1f\x8b"):
        bits = 31
    elif coding == b"deflate" and not body.lstrip().startswith(b"<"):
        bits = 15 if body[:1] == b"\x78" else -15
    elif coding == b"br" and not body.lstrip().startswith(b"<"):
        raise BrokenRecord(f"{what} is packed with Brotli, which we do not read; fetch it with gzip")
    else:
        return body
    try:
        return zlib.decompressobj(bits).decompress(body, limits.article_bytes + 1)
    except zlib.error as error:
        raise BrokenRecord(f"{what}: no valid {coding.decode()} data ({error}); fetch the page again") from error


def _parse_head(head: bytes) -> tuple[bytes, Head]:
    first, *lines = re.split(rb"\r?\n", head)
    pairs = (line.partition(b":") for line in lines)
    return first, {name.strip().lower(): value.strip() for name, _, value in pairs}


class _Stream:
    """The file, record by record."""

    def __init__(self, read: Read, name: str) -> None:
        self._read = read
        self._name = name
        self._buffer = b""

    def head(self) -> tuple[bytes, Head] | None:
        """The next record's first line and fields; None at the end. Raises ArchiveLimit."""
        while True:
            self._buffer = self._buffer.lstrip(b"\r\n")
            if end := re.search(rb"\r?\n\r?\n", self._buffer[: _LONGEST_HEAD + 4]):
                head, self._buffer = self._buffer[: end.start()], self._buffer[end.end() :]
                return _parse_head(head)
            if len(self._buffer) > _LONGEST_HEAD:
                raise ArchiveLimit(f"{self._name} has a WARC record without an end to its head; pack the file again")
            chunk = self._read()
            if not chunk:
                break
            self._buffer += chunk
        if self._buffer:
            raise self._cut_short()
        return None

    def record(self, size: int, most: int) -> tuple[bytes, int]:
        """The next record's first `most` bytes and its size, which is `size` unless the next one begins elsewhere.

        Raises ArchiveLimit where the file ends in the middle of it.
        """
        kept, passed = self._take(size, most)
        if passed == size and self._begins():
            return kept, size
        if passed == len(kept) and (found := self._within(kept)) >= 0:
            return kept[:found], found
        if passed < size:
            raise self._cut_short()
        return self._up_to_next(kept, passed, most)

    def _take(self, size: int, most: int) -> tuple[bytes, int]:
        """The first `most` of the next `size` bytes, and how many were passed: fewer at the file's end only."""
        parts: list[bytes] = []
        kept = passed = 0
        while passed < size and self._have(1):
            part, self._buffer = self._buffer[: size - passed], self._buffer[size - passed :]
            passed += len(part)
            if kept < most:
                parts.append(part)
                kept += len(part)
        return b"".join(parts)[:most], passed

    def _have(self, size: int) -> bool:
        """Whether so many bytes are still to come; they are in the buffer then."""
        while len(self._buffer) < size and (chunk := self._read()):
            self._buffer += chunk
        return len(self._buffer) >= size

    def _begins(self) -> bool:
        """Whether a record begins here, or the file ends."""
        while self._have(1) and self._buffer[:1] in b"\r\n":
            self._buffer = self._buffer.lstrip(b"\r\n")
        return not self._have(1) or (self._have(5) and self._buffer.startswith(b"WARC/"))

    def _within(self, kept: bytes) -> int:
        """Where in `kept`, all of a record, it should have ended; what follows that place is put back. -1: nowhere."""
        self._have(_FIRST_LINE_BYTES)
        found = _NEXT.search(kept + self._buffer[:_FIRST_LINE_BYTES])
        if not found or found.start() >= len(kept):
            return -1
        self._buffer = (kept + self._buffer)[found.end() :]
        return found.start()

    def _up_to_next(self, kept: bytes, passed: int, most: int) -> tuple[bytes, int]:
        """A record that goes on behind its stated end: all up to the next; as it was stated where there is none."""
        parts, held, extra = [kept], len(kept), 0
        while not (found := _NEXT.search(self._buffer)):
            part, self._buffer = self._buffer[:-_FIRST_LINE_BYTES], self._buffer[-_FIRST_LINE_BYTES:]
            extra += len(part)
            parts += [part] if held < most else []
            held += len(part)
            if not self._have(len(self._buffer) + 1):
                return kept, passed
        parts.append(self._buffer[: found.start()])
        extra += found.start()
        self._buffer = self._buffer[found.end() :]
        return b"".join(parts)[:most], passed + extra

    def _cut_short(self) -> ArchiveLimit:
        return ArchiveLimit(f"{self._name} ends in the middle of a WARC record; copy the file again")
