"""What every splitter takes and gives: a way to read, what is too much, and entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.errors import BadInput, EmptyInput, TooLarge

Read = Callable[[], bytes]
"""Gives the next stretch of (unpacked) bytes, empty at the end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too much. All in bytes."""

    article_bytes: int
    file_bytes: int
    """Of what must be held in memory as a whole."""
    kept_bytes: int
    """A rejected record holds at most so many of the original bytes."""
    ratio: int
    """A file may unpack to so many times its size."""
    unpacked_bytes: int = 1 << 34
    """A file may unpack to so much in all."""


class Entry(NamedTuple):
    """One article, or (with `fault`) one that could not be had, with the bytes in question."""

    position: int
    """In its file, or in its member of an archive."""
    content: bytes
    next_position: int
    """Where to go on in the file: what the ledger keeps. In an archive, how many entries have passed."""
    single: bool = False
    fault: BadInput | None = None
    media_type: str = ""
    context: Mapping[str, str] | None = None
    """See `RawArticle.context`."""
    member: str = ""
    """Behind the source, for an archive's members: `!/MEMBER`, percent-encoded."""


def read_all(read: Read, name: str, limit: int, advice: str) -> bytes:
    """All that is to be read. Raises TooLarge above `limit` bytes, EmptyInput where there is nothing."""
    parts, size = [], 0
    while part := read():
        size += len(part)
        if size > limit:
            raise TooLarge(f"{name} holds over {limit} bytes; {advice}")
        parts.append(part)
    if not size:
        raise empty(name)
    return b"".join(parts)


def empty(name: str) -> EmptyInput:
    """The error of a file without a byte or without an entry."""
    return EmptyInput(f"{name} is empty; drop the file again once it has content")


def too_long(size: int, what: str, limits: Limits) -> TooLarge:
    """The error of an article of `size` bytes."""
    kept = f"; its first {limits.kept_bytes} are kept" if size > limits.kept_bytes else ""
    return TooLarge(f"{what} has {size} bytes, over max_article_bytes ({limits.article_bytes}){kept}")


def numbered(parts: Iterable[bytes], name: str, media_type: str, limits: Limits, position: int) -> Iterator[Entry]:
    """An entry for each of `parts` from number `position` on, those that are too long as faults."""
    for number, part in enumerate(parts):
        if number >= position:
            entry = Entry(number, part, number + 1, media_type=media_type)
            yield capped(entry, len(part), f"{name}, entry {number}", limits)


def capped(entry: Entry, size: int, what: str, limits: Limits) -> Entry:
    """`entry`, set aside where the article has too many bytes (`size`; `content` may be its beginning only)."""
    if size <= limits.article_bytes:
        return entry
    return entry._replace(content=entry.content[: limits.kept_bytes], fault=too_long(size, what, limits))


def some(entries: Iterator[Entry], name: str) -> Iterator[Entry]:
    """`entries`. Raises EmptyInput where there are none."""
    first = next(entries, None)
    if first is None:
        raise empty(name)
    yield first
    yield from entries
