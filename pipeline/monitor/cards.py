"""One readable card for each record. Pure: a Look in, something that rich can print out.

Whatever comes from an article goes through `printable` into a Text, never into markup.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pipeline.monitor.looks import JSON_TOPICS, Look
from pipeline.monitor.printable import printable, printable_bytes

_COLOURS = {"raw": "cyan", "enriched": "green", "duplicates": "yellow", "rejected": "red", "files": "blue",
            "stories": "magenta"}  # fmt: skip
_PARAGRAPH = 600
_MOST_NAMES = 8


class Card(NamedTuple):
    """What a card says: a headline, one dim line of facts, and labelled lines below."""

    headline: str
    facts: list[str]
    lines: list[tuple[str, str]]
    text: str = ""


def card(look: Look) -> RenderableType:
    """The card of one record."""
    return framed(content(look), look.name, f"{_name(look.key)} · partition {look.partition} · offset {look.offset}")


def content(look: Look) -> Card:
    """What the card of `look` says."""
    record = look.json if look.name in JSON_TOPICS else None
    if not isinstance(record, dict):
        return _rejected(look) if look.name == "rejected" else _bytes(look)
    try:
        if look.name == "stories":
            return _story_card(record)
        return _file(look, record) if look.name == "files" else article_card(record)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        # JSON, but of somebody else's making: shown as the bytes it is.
        return _bytes(look)


def framed(said: Card, kind: str, foot: str) -> Panel:
    """`said` in a frame that names the kind of record and, below, where it stands."""
    colour = _COLOURS.get(kind, "white")
    parts: list[RenderableType] = [Text(printable(said.headline), style="bold")]
    if said.facts:
        parts.append(Text(" · ".join(map(printable, said.facts)), style="dim"))
    if said.lines:
        parts.append(_lines(said.lines, colour))
    if said.text:
        parts += [Text(), Text(printable(said.text))]
    return Panel(
        Group(*parts),
        box=ROUNDED,
        border_style=colour,
        title=Text(kind, style=colour),
        title_align="left",
        subtitle=Text(printable(foot), style="dim"),
        subtitle_align="right",
    )


def _lines(lines: list[tuple[str, str]], colour: str) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=colour, no_wrap=True)
    grid.add_column(overflow="fold")
    for label, line in lines:
        grid.add_row(Text(label), Text(printable(line)))
    return grid


def article_card(record: dict[str, Any]) -> Card:
    """The card of a ninjs record with `x_copydesk`; whatever is missing is left out."""
    ours = record.get("x_copydesk") or {}
    headline = _first(record.get("headlines"), "value") or "(no headline)"
    lines = [
        ("people", _names(record.get("people"))),
        ("organisations", _names(record.get("organisations"))),
        ("places", _names(record.get("places"))),
        ("topics", _names(record.get("subjects"))),
        ("keywords", ", ".join(ours.get("keywords") or ())),
        ("your terms", _terms(ours.get("terms"))),
        ("duplicate", _duplicate(ours.get("duplicate"))),
        ("revision", _revision(ours.get("revision"))),
        ("derived", _derived(ours.get("derived"))),
        ("story", _story(ours)),
        ("untagged", str(ours.get("tagging_failed") or "")),
        ("warnings", ", ".join(ours.get("warnings") or ())),
    ]
    body = _first(record.get("bodies"), "value")
    return Card(headline, _facts(record, ours), [line for line in lines if line[1]], _shorten(body.split("\n\n")[0]))


def _story_card(record: dict[str, Any]) -> Card:
    size, duplicates = int(record["size"]), int(record["duplicates"])
    facts = [
        f"{size:,} article{'s' * (size != 1)}",
        f"{duplicates:,} duplicate{'s' * (duplicates != 1)}" if duplicates else "",
        f"{record['first_seen']} to {record['last_seen']}",
        ", ".join(f"{code} {count:,}" for code, count in record["languages"].items()),
    ]
    return Card(str(record["headline"]), [fact for fact in facts if fact], [])


def _facts(record: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    words = (record.get("bodies") or [{}])[0].get("wordCount")
    facts = [
        str(ours.get("source", "")),
        _date(record, ours),
        _language(record),
        str(record.get("by", "")),
        str(record.get("located", "")),
        _first(record.get("infoSources"), "name"),
        f"{words:,} words" if isinstance(words, int) else "",
        "headline derived" if ours.get("headline_derived") else "",
    ]
    return [fact for fact in facts if fact]


def _language(record: dict[str, Any]) -> str:
    code = str(record.get("language", ""))
    # "und": not known, or (duplicates) nobody looked.
    return "" if code == "und" else code


def _date(record: dict[str, Any], ours: dict[str, Any]) -> str:
    """As much of the article's own date as is known."""
    date = str(record.get("contentCreated", ""))
    stated = (ours.get("dates") or {}).get("published") or {}
    return date[:10] if stated.get("precision") == "day" else date


def _duplicate(found: dict[str, Any] | None) -> str:
    return f"{found['method']}, similarity {found['similarity']:.3f}, of {found['of']}" if found else ""


def _story(ours: dict[str, Any]) -> str:
    """The article that began its story, where that was another one."""
    story = str(ours.get("story", ""))
    return "" if story == ours.get("id") else story


def _derived(found: dict[str, Any] | None) -> str:
    return f"from {found['of']}, similarity {found['similarity']:.2f}" if found else ""


def _terms(found: Iterable[dict[str, Any]] | None) -> str:
    """Each term with the words that made it hold."""
    return "; ".join(f"{term['name']} ({term['id']}), for {_places(term['evidence'])}" for term in found or ())


def _places(evidence: Iterable[dict[str, Any]]) -> str:
    return ", ".join(f"“{hit['text']}” at {hit['part']} {hit['start']}" for hit in evidence)


def _revision(found: dict[str, Any] | None) -> str:
    return f"number {found['number']}, of {found['of']}" if found else ""


def _rejected(look: Look) -> Card:
    header = look.header
    stage, attempts = header.get("stage", "?"), header.get("attempts", "1")
    facts = [header.get("source", ""), f"position {header.get('position', '?')}", f"stage {stage}"]
    if attempts != "1":
        facts.append(f"{attempts} attempts")
    return Card(header.get("reason", "(no reason)"), facts, [("error", header.get("error", ""))], _preview(look.value))


def _bytes(look: Look) -> Card:
    header = look.header
    facts = [f"position {header.get('position', '?')}", header.get("media-type", ""), header.get("received", "")]
    size = f"{len(look.value or b''):,} bytes"
    source = header.get("source") or "(no source)"
    return Card(source, [fact for fact in (*facts, size) if fact], [], _preview(look.value))


def _file(look: Look, record: dict[str, Any]) -> Card:
    lines = [(name, str(found)) for name, found in record.items() if not isinstance(found, dict | list)]
    return Card(_name(look.key), [], lines)


def _preview(value: bytes | None) -> str:
    return printable_bytes(value) if value else "(empty)"


def _names(found: Iterable[dict[str, Any]] | None) -> str:
    names = [str(one.get("name", "")) for one in found or ()]
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _first(found: list[dict[str, Any]] | None, key: str) -> str:
    return str(found[0].get(key, "")) if found else ""


def _shorten(text: str) -> str:
    return text if len(text) <= _PARAGRAPH else text[:_PARAGRAPH].rsplit(" ", 1)[0] + " …"


def _name(key: bytes | None) -> str:
    return key.decode("utf-8", "backslashreplace") if key else "(no key)"
