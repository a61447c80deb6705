"""Raw bytes of one media type → Article: decode, parse, clean, assemble. Pure; each parser knows one format.

RawArticle ─▶ parse_text | parse_html | parse_json ─▶ Draft ─▶ assemble ─▶ Article
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from pipeline.errors import BadInput, BrokenRecord, UnknownFormat
from pipeline.formats import Format, of_media_type
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
        form = of_media_type(media_type)
        if form and form.parse:
            return assemble(raw, form.slug, _foreign(form, raw.content))
        known = ", ".join(PARSERS)
        raise UnknownFormat(f"no parser reads {raw.media_type!r}; drop the article as one of: {known}")
    slug, parse = PARSERS[media_type]
    return assemble(raw, slug, parse(raw.content))


def _foreign(form: Format, content: bytes) -> Draft:
    """What another package's parser finds, read as JSON is. Whatever it raises is the article's fault."""
    assert form.parse  # noqa: S101  # the caller's business
    try:
        fields = orjson.dumps(dict(form.parse(content)), default=str)
    except BadInput:
        raise
    except Exception as error:
        raise BrokenRecord(f"the parser of {form.slug} failed ({type(error).__name__}: {error}); mend it") from error
    return parse_json(fields)
