"""Records as the page shows them: small dictionaries for JSON, every text cut to a bound. Pure.

What is too long, of the wrong type or missing is cut or left out; nothing here can grow with an article.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from pipeline.clock import rfc3339
from pipeline.monitor.looks import Look
from pipeline.monitor.printable import printable

_TITLE, _NAME, _PARAGRAPH, _SEARCHED = 300, 80, 600, 4_000
_MOST_NAMES = 12
_SEVERAL = 2
TAGS = ("topics", "people", "organisations", "places", "keywords")

Card = dict[str, Any]


def article(look: Look, record: Any) -> Card | None:
    """The card of an enriched or duplicate `record`, the JSON of `look`; None where it is no record of ours."""
    ours = record.get("x_copydesk") if isinstance(record, dict) else None
    if not isinstance(ours, dict) or not isinstance(ours.get("id"), str):
        return None
    return {
        "id": ours["id"][:_NAME],
        "time": time_of(look),
        "headline": _line(_first(record.get("headlines"), "value"), _TITLE),
        "source": source_shown(ours.get("source")),
        "language": _language(record),
        "published": _line(record.get("contentCreated"), _NAME),
        "by": _line(record.get("by"), _TITLE),
        "located": _line(record.get("located"), _NAME),
        "publisher": _line(_first(record.get("infoSources"), "name"), _NAME),
        "words": _count(_first(record.get("bodies"), "wordCount")),
        "lead": _lead(record),
        "warnings": _lines(ours.get("warnings")),
        "tags": {kind: _tags(record, ours, kind) for kind in TAGS},
        "revision": _count(_part(ours, "revision").get("number")),
        "story": _line(ours.get("story"), _NAME),
        "untagged": "tagging_failed" in ours,
    }


def duplicate_of(record: Any) -> Card:
    """Which article a duplicate record repeats: `of`, `method` and `similarity`."""
    said = _part(_part(record, "x_copydesk"), "duplicate")
    similarity = said.get("similarity")
    return {
        "of": _line(said.get("of"), _NAME),
        "method": _line(said.get("method"), _NAME),
        "similarity": similarity if isinstance(similarity, (int, float)) else 0,
    }


def story(record: Any) -> Card | None:
    """A record of the stories topic; None where it is none of ours, or the story has no two articles of its own."""
    size, duplicates = (_count(_field(record, name)) for name in ("size", "duplicates"))
    name = _line(_field(record, "story"), _NAME)
    if not name or size - duplicates < _SEVERAL:
        return None
    return {
        "id": name,
        "headline": _line(_field(record, "headline"), _TITLE),
        "articles": size - duplicates,
        "duplicates": duplicates,
        "first": _line(_field(record, "first_seen"), _NAME),
        "last": _line(_field(record, "last_seen"), _NAME),
        "languages": [_line(code, _NAME) for code in list(_part(record, "languages"))[:_MOST_NAMES]],
    }


def letter(look: Look) -> Card:
    """A dead letter, without its bytes: those are read from Kafka when somebody asks."""
    header = look.header
    return {
        "partition": look.partition,
        "offset": look.offset,
        "time": time_of(look),
        "reason": _line(header.get("reason"), _NAME) or "(no reason)",
        "error": _line(header.get("error"), _PARAGRAPH),
        "stage": _line(header.get("stage"), _NAME),
        "source": source_shown(header.get("source")),
        "position": _line(header.get("position"), _NAME),
        "attempts": _line(header.get("attempts"), _NAME),
        "bytes": len(look.value or b""),
    }


def searched(record: Any, card: Card) -> str:
    """The words under which `card` is found: what it shows, and the first pages of the body."""
    body = str(_first(record.get("bodies"), "value") or "")[:_SEARCHED]
    names = [name for kind in TAGS for name in card["tags"][kind]]
    return folded(" ".join([card["headline"], card["by"], card["publisher"], card["located"], *names, body]))


def folded(text: str) -> str:
    """`text` as it is compared: case does not count."""
    return text.casefold()


def freshness_seconds(look: Look, record: Any) -> float | None:
    """From reading the file to writing the record, in seconds; None where the record does not say."""
    try:
        received = datetime.fromisoformat(record["firstCreated"])
        return max(0.0, look.timestamp_ms / 1000 - received.timestamp())
    except (TypeError, KeyError, ValueError, OverflowError):
        return None


def time_of(look: Look) -> str:
    """When the record was written, RFC 3339."""
    return rfc3339(datetime.fromtimestamp(look.timestamp_ms / 1000, UTC))


def source_shown(source: object) -> str:
    """A percent-encoded source as people read it; bytes that are no UTF-8 stay as `\\xff`."""
    return _line(unquote_to_bytes(str(source or "")).decode("utf-8", "backslashreplace"), _TITLE)


def _line(text: object, most: int) -> str:
    shown = printable(text[: 2 * most]) if isinstance(text, str) else ""
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _lines(found: object) -> list[str]:
    return [_line(one, _NAME) for one in found[:_MOST_NAMES]] if isinstance(found, list) else []


def _lead(record: dict[str, Any]) -> str:
    """The first paragraph that says more than the headline; of many texts the headline is the first one."""
    body = _first(record.get("bodies"), "value")
    if not isinstance(body, str):
        return ""
    first, _, rest = body[:_SEARCHED].partition("\n\n")
    return _line(
        rest.partition("\n\n")[0] if rest and first == _first(record.get("headlines"), "value") else first, _PARAGRAPH
    )


def _tags(record: dict[str, Any], ours: dict[str, Any], kind: str) -> list[str]:
    if kind == "keywords":
        return _lines(ours.get("keywords"))
    found = record.get("subjects" if kind == "topics" else kind)
    return _lines([one.get("name") for one in found if isinstance(one, dict)] if isinstance(found, list) else [])


def _language(record: dict[str, Any]) -> str:
    code = _line(record.get("language"), _NAME)
    # "und": not known, or (duplicates) nobody looked.
    return "" if code == "und" else code


def _first(found: object, key: str) -> Any:
    return found[0].get(key) if isinstance(found, list) and found and isinstance(found[0], dict) else None


def _field(record: object, key: str) -> Any:
    return record.get(key) if isinstance(record, dict) else None


def _part(record: object, key: str) -> dict[str, Any]:
    found = _field(record, key)
    return found if isinstance(found, dict) else {}


def _count(found: object) -> int:
    return found if isinstance(found, int) else 0
