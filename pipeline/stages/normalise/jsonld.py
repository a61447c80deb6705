"""The article object among a page's JSON-LD blocks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

# Pages about something: they state a date and an author as well as an article does, where there is no article.
_PAGES = ("WebPage", "ClaimReview")
_OTHER_KINDS = frozenset({"BlogPosting", "LiveBlogPosting", "Report", "Review", "SocialMediaPosting"})
_NESTED = ("@graph", "mainEntity", "mainEntityOfPage")
_DEEPEST = 5
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_MOST_NODES = 500


def article_node(blocks: Iterable[str]) -> dict[str, Any] | None:
    """The NewsArticle or kin in `blocks` that states most, else the page; references by `@id` resolved."""
    nodes = [node for block in blocks for node in _nodes(_load(block), 0)][:_MOST_NODES]
    ranked = [(rank, node) for node in nodes if (rank := _rank(node))]
    if not ranked:
        return None
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    best = max(ranked, key=lambda pair: pair[0])[1]
    return {name: _resolved(value, by_id) for name, value in best.items()}


def _load(block: str) -> Any:
    """The block's value, None where more is wrong than wrapping comments, raw controls and trailing commas."""
    text = block.strip().removeprefix("<!--").removesuffix("-->").removeprefix("//<![CDATA[").removesuffix("//]]>")
    text = text.strip().rstrip(";")
    try:
        return orjson.loads(text)
    except ValueError:
        text = _TRAILING_COMMA.sub("", text)
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _nodes(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth == _DEEPEST:
        return
    if isinstance(value, list):
        for item in value[:_MOST_NODES]:
            yield from _nodes(item, depth + 1)
    elif isinstance(value, dict):
        yield value
        for name in _NESTED:
            yield from _nodes(value.get(name), depth + 1)


def _rank(node: dict[str, Any]) -> int:
    """0 for what is no article; any article before any page, then the one that states more."""
    stated = node.get("@type")
    kinds = [kind for kind in (stated if isinstance(stated, list) else [stated]) if isinstance(kind, str)]
    more = ("headline" in node) + ("datePublished" in node) + ("articleBody" in node)
    if any(kind.endswith("Article") or kind in _OTHER_KINDS for kind in kinds):
        return 10 + more
    return 1 + more if any(kind.endswith(_PAGES) for kind in kinds) else 0


def _resolved(value: Any, by_id: dict[str, dict[str, Any]]) -> Any:
    """`{"@id": …}` replaced by the node of that name, also inside a list."""
    if isinstance(value, list):
        return [_resolved(item, by_id) for item in value]
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("@id"), str):
        return by_id.get(value["@id"], value)
    return value
