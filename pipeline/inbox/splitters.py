"""From a file's bytes to its articles: unpack, recognise, split; each article's bytes exactly as found.

    file ─▶ unpack (gzip, bzip2, xz, Zstandard) ─▶ recognised ─▶ one splitter a format ─▶ entries
                  ▲                                     │
                  └──────── members of archives ◀───────┘

Whether the bytes are an article is for `normalise` to judge; here they are only taken apart.
A position is that of an entry's first byte (JSON Lines) or its number (else); `next_position` is where to go on.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import IO

from pipeline.errors import ArchiveLimit, BadInput, BrokenRecord, UnknownFormat
from pipeline.formats import HEAD_BYTES, Format, packing, promised, recognised
from pipeline.inbox.archives import Member, Names, tar_members, zip_members
from pipeline.inbox.entries import Entry, Limits, Read, numbered, read_all
from pipeline.inbox.jsons import split_json
from pipeline.inbox.lines import split_lines
from pipeline.inbox.markup import SHAPES, split_markup
from pipeline.inbox.rows import split_csv, split_mbox
from pipeline.inbox.scan import is_hidden
from pipeline.inbox.unpack import Budget, Unpacker
from pipeline.inbox.warc import split_warc

__all__ = ["Entry", "Limits", "Read", "format_found", "split"]

# A packed tar in a zip that holds packed files has four layers.
_DEEPEST = 4
# A NewsML-G2 file whose root is an item is that one article.
_LONE_ITEM = re.compile(rb"<(?:[\w.-]+:)?(newsItem|packageItem|conceptItem|knowledgeItem|planningItem|newsMessage)\b")


def split(
    read: Read,
    name: str,
    named: Format,
    limits: Limits,
    position: int = 0,
    whole: Callable[[], IO[bytes]] | None = None,
) -> Iterator[Entry]:
    """The entries of one file from `position` on, whose name promises `named`.

    `read` starts at the file's first byte, whatever the position. `whole` gives the file to be searched through,
    after all of it was read; without it, a zip is held in memory.
    Raises BadInput where the file as a whole is at fault, after the entries before the fault.
    """
    budget = Budget(name, limits)
    return _Splitter(limits, budget).split(budget.counted(read), name, named, position, 0, whole)


def format_found(read: Read, name: str, named: Format, limits: Limits) -> Format:
    """What the file that `read` gives is. `named` where its bytes cannot be unpacked."""
    try:
        return _Splitter(limits, Budget(name, limits)).opened(read, name, named, 0)[1]
    except BadInput:
        return named


def _ahead(read: Read) -> tuple[bytes, Read]:
    """The first bytes, and a way to read them again with all that follows."""
    parts, size = [], 0
    while size < HEAD_BYTES and (chunk := read()):
        parts.append(chunk)
        size += len(chunk)
    again = chain(parts, iter(read, b""))
    # No more than that, or what a file is would depend on how its bytes arrive.
    return b"".join(parts)[:HEAD_BYTES], lambda: next(again, b"")


class _Splitter:
    """One file's layers: all of them draw on one budget."""

    def __init__(self, limits: Limits, budget: Budget) -> None:
        self._limits = limits
        self._budget = budget

    def opened(self, read: Read, name: str, named: Format, depth: int) -> tuple[Read, Format, int, bytes]:
        """Unpack: how to read on, what it is, how many layers deep, and its first bytes. Raises ArchiveLimit."""
        head, read = _ahead(read)
        while (packed := packing(head)) is not None:
            depth = self._deeper(depth, name)
            head, read = _ahead(Unpacker(read, name, packed, self._budget).read)
        return read, recognised(head, named), depth, head

    def split(
        self, read: Read, name: str, named: Format, position: int, depth: int,
        whole: Callable[[], IO[bytes]] | None = None,
    ) -> Iterator[Entry]:  # fmt: skip
        """As the function `split`, `depth` layers deep."""
        read, form, inner, head = self.opened(read, name, named, depth)
        if form.slug in ("zip", "tar"):
            source = whole if inner == depth else None
            entries = self._archive(form, read, name, self._deeper(inner, name), source)
            for passed, entry in enumerate(entries, 1):
                if passed > position:
                    yield entry._replace(next_position=passed)
            return
        for entry in self._entries(form, head, read, name, position):
            yield entry if entry.media_type else entry._replace(media_type=form.media_type)

    def _deeper(self, depth: int, name: str) -> int:
        if depth == _DEEPEST:
            raise ArchiveLimit(f"{name} is packed over {_DEEPEST} layers deep; unpack it by hand")
        return depth + 1

    def _entries(self, form: Format, head: bytes, read: Read, name: str, position: int) -> Iterator[Entry]:
        limits, slug = self._limits, form.slug
        if slug == "jsonl":
            return split_lines(read, name, limits, position)
        if slug in ("json", "jsonfeed"):
            return split_json(read, name, form.media_type, limits, position)
        if slug in SHAPES and not _is_lone_item(slug, head):
            return split_markup(read, name, slug, form.media_type, limits, position)
        if slug in _OTHERS:
            return _OTHERS[slug](read, name, limits, position)
        if slug == "xml":
            raise UnknownFormat(f"{name} is XML of no kind that we read; see `copydesk formats`")
        if form.split:
            return _foreign(form, read, name, limits, position)
        return _one(read, name, limits, position)

    def _archive(
        self, form: Format, read: Read, name: str, depth: int, whole: Callable[[], IO[bytes]] | None
    ) -> Iterator[Entry]:
        names = Names()
        for member in self._members(form, read, name, whole):
            if not member.fault and any(is_hidden(part) or part == b"__MACOSX" for part in member.name.split(b"/")):
                # As in the inbox itself.
                continue
            self._budget.take_member()
            place = names.place(member)
            for entry in self._member(member, name + place, depth):
                yield entry._replace(member=place + entry.member)

    def _members(self, form: Format, read: Read, name: str, whole: Callable[[], IO[bytes]] | None) -> Iterator[Member]:
        if form.slug == "tar":
            return tar_members(read, name)
        if whole is None:
            content = read_all(read, name, self._limits.file_bytes, "unpack it by hand, or raise max_file_bytes")
            return zip_members(io.BytesIO(content), name, self._budget)
        while read():
            pass
        return zip_members(whole(), name, self._budget)

    def _member(self, member: Member, name: str, depth: int) -> Iterator[Entry]:
        kept = _Kept(member.read, self._limits.kept_bytes)
        passed = 0
        try:
            if member.fault:
                raise member.fault
            named = promised(member.name)
            if named is None:
                raise UnknownFormat(f"{name} is of no format that we read; see `copydesk formats`")
            for entry in self.split(kept.read, name, named, 0, depth):
                yield entry
                passed = entry.next_position
        except BadInput as fault:
            if self._budget.spent:
                raise
            yield Entry(passed, kept.head(), passed, fault=fault)


class _Kept:
    """Reads on and remembers the first bytes, for the dead letters."""

    def __init__(self, read: Read, most: int) -> None:
        self._read = read
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0

    def read(self) -> bytes:
        chunk = self._read()
        if self._size < self._most:
            self._parts.append(chunk)
            self._size += len(chunk)
        return chunk

    def head(self) -> bytes:
        """The first bytes, read now as far as they were not."""
        try:
            while self._size < self._most and self.read():
                pass
        except BadInput:
            # What can be had of a broken member.
            pass
        return b"".join(self._parts)[: self._most]


def _is_lone_item(slug: str, head: bytes) -> bool:
    found = _LONE_ITEM.search(head.replace(b"\0", b"")) if slug == "newsml-g2" else None
    return found is not None and found[1] != b"newsMessage"


def _one(read: Read, name: str, limits: Limits, position: int) -> Iterator[Entry]:
    content = read_all(
        read, name, limits.article_bytes, "split it, or raise max_article_bytes and the topics' max.message.bytes"
    )
    if not position:
        yield Entry(0, content, 1, single=True)


def _foreign(form: Format, read: Read, name: str, limits: Limits, position: int) -> Iterator[Entry]:
    """By another package's splitter. Whatever it raises is the file's fault."""
    assert form.split  # noqa: S101  # the caller's business
    content = read_all(read, name, limits.file_bytes, "split it, or raise max_file_bytes")
    try:
        yield from numbered(form.split(content), name, form.media_type, limits, position)
    except BadInput:
        raise
    except Exception as error:
        raise BrokenRecord(f"{name}: the splitter of {form.slug} failed ({error}); mend it") from error


_OTHERS: dict[str, Callable[[Read, str, Limits, int], Iterator[Entry]]] = {
    "csv": split_csv,
    "mbox": split_mbox,
    "warc": split_warc,
}
