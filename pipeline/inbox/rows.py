"""CSV and mailboxes: text files whose articles are runs of lines, read in bounded memory.

A row of a CSV file comes as the header line and the row, both as found, so that it says by itself what its cells
are and what parts them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.errors import BrokenRecord
from pipeline.inbox.entries import Entry, Limits, Read, capped, some, too_long
from pipeline.inbox.markup import recoded

_BOM = b"\xef\xbb\xbf"
_DELIMITERS = b",;\t|"
_QUOTES = {byte: re.compile(rb'(?:\A|%b) *"' % re.escape(bytes([byte]))) for byte in _DELIMITERS}
_UNQUOTE = re.compile(rb'""|"')
_LONGEST_HEADER = 65_536

Line = tuple[bytes, int]
"""A line with its end, and its size; of an overlong one the beginning only."""


def split_csv(read: Read, name: str, limits: Limits, position: int) -> Iterator[Entry]:
    """A row an entry, from number `position` on. Raises EmptyInput without a row, BrokenRecord without a header."""
    lines = _lines(recoded(read), limits.kept_bytes)
    header, size = next(lines, (b"", 0))
    header = header.removeprefix(_BOM)
    if size > _LONGEST_HEADER:
        raise BrokenRecord(f"{name} does not begin with a line of column names; add one and drop the file again")
    delimiter = max(_DELIMITERS, key=header.count)
    header = header.rstrip(b"\r\n") + b"\n"
    rows = (row for row in _rows(lines, delimiter, limits.kept_bytes) if row[0].strip())
    found = _row_entries(rows, header, name, limits)
    for entry in some(found, name):
        if entry.position >= position:
            yield entry


def split_mbox(read: Read, name: str, limits: Limits, position: int) -> Iterator[Entry]:
    """A message an entry, from number `position` on, without its `From ` line."""
    number, parts, size, kept, after_blank = -1, [b""], 0, 0, True
    for line, length in _lines(read, limits.kept_bytes):
        if after_blank and line.startswith(b"From "):
            if number >= position:
                yield _message(number, parts, size, name, limits)
            number, parts, size, kept = number + 1, [], 0, 0
        else:
            size += length
            if kept <= limits.kept_bytes:
                parts.append(line)
                kept += len(line)
        after_blank = not line.strip()
    if number >= position:
        yield _message(number, parts, size, name, limits)


def _message(number: int, parts: list[bytes], size: int, name: str, limits: Limits) -> Entry:
    entry = Entry(number, b"".join(parts), number + 1)
    return capped(entry, size, f"{name}, message {number}", limits)


def _lines(read: Read, most: int) -> Iterator[Line]:
    rest, dropped = b"", 0
    while chunk := read():
        *full, rest = (rest + chunk).split(b"\n")
        for line in full:
            yield line[:most] + b"\n", len(line) + 1 + dropped
            dropped = 0
        if len(rest) > most:
            dropped += len(rest) - most
            rest = rest[:most]
    if rest:
        yield rest, len(rest) + dropped


def _row_entries(rows: Iterator[tuple[bytes, int, bool]], header: bytes, name: str, limits: Limits) -> Iterator[Entry]:
    for number, (row, size, whole) in enumerate(rows):
        what = f"{name}, row {number + 1}"
        entry = Entry(number, header + row, number + 1)
        if size > limits.article_bytes:
            entry = entry._replace(content=row[: limits.kept_bytes], fault=too_long(size, what, limits))
        elif not whole:
            fault = BrokenRecord(f"{what} has a quote that is never closed; mend the row and drop the file again")
            entry = entry._replace(content=row, fault=fault)
        yield entry


def _rows(lines: Iterator[Line], delimiter: int, most: int) -> Iterator[tuple[bytes, int, bool]]:
    """Rows, their sizes, and whether they are whole. A quote that is never closed spoils its own line alone."""
    held: list[Line] = []
    held_bytes, quoted = 0, False
    for line in lines:
        quoted = _quoted_after(line[0], quoted, delimiter)
        held.append(line)
        held_bytes += line[1]
        if not quoted:
            yield b"".join(text for text, _ in held), held_bytes, True
        elif held_bytes > most:
            yield from _as_lines(held)
        else:
            continue
        held, held_bytes, quoted = [], 0, False
    yield from _as_lines(held)


def _as_lines(held: list[Line]) -> Iterator[tuple[bytes, int, bool]]:
    for number, (text, size) in enumerate(held):
        yield text, size, number > 0


def _quoted_after(line: bytes, quoted: bool, delimiter: int) -> bool:
    """Whether we are within quotes at the end of `line`, given whether we are at its beginning."""
    at = 0
    while True:
        if quoted:
            found = next((quote for quote in _UNQUOTE.finditer(line, at) if len(quote[0]) == 1), None)
        else:
            found = _QUOTES[delimiter].search(line, at)
        if found is None:
            return quoted
        quoted, at = not quoted, found.end()
