"""application/json: one object that holds one article."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from pipeline.errors import BrokenRecord, NoArticle
from pipeline.stages.normalise.charset import MENDED, decode, mend
from pipeline.stages.normalise.draft import Context, Draft, Names
from pipeline.stages.normalise.fields import SUMMARY, Record, read_record

CONTROLS = "json-controls"
TRUNCATED = "body-truncated"

# Names under which an envelope keeps the article itself.
_ENVELOPES = (
    "article",
    "data",
    "item",
    "post",
    "doc",
    "document",
    "_source",
    "fields",
    "response",
    "content",
    "@graph",
)
_DEEPEST = 4
# What a news API appends to the words that it lets one read for nothing.
_CUT_MARK = re.compile(r"(?:…|\.\.\.)?\s*\[\+\d+ char(?:acter)?s\]\s*\Z")


def parse_json(content: bytes, context: Context) -> Draft:
    """The article in `content`. Raises BrokenRecord on broken JSON or another shape, NoArticle without a body."""
    value, warnings = _load(content, context.said.get("charset"))
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise BrokenRecord(f"the JSON is {_kind(value)}, not an object; give one article as one object")
    draft = _best(value, context.names)
    if not draft.paragraphs:
        names = ", ".join(list(value)[:8])
        raise NoArticle(f"no field of this object holds an article's text (it has: {names}); name it `body` or `text`")
    draft.paragraphs[-1], cut = _CUT_MARK.subn("…", draft.paragraphs[-1])
    draft.warnings |= warnings | ({TRUNCATED} if cut else set())
    return draft


def _load(content: bytes, declared: str | None) -> tuple[Any, set[str]]:
    """The value, by orjson; what it refuses (other charsets, raw line ends in strings) by the slower library."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        text, warnings = decode(content, declared)
    else:
        return (value, set()) if content.isascii() else _mended(value, content.decode())
    try:
        return json.loads(text), warnings
    except RecursionError as error:
        raise BrokenRecord("the JSON is nested too deeply to be an article; flatten it") from error
    except ValueError:
        return _load_leniently(text), warnings | {CONTROLS}


def _mended(value: Any, text: str) -> tuple[Any, set[str]]:
    """`value`, which is what `text` says, or what it says without its mojibake. JSON's own signs are ASCII, so that
    mending leaves the shape alone.
    """
    mended = mend(text)
    try:
        return (value, set()) if mended is text else (orjson.loads(mended), {MENDED})
    except orjson.JSONDecodeError:
        return value, set()


def _load_leniently(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise BrokenRecord(f"this is no JSON ({error}); mend it and drop it again") from error


def _kind(value: Any) -> str:
    return f"a list of {len(value)}" if isinstance(value, list) else "null" if value is None else type(value).__name__


def _best(value: Record, names: Names) -> Draft:
    """The draft of the first object with a real body, from the outside in; else the first with anything."""
    drafts = []
    for record in _unwrap(value, 0):
        draft = read_record(record, "field", names)
        if draft.paragraphs and SUMMARY not in draft.warnings:
            return draft
        drafts.append(draft)
    return next((draft for draft in drafts if draft.paragraphs), drafts[0])


def _unwrap(value: Any, depth: int) -> Iterator[Record]:
    if isinstance(value, list) and value and depth:
        value = value[0]
    if not isinstance(value, dict) or depth == _DEEPEST:
        return
    yield value
    for name in _ENVELOPES:
        yield from _unwrap(value.get(name), depth + 1)
