"""Web archives (WARC): the pages in them, in bounded memory.

Only responses that are HTML are articles; requests, images and metadata are passed over. A page comes without its
HTTP head and unpacked, as the server meant it; `context` tells its address, when it was fetched, and its charset.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from pipeline.errors import ArchiveLimit, BadInput, BrokenRecord
from pipeline.inbox.entries import Entry, Limits, Read, capped, some

_LONGEST_HEAD = 65_536
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([\w.:-]{2,40})", re.I)
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
        length = fields.get(b"content-length", b"")
        if not first.startswith(b"WARC/") or not length.isdigit():
            raise ArchiveLimit(f"{name}: there is no WARC record behind page {number}; pack the file again")
        size = int(length)
        is_page = fields.get(b"warc-type", b"").lower() == b"response"
        kept = stream.take(size, limits.kept_bytes if is_page else 0)
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
    while line := re.compile(rb"\s*([0-9a-fA-F]{1,8})[^\r\n]{0,200}\r?\n").match(body, at):
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

    def take(self, size: int, most: int) -> bytes:
        """The first `most` of the next `size` bytes; all of them are passed. Raises ArchiveLimit at the file's end."""
        parts, kept = [], 0
        while size:
            if not self._buffer:
                self._buffer = self._read()
                if not self._buffer:
                    raise self._cut_short()
            part, self._buffer = self._buffer[:size], self._buffer[size:]
            size -= len(part)
            if kept < most:
                parts.append(part)
                kept += len(part)
        return b"".join(parts)[:most]

    def _cut_short(self) -> ArchiveLimit:
        return ArchiveLimit(f"{self._name} ends in the middle of a WARC record; copy the file again")
