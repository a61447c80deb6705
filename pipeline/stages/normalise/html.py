"""text/html: facts from JSON-LD first, then Open Graph and meta elements; the body from trafilatura.

One lxml tree serves both. Measured on real pages: trafilatura (fast) takes 10 ms a page and keeps paragraphs,
which an `articleBody` hardly ever does, so that one only stands in where trafilatura found next to nothing.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from trafilatura import extract, load_html

from pipeline.errors import BrokenRecord, NoArticle
from pipeline.stages.normalise.charset import decode
from pipeline.stages.normalise.cleaning import one_line, paragraphs
from pipeline.stages.normalise.draft import Draft
from pipeline.stages.normalise.fields import SUMMARY, read_fields
from pipeline.stages.normalise.headline import without_site
from pipeline.stages.normalise.jsonld import article_node

BODY_FROM_JSON_LD = "body-from-json-ld"

# What it logs as an error is for us a rejected page, told in full in the rejected record.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

_CHARSET = re.compile(rb"""<(?:meta\b[^<>]*?charset|\?xml\b[^<>]*?encoding)\s*=\s*["']?\s*([\w.:-]{2,40})""", re.I)
_HEAD_BYTES = 4_096
_PUBLISHED = (
    "article:published_time", "og:published_time", "og:article:published_time", "datepublished", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dcterms.created", "dc.date", "dcterms.date", "publish_date", "pubdate", "date",
)  # fmt: skip
_MODIFIED = ("article:modified_time", "og:updated_time", "datemodified", "last-modified", "dcterms.modified")
_AUTHORS = ("author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "byl")
_HEADLINES = ("og:title", "twitter:title", "parsely-title", "dc.title", "headline")
_SITES = ("og:site_name", "application-name", "twitter:site", "dc.publisher", "publisher")
_LANGUAGES = ("og:locale", "content-language", "dc.language")
_MIN_BODY_CHARACTERS = 250


def parse_html(content: bytes) -> Draft:
    """The article on the page. Raises NoArticle where there is none, BrokenRecord where the page cannot be parsed."""
    declared = _CHARSET.search(content[:_HEAD_BYTES])
    text, warnings = decode(content, declared[1].decode() if declared else None)
    try:
        tree = load_html(text)
        if tree is None:
            raise NoArticle("this is no HTML page; drop plain text as .txt instead")
        draft = _facts(tree)
        body = extract(tree, fast=True, include_comments=False, include_tables=False) or ""
    except (RecursionError, ValueError, TypeError, AttributeError, AssertionError) as error:
        raise BrokenRecord(f"the page cannot be parsed ({type(error).__name__}: {error}); save it anew") from error
    _choose_body(draft, body)
    draft.warnings |= warnings
    return draft


def _choose_body(draft: Draft, extracted: str) -> None:
    """`extracted` (one paragraph a line), unless it is next to nothing and the page's metadata holds the whole text."""
    stated = 0 if SUMMARY in draft.warnings else sum(map(len, draft.paragraphs))
    draft.warnings.discard(SUMMARY)
    if len(extracted) < _MIN_BODY_CHARACTERS and stated > 2 * len(extracted):
        draft.warnings.add(BODY_FROM_JSON_LD)
        return
    draft.paragraphs = paragraphs(extracted.replace("\n", "\n\n"))
    if draft.paragraphs and draft.headline == draft.paragraphs[0]:
        del draft.paragraphs[0]
    if not draft.paragraphs:
        raise NoArticle("the page holds no article text (a front page, an index or a video?); drop the article's page")


def _facts(tree: Any) -> Draft:
    """What the page states about its article, the best witness first."""
    node = article_node(script.text or "" for script in tree.iter("script") if _is_json_ld(script))
    draft = read_fields(node or {}, "json-ld")
    meta = _meta(tree)
    headings = [one_line(heading.text_content()) for heading in list(tree.iter("h1"))[:5]]
    sites = [*_all(meta, _SITES), *filter(None, [draft.publisher])]
    titles = [title.text or "" for title in tree.iter("title")][:1]
    title = next(filter(str.strip, [draft.headline or "", *_all(meta, _HEADLINES), *headings, *titles]), None)
    draft.headline = title and without_site(one_line(title), sites, headings)
    draft.authors = draft.authors or _all(meta, _AUTHORS)[:1]
    draft.published += [(words, "meta") for words in [*_all(meta, _PUBLISHED), *_times(tree)]]
    draft.modified += [(words, "meta") for words in _all(meta, _MODIFIED)]
    draft.publisher = draft.publisher or next(iter(sites), None)
    draft.language = next(filter(None, [draft.language, _root_language(tree), *_all(meta, _LANGUAGES)]), None)
    draft.url = next(filter(None, [_canonical(tree), *_all(meta, ("og:url",)), draft.url]), None)
    return draft


def _is_json_ld(script: Any) -> bool:
    return "ld+json" in (script.get("type") or "").lower()


def _meta(tree: Any) -> dict[str, list[str]]:
    """The page's meta elements: `content` by property, name, itemprop or http-equiv in lower case."""
    found: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        content = (element.get("content") or "").strip()
        for attribute in ("property", "name", "itemprop", "http-equiv"):
            name = element.get(attribute)
            if name and content:
                found.setdefault(name.lower(), []).append(content)
    return found


def _all(meta: dict[str, list[str]], names: tuple[str, ...]) -> list[str]:
    return [content for name in names for content in meta.get(name, ())]


def _times(tree: Any) -> list[str]:
    """Machine-readable moments in the page that are marked as the article's own."""
    marked = [element for element in tree.iter("time", "span", "div", "abbr") if _marks_publication(element)]
    return [words for element in marked if (words := element.get("datetime") or element.get("content"))][:3]


def _marks_publication(element: Any) -> bool:
    return "datePublished" in (element.get("itemprop") or "") or (
        element.tag == "time" and (element.get("pubdate") is not None)
    )


def _root_language(tree: Any) -> str | None:
    return tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang")  # type: ignore[no-any-return]


def _canonical(tree: Any) -> str | None:
    return next(
        (link.get("href") for link in tree.iter("link") if (link.get("rel") or "").lower() == "canonical"), None
    )
