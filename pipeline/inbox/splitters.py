"""From a file's bytes to its articles: one generator per format, each article's bytes exactly as found.

    .txt  .html .htm      one article a file
    .json                 one article, or a list of them, or several one after another
    .jsonl .ndjson        one article a line, streamed in bounded memory
    any of them with .gz  the same, unpacked

Whether the bytes are an article is for `normalise` to judge; here they are only taken apart.
A position is that of an entry's first byte (JSON Lines) or its number (else); `next_position` is where to go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from pipeline.errors import BadInput, BrokenRecord, EmptyInput, TooLarge

Read = Callable[[], bytes]
"""Gives the next stretch of (unpacked) bytes, empty at the end."""

_TEXT, _HTML, _JSON = "text/plain", "text/html", "application/json"
_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Format:
    """How a file's name says it is to be read."""

    media_type: str
    lines: bool = False
    """One article a line: it may grow at its end."""
    packed: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too much. All in bytes."""

    article_bytes: int
    file_bytes: int
    kept_bytes: int
    """A rejected record holds at most so many of the original bytes."""
    ratio: int


class Entry(NamedTuple):
    """One article, or (with `fault`) one that could not be had, with the bytes in question."""

    position: int
    content: bytes
    next_position: int
    single: bool = False
    fault: BadInput | None = None


_FORMATS = {
    b".txt": Format(_TEXT),
    b".html": Format(_HTML),
    b".htm": Format(_HTML),
    b".json": Format(_JSON),
    b".jsonl": Format(_JSON, lines=True),
    b".ndjson": Format(_JSON, lines=True),
}


def format_of(path: bytes) -> Format | None:
    """The format that the name at the end of `path` promises, None where it is none of ours."""
    name = path.rpartition(b"/")[2].lower()
    packed = name.endswith(b".gz")
    stem, dot, extension = name.removesuffix(b".gz").rpartition(b".")
    found = _FORMATS.get(dot + extension) if stem else None
    return Format(found.media_type, found.lines, packed) if found else None


def split(read: Read, name: str, form: Format, limits: Limits, position: int = 0) -> Iterator[Entry]:
    """The entries of one file from `position` on. `read` starts at the file's first byte, whatever the position.

    Raises BadInput where the file as a whole is at fault, after the entries before the fault (JSON Lines only).
    """
    if form.lines:
        return (
            _some(_lines(read, name, limits, position), name) if not position else _lines(read, name, limits, position)
        )
    return _whole(read, name, form, limits, position)


# --- formats that are read as a whole ------------------------------------------------------------


def _whole(read: Read, name: str, form: Format, limits: Limits, position: int) -> Iterator[Entry]:
    content = _read_all(read, name, limits.file_bytes)
    if not content:
        raise EmptyInput(f"{name} is empty; drop the file again once it has content")
    spans = _json_spans(content, name) if form.media_type == _JSON else None
    if spans is None:
        _check_size(content, name, limits)
        if not position:
            yield Entry(0, content, 1, single=True)
        return
    for number in range(position, len(spans)):
        start, end = spans[number]
        part, fault = content[start:end], None
        try:
            _check_size(part, f"{name}, entry {number}", limits)
        except TooLarge as error:
            part, fault = part[: limits.kept_bytes], error
        yield Entry(number, part, number + 1, fault=fault)


def _read_all(read: Read, name: str, limit: int) -> bytes:
    parts, size = [], 0
    while part := read():
        size += len(part)
        if size > limit:
            raise TooLarge(f"{name} holds over {limit} bytes; split it, use JSON Lines, or raise max_file_bytes")
        parts.append(part)
    return b"".join(parts)


def _check_size(content: bytes, what: str, limits: Limits) -> None:
    if len(content) > limits.article_bytes:
        raise TooLarge(f"{what} has {len(content)} bytes, over max_article_bytes ({limits.article_bytes}); split it")


def _json_spans(content: bytes, name: str) -> list[tuple[int, int]] | None:
    """Where the articles of a JSON file lie, or None where the whole file is one article (or `normalise` must say).

    The bytes are scanned as Latin-1: JSON's own signs are ASCII and no byte of a UTF-8 sequence looks like one,
    so the places found are byte offsets, and no article is re-written.
    """
    text = content.decode("latin-1")
    start = len(_BOM) if content.startswith(_BOM) else 0
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content[:4]:
        return None
    try:
        at = _skip_blank(text, start)
        in_list = text[at : at + 1] == "["
        spans = _list_spans(text, at + 1) if in_list else _stream_spans(text, at)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BrokenRecord(f"{name} is no valid JSON ({error}); mend the file and drop it again") from error
    if in_list and not spans:
        raise EmptyInput(f"{name} is an empty list; drop the file again once it has articles")
    return spans if in_list or len(spans) > 1 else None


_scan_once = json.JSONDecoder(strict=False).raw_decode


def _skip_blank(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _list_spans(text: str, at: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at = _skip_blank(text, at)
    closed = text.startswith("]", at)
    while not closed:
        start = _skip_blank(text, at)
        _, end = _scan_once(text, start)
        spans.append((start, end))
        at = _skip_blank(text, end)
        closed = text.startswith("]", at)
        if not closed and not text.startswith(",", at):
            raise json.JSONDecodeError("Expecting ',' or ']'", text, at)
        at += 0 if closed else 1
    at += 1
    rest = _skip_blank(text, at)
    if rest < len(text):
        raise json.JSONDecodeError("Extra data", text, rest)
    return spans


def _stream_spans(text: str, at: int) -> list[tuple[int, int]]:
    """One value, or several one after another (JSON Lines under the wrong name)."""
    spans: list[tuple[int, int]] = []
    while at < len(text) or not spans:
        _, end = _scan_once(text, at)
        spans.append((at, end))
        at = _skip_blank(text, end)
    return spans


def _some(entries: Iterator[Entry], name: str) -> Iterator[Entry]:
    first = next(entries, None)
    if first is None:
        raise EmptyInput(f"{name} is empty; drop the file again once it has content")
    yield first
    yield from entries


# --- JSON Lines -----------------------------------------------------------------------------------


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
        yield Entry(start, content[: limits.kept_bytes], after, fault=_too_long(len(content), what, limits))
    else:
        yield Entry(start, content, after, fault=_json_fault(content, what))


def _too_long(size: int, what: str, limits: Limits) -> TooLarge:
    kept = f"; its first {limits.kept_bytes} are kept" if size > limits.kept_bytes else ""
    return TooLarge(f"{what} has {size} bytes, over max_article_bytes ({limits.article_bytes}){kept}")


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
    return Entry(start, kept, start + size, fault=_too_long(size, what, limits)), rest
