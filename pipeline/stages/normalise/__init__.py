"""Raw bytes of one media type → Article: decode, parse, clean, assemble. Pure; each parser knows one format.

RawArticle ─▶ parse_text | parse_html | parse_json ─▶ Draft ─▶ assemble ─▶ Article
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.errors import UnknownFormat
from pipeline.records import Article, RawArticle
from pipeline.stages.normalise.assemble import assemble
from pipeline.stages.normalise.draft import Draft
from pipeline.stages.normalise.html import parse_html
from pipeline.stages.normalise.json import parse_json
from pipeline.stages.normalise.text import parse_text

__all__ = ["normalise"]

PARSERS: dict[str, tuple[str, Callable[[bytes], Draft]]] = {
    "text/plain": ("text", parse_text),
    "text/html": ("html", parse_html),
    "application/xhtml+xml": ("html", parse_html),
    "application/json": ("json", parse_json),
    "application/ld+json": ("json", parse_json),
}
"""By media type: the slug that an Article carries as its `format`, and the parser."""


def normalise(raw: RawArticle) -> Article:
    """The Article in `raw`. The same bytes give the same Article; raises BadInput, and nothing else."""
    media_type = raw.media_type.partition(";")[0].strip().lower()
    if media_type not in PARSERS:
        known = ", ".join(PARSERS)
        raise UnknownFormat(f"no parser reads {raw.media_type!r}; drop the article as one of: {known}")
    slug, parse = PARSERS[media_type]
    return assemble(raw, slug, parse(raw.content))
