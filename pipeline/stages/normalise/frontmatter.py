"""The `Key: value` lines that stand before a text or a Markdown document, and what they say."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from pipeline.stages.normalise.draft import Draft
from pipeline.stages.normalise.fields import is_known, read_fields

_MOST_LINES = 60
_LONGEST_LINE = 2_000
_PAIR = re.compile(r"([A-Za-z][\w -]{0,30}?) ?: *(.*)")
_ITEM = re.compile(r"\s*- +(.+)")
_LEAST_PAIRS = 2

Fields = dict[str, Any]


def without_front_matter(text: str) -> tuple[Fields, str]:
    """The fields that stand before the text, and the text below them. `text` has `\\n` for every line end.

    Between fences (`---` or, in TOML, `+++`) any keys will do; without, two lines of keys that we know are needed,
    and a blank line after them: a story may well begin with a colon.
    """
    head = text.lstrip("\n")
    lines = head.split("\n", _MOST_LINES + 1)[: _MOST_LINES + 1]
    fence = lines[0].rstrip()
    if fence in ("---", "+++"):
        closing = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() in (fence, "...")), 0)
        found = _fenced(lines[1:closing], fence) if closing else {}
    else:
        closing = next((n for n, line in enumerate(lines) if not line.strip()), 0) if len(lines) > _LEAST_PAIRS else 0
        found = _bare(lines[:closing])
    if not found:
        return {}, text
    return found, "\n".join(head.split("\n", closing + 1)[closing + 1 :])


def read_front_matter(fields: Fields) -> Draft:
    """The facts in `fields`; a body is not among them."""
    draft = read_fields({name: value for name, value in fields.items() if name}, "front-matter")
    draft.paragraphs, draft.origin = [], "front-matter"
    draft.warnings.clear()
    return draft


def _fenced(lines: list[str], fence: str) -> Fields:
    if fence == "+++":
        try:
            return {name.lower(): _as_text(value) for name, value in tomllib.loads("\n".join(lines)).items()}
        except (tomllib.TOMLDecodeError, RecursionError):
            return {}
    return _pairs(lines) if all(map(str.strip, lines)) else {}


def _bare(lines: list[str]) -> Fields:
    found = _pairs(lines) if all(_PAIR.match(line) for line in lines) else {}
    return found if sum(map(is_known, found)) >= _LEAST_PAIRS else {}


def _pairs(lines: list[str]) -> Fields:
    """YAML as people write it there: pairs, and lists of words; what is deeper is passed over."""
    found: Fields = {}
    key = ""
    for line in lines:
        if len(line) > _LONGEST_LINE:
            return {}
        if item := _ITEM.match(line):
            held = found.get(key)
            found[key] = [*(held if isinstance(held, list) else []), _unquoted(item[1])]
        elif pair := _PAIR.fullmatch(line.rstrip()):
            key = pair[1].strip().lower()
            found.setdefault(key, _value(pair[2]))
    return found


def _value(words: str) -> str | list[str]:
    words = words.strip()
    if words.startswith("[") and words.endswith("]"):
        return [_unquoted(part) for part in words[1:-1].split(",")]
    return _unquoted(words)


def _unquoted(words: str) -> str:
    words = words.strip()
    quoted = len(words) > 1 and words[0] == words[-1] and words[0] in "\"'"
    return words[1:-1] if quoted else words


def _as_text(value: Any) -> Any:
    return [str(item) for item in value] if isinstance(value, list) else str(value)
