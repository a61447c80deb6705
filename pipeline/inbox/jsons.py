"""A JSON file: one article, a list of them, several in a row, or an object that wraps a list (JSON Feed, news APIs).

The bytes are scanned as Latin-1: JSON's own signs are ASCII and no byte of a UTF-8 sequence looks like one,
so the places found are byte offsets, and no article is re-written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pipeline.errors import BrokenRecord, EmptyInput
from pipeline.inbox.entries import Entry, Limits, Read, numbered, read_all, too_long

_BOM = b"\xef\xbb\xbf"
_BLANK = " \t\r\n"
_ADVICE = "split it, use JSON Lines, or raise max_file_bytes"
# Under these names a feed or an API's answer keeps its articles.
_LISTS = frozenset({"articles", "results", "stories", "docs", "news", "items"})
# An object with one of these speaks of one article, whatever lists it has.
_ONE = frozenset({"headline", "headlines", "body", "bodies", "articleBody", "content", "content_text", "text"})
_FACTS = {"title": "publisher", "language": "language", "home_page_url": "home"}
_LONGEST_FACT = 500

Span = tuple[int, int]


def split_json(read: Read, name: str, media_type: str, limits: Limits, position: int) -> Iterator[Entry]:
    """The entries from number `position` on.

    Raises EmptyInput or TooLarge for the file as a whole, BrokenRecord where JSON ends before the file does, after
    the entries before that place.
    """
    content = read_all(read, name, limits.file_bytes, _ADVICE)
    try:
        spans, context = _layout(content)
        if spans is None:
            yield from _whole(content, name, limits, position)
            return
        parts = (content[start:end] for start, end in spans)
        entry = None
        for entry in numbered(parts, name, media_type, limits, position):
            yield entry._replace(context=context)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BrokenRecord(f"{name} is no valid JSON ({error}); mend the file and drop it again") from error
    if entry is None and not position:
        raise EmptyInput(f"{name} is an empty list; drop the file again once it has articles")


def _whole(content: bytes, name: str, limits: Limits, position: int) -> Iterator[Entry]:
    if len(content) > limits.article_bytes:
        raise too_long(len(content), name, limits)
    if not position:
        yield Entry(0, content, 1, single=True, media_type="application/json")


def _layout(content: bytes) -> tuple[Iterator[Span] | None, dict[str, str]]:
    """Where the articles lie, and what the wrapper says of them all; None where the whole file is one article (or
    `normalise` must say). Raises JSONDecodeError or RecursionError, as does the iterator.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content[:4]:
        return None, {}
    text = content.decode("latin-1")
    at = _skip_blank(text, len(_BOM) if content.startswith(_BOM) else 0)
    if text.startswith("[", at):
        return _list_spans(text, at + 1, at_end=True), {}
    value, end = _scan_once(text, at)
    if _skip_blank(text, end) < len(text):
        return _stream_spans(text, at), {}
    if isinstance(value, dict) and (wrapped := _wrapped(value)):
        return _list_spans(text, _find_list(text, at, wrapped), at_end=False), _context(value)
    return None, {}


_scan_once = json.JSONDecoder(strict=False).raw_decode


def _skip_blank(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _list_spans(text: str, at: int, at_end: bool) -> Iterator[Span]:
    """The values of a list whose bracket stands before `at`; `at_end`: nothing may follow the list."""
    at = _skip_blank(text, at)
    closed = text.startswith("]", at)
    while not closed:
        start = _skip_blank(text, at)
        _, end = _scan_once(text, start)
        yield start, end
        at = _skip_blank(text, end)
        closed = text.startswith("]", at)
        if not closed and not text.startswith(",", at):
            raise json.JSONDecodeError("Expecting ',' or ']'", text, at)
        at += 0 if closed else 1
    rest = _skip_blank(text, at + 1)
    if at_end and rest < len(text):
        raise json.JSONDecodeError("Extra data", text, rest)


def _stream_spans(text: str, at: int) -> Iterator[Span]:
    """Several values one after another (JSON Lines under the wrong name)."""
    while at < len(text):
        _, end = _scan_once(text, at)
        yield at, end
        at = _skip_blank(text, end)


def _wrapped(value: dict[str, Any]) -> str:
    """The name of the list of articles in `value`; empty where it is an article itself."""
    if not value.keys() & _ONE:
        for name, inner in value.items():
            if name in _LISTS and isinstance(inner, list) and inner and isinstance(inner[0], dict):
                return name
    return ""


def _find_list(text: str, at: int, wanted: str) -> int:
    """The place behind the bracket of the list named `wanted` in the object at `at`, which is valid and has it."""
    place = -1
    while not text.startswith("}", at):
        at = _skip_blank(text, at + 1)
        name, at = _scan_once(text, at)
        at = _skip_blank(text, _skip_blank(text, at) + 1)
        if name == wanted:
            # Of names given twice, the last one counts for every reader of JSON.
            place = at + 1
        at = _skip_blank(text, _scan_once(text, at)[1])
    return place


def _context(value: dict[str, Any]) -> dict[str, str]:
    """What the feed at the top of the file says about itself."""
    found = {ours: value[theirs] for theirs, ours in _FACTS.items() if isinstance(value.get(theirs), str)}
    return {name: _mended(fact)[:_LONGEST_FACT] for name, fact in found.items() if fact.strip()}


def _mended(fact: str) -> str:
    """Words that were read as Latin-1, as the UTF-8 that they are."""
    try:
        return fact.encode("latin-1").decode()
    except UnicodeError:
        return fact
