"""Raw bytes of one media type → Article: decode, parse, clean, assemble. Pure; each parser knows one format.

RawArticle ─▶ parse_text | parse_html | parse_nitf | … ─▶ Draft ─▶ assemble ─▶ Article
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from pipeline.errors import BadInput, BrokenRecord, UnknownFormat
from pipeline.formats import Format, of_media_type
from pipeline.records import Article, RawArticle
from pipeline.stages.normalise.assemble import assemble
from pipeline.stages.normalise.csv import parse_csv
from pipeline.stages.normalise.draft import Context, Draft, Names, Parser
from pipeline.stages.normalise.feeds import parse_feed_item, parse_json_feed_item
from pipeline.stages.normalise.fields import FACTS
from pipeline.stages.normalise.g2 import parse_g2
from pipeline.stages.normalise.html import parse_html
from pipeline.stages.normalise.json import parse_json
from pipeline.stages.normalise.mail import parse_mail
from pipeline.stages.normalise.markdown import parse_markdown
from pipeline.stages.normalise.newsml import parse_newsml
from pipeline.stages.normalise.nitf import parse_nitf
from pipeline.stages.normalise.text import parse_text

__all__ = ["FACTS", "PARSERS", "normalise", "normaliser"]

PARSERS: dict[str, tuple[str, Parser]] = {
    "text/plain": ("text", parse_text),
    "text/markdown": ("markdown", parse_markdown),
    "text/html": ("html", parse_html),
    "application/xhtml+xml": ("html", parse_html),
    "application/json": ("json", parse_json),
    "application/ld+json": ("json", parse_json),
    "application/rss+xml": ("rss", parse_feed_item),
    "application/atom+xml": ("atom", parse_feed_item),
    "application/feed+json": ("jsonfeed", parse_json_feed_item),
    "application/nitf+xml": ("nitf", parse_nitf),
    "application/vnd.iptc.g2.newsitem+xml": ("newsml-g2", parse_g2),
    "application/vnd.iptc.newsml+xml": ("newsml", parse_newsml),
    "message/rfc822": ("eml", parse_mail),
    "text/csv": ("csv", parse_csv),
}
"""By media type: the slug that an Article carries as its `format`, and the parser."""


def normaliser(names: Names) -> Callable[[RawArticle], Article]:
    """RawArticle → Article, where `names` says which fields of JSON and CSV hold which of FACTS.

    The same bytes give the same Article; raises BadInput, and nothing else.
    """

    def normalise(raw: RawArticle) -> Article:
        context = Context(raw.context, names)
        media_type = raw.media_type.partition(";")[0].strip().lower()
        if media_type in PARSERS:
            slug, parse = PARSERS[media_type]
            return assemble(raw, slug, parse(raw.content, context))
        form = of_media_type(media_type)
        if form and form.parse:
            return assemble(raw, form.slug, _foreign(form, raw.content, context))
        known = ", ".join(PARSERS)
        raise UnknownFormat(f"no parser reads {raw.media_type!r}; drop the article as one of: {known}")

    return normalise


normalise = normaliser({})
"""With no fields named but those that we know."""


def _foreign(form: Format, content: bytes, context: Context) -> Draft:
    """What another package's parser finds, read as JSON is. Whatever it raises is the article's fault."""
    assert form.parse  # noqa: S101  # the caller's business
    try:
        fields = orjson.dumps(dict(form.parse(content)), default=str)
    except BadInput:
        raise
    except Exception as error:
        raise BrokenRecord(f"the parser of {form.slug} failed ({type(error).__name__}: {error}); mend it") from error
    return parse_json(fields, context)
