"""JSON Lines: one article a line, in bounded memory. A position is that of a line's first byte.

Lines may be added at the file's end; `next_position` is where to go on then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import orjson

from pipeline.errors import BrokenRecord
from pipeline.inbox.entries import Entry, Limits, Read, some, too_long

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"


def split_lines(read: Read, name: str, limits: Limits, position: int) -> Iterator[Entry]:
    """The entries from byte `position` on. Raises EmptyInput where there is no line at all."""
    entries = _lines(read, name, limits, position)
    return entries if position else some(entries, name)


def _lines(read: Read, name: str, limits: Limits, position: int) -> Iterator[Entry]:
    number, line = _skip_to(read, position, limits.kept_bytes)
    buffer, start = line.head + line.rest, position - len(line.head)
    # A last line without its newline was taken as it stood. Where only the newline came later, it is not new.
    known_end = len(line.head)
    while True:
        *full, buffer = buffer.split(b"\n")
        for text in full:
            number += 1
            after = start + len(text) + 1
            if not known_end or len(text.rstrip(b"\r")) > known_end:
                yield from _line(text, start, after, f"{name}, line {number}", limits)
            start, known_end = after, 0
        if len(buffer) > limits.kept_bytes:
            number += 1
            entry, buffer = _overlong(buffer, read, start, f"{name}, line {number}", limits)
            # Overlong before and longer now: it was set aside then.
            if known_end <= limits.kept_bytes:
                yield entry
            start, known_end = entry.next_position, 0
        elif chunk := read():
            buffer += chunk
        else:
            break
    if buffer and len(buffer.rstrip(b"\r")) > known_end:
        yield from _line(buffer, start, start + len(buffer), f"{name}, line {number + 1}", limits)


class _Skipped(NamedTuple):
    head: bytes
    """The line that ends, without a newline, at the position."""
    rest: bytes
    """What was read beyond the position."""


def _skip_to(read: Read, position: int, kept_bytes: int) -> tuple[int, _Skipped]:
    """Read up to `position`; the number of full lines passed, and what lies around it."""
    number, head, at = 0, b"", 0
    while at < position and (chunk := read()):
        before, rest = chunk[: position - at], chunk[position - at :]
        at += len(before)
        number += before.count(b"\n")
        _, newline, tail = before.rpartition(b"\n")
        # An overlong line was set aside as far as it went: there is no use in remembering more of it.
        head = (tail if newline else head + tail)[: kept_bytes + 1]
        if at == position:
            return number, _Skipped(head, rest)
    return number, _Skipped(head, b"")


def _line(text: bytes, start: int, after: int, what: str, limits: Limits) -> Iterator[Entry]:
    if not start and text.startswith(_BOM):
        text, start = text[len(_BOM) :], len(_BOM)
    content = text.rstrip(b"\r")
    if not content.strip(_BLANK):
        return
    if len(content) > limits.article_bytes:
        yield Entry(start, content[: limits.kept_bytes], after, fault=too_long(len(content), what, limits))
    else:
        yield Entry(start, content, after, fault=_json_fault(content, what))


def _json_fault(content: bytes, what: str) -> BrokenRecord | None:
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if not _is_json_but_for_charset(content):
            return BrokenRecord(f"{what} is no valid JSON ({error}); mend the line and drop the file again")
    return None


def _is_json_but_for_charset(content: bytes) -> bool:
    """A wrong charset is for `normalise` to mend or to reject: the line was split well."""
    try:
        orjson.loads(content.decode("latin-1"))
    except orjson.JSONDecodeError:
        return False
    return True


def _overlong(buffer: bytes, read: Read, start: int, what: str, limits: Limits) -> tuple[Entry, bytes]:
    """Pass over a line too long to hold: its first bytes as a fault, and what was read beyond it."""
    kept, size = buffer[: limits.kept_bytes], len(buffer)
    rest = b""
    while chunk := read():
        text, newline, rest = chunk.partition(b"\n")
        size += len(text) + len(newline)
        if newline:
            break
    return Entry(start, kept, start + size, fault=too_long(size, what, limits)), rest
