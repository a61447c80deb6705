"""The article object among a page's JSON-LD blocks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

_OTHER_KINDS = frozenset({"BlogPosting", "LiveBlogPosting", "Report", "Review", "SocialMediaPosting"})
_NESTED = ("@graph", "mainEntity", "mainEntityOfPage", "itemReviewed", "hasPart")
_DEEPEST = 5
_MOST_NODES = 500


def article_node(blocks: Iterable[str]) -> dict[str, Any] | None:
    """The first NewsArticle or kin in `blocks`, the one with most to say first; references by `@id` resolved."""
    nodes = [node for block in blocks for node in _nodes(_load(block), 0)][:_MOST_NODES]
    articles = [node for node in nodes if _is_article(node)]
    if not articles:
        return None
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    best = max(articles, key=lambda node: ("headline" in node) + ("datePublished" in node) + ("articleBody" in node))
    return {name: _resolved(value, by_id) for name, value in best.items()}


def _load(block: str) -> Any:
    """The block's value, None where it is broken beyond raw control characters and wrapping comments."""
    text = block.strip().removeprefix("<!--").removesuffix("-->").removeprefix("//<![CDATA[").removesuffix("//]]>")
    text = text.strip().rstrip(";")
    try:
        return orjson.loads(text)
    except ValueError:
        pass
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


def _is_article(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    return any(
        isinstance(kind, str) and (kind.endswith("Article") or kind in _OTHER_KINDS)
        for kind in (kinds if isinstance(kinds, list) else [kinds])
    )


def _resolved(value: Any, by_id: dict[str, dict[str, Any]]) -> Any:
    """`{"@id": …}` replaced by the node of that name, also inside a list."""
    if isinstance(value, list):
        return [_resolved(item, by_id) for item in value]
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("@id"), str):
        return by_id.get(value["@id"], value)
    return value
