"""One entry of a feed: application/rss+xml (RSS and RDF), application/atom+xml, application/feed+json."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipeline.errors import NoArticle
from pipeline.stages.normalise.cleaning import one_line, paragraphs, plain
from pipeline.stages.normalise.draft import Context, Draft
from pipeline.stages.normalise.fields import SUMMARY
from pipeline.stages.normalise.json import parse_json
from pipeline.stages.normalise.markup import block_paragraphs, language_of, name_of, parse_xml, words

_BODY = ("content:encoded", "xhtml:body", "body", "content", "fullitem")
_SUMMARY = ("description", "summary", "dcterms:abstract", "media:description", "itunes:summary", "dc:description")
_TITLE = ("title", "dc:title", "media:title")
_AUTHORS = ("dc:creator", "author", "itunes:author", "dc:author")
_PUBLISHED = ("pubDate", "published", "issued", "dc:date", "dcterms:issued", "dcterms:created", "created", "date")
_MODIFIED = ("updated", "dcterms:modified", "modified", "lastBuildDate")
_LANGUAGE = ("dc:language", "language")
_PUBLISHER = ("source", "dc:publisher", "dc:source")
_RIGHTS = ("rights", "dc:rights", "copyright", "dcterms:rights", "media:copyright")
_MAIL_AND_NAME = re.compile(r"\S+@\S+\s+\(([^()]{1,100})\)")
_EMPTY = "the entry has neither a text nor a summary; drop the article's own page, or a feed with texts"

Entry = dict[str, list[Any]]


def parse_feed_item(content: bytes, context: Context) -> Draft:
    """The article in one `item` or `entry`. Raises NoArticle without a text, BrokenRecord where it is no XML."""
    root, warnings = parse_xml(content, context)
    entry: Entry = {}
    for child in root:
        entry.setdefault(name_of(child), []).append(child)
    body = next((found for name in _BODY for found in _bodies(entry, name)), [])
    summary = [] if body else next((found for name in _SUMMARY for found in _bodies(entry, name)), [])
    if not body and not summary:
        raise NoArticle(_EMPTY)
    stated = [(moment, "feed") for moment in _all(entry, *_PUBLISHED)]
    modified = [(moment, "feed") for moment in _all(entry, *_MODIFIED)]
    return Draft(
        body or summary,
        headline=_words(entry, *_TITLE),
        authors=list(_authors(entry)),
        # Atom obliges nobody to say when an entry was published, only when it was updated.
        published=stated + modified,
        modified=modified,
        language=_first(entry, *_LANGUAGE) or language_of(root),
        url=_url(entry, root),
        publisher=plain(_publisher(entry) or ""),
        copyright=_words(entry, *_RIGHTS),
        warnings=warnings | ({SUMMARY} if summary else set()),
        origin="feed",
    )


def parse_json_feed_item(content: bytes, context: Context) -> Draft:
    """One item of a JSON Feed: its names are among those that `fields` knows."""
    draft = parse_json(content, context)
    draft.origin = "feed"
    draft.published = [(moment, "feed") for moment, _ in draft.published]
    draft.modified = [(moment, "feed") for moment, _ in draft.modified]
    return draft


def _bodies(entry: Entry, name: str) -> Iterator[list[str]]:
    """The paragraphs of each element of this name that has any."""
    for element in entry.get(name, ()):
        if found := block_paragraphs([element]) if len(element) else paragraphs(plain(element.text or "")):
            yield found


def _all(entry: Entry, *names: str) -> Iterator[str]:
    return filter(None, (words(element) for name in names for element in entry.get(name, ())))


def _first(entry: Entry, *names: str) -> str | None:
    return next(_all(entry, *names), None)


def _words(entry: Entry, *names: str) -> str | None:
    text = _first(entry, *names)
    return text and plain(text)


def _authors(entry: Entry) -> Iterator[str]:
    """Names: of a person construct its `name`, of `desk@paper.example (Ann Lee)` what stands in brackets."""
    for element in (element for name in _AUTHORS for element in entry.get(name, ())):
        named = [words(child) for child in element if name_of(child) == "name"]
        said = next(filter(None, named), "") if len(element) else words(element)
        mailed = _MAIL_AND_NAME.fullmatch(said)
        if mailed or "@" not in said:
            yield mailed[1] if mailed else said


def _url(entry: Entry, root: Any) -> str | None:
    """The page of the entry: what a redirecting service keeps as the true one first."""
    for element in entry.get("link", ()) if "feedburner:origLink" not in entry else ():
        if element.get("href") and (element.get("rel") or "alternate") == "alternate":
            return one_line(element.get("href"))
    guids = [words(guid) for guid in entry.get("guid", ()) if (guid.get("isPermaLink") or "").lower() != "false"]
    candidates = [*_all(entry, "feedburner:origLink", "link"), *guids, *_all(entry, "id")]
    about = [value for name, value in root.attrib.items() if name.endswith("about")]
    return next((url for url in [*candidates, *about] if url.startswith(("http://", "https://"))), None)


def _publisher(entry: Entry) -> str | None:
    """Where an entry was taken over from another feed, that one's name."""
    for element in entry.get("source", ()):
        titles = [words(child) for child in element if name_of(child) == "title"]
        if titles and titles[0]:
            return titles[0]
    return next((name for name in _all(entry, *_PUBLISHER) if "://" not in name and len(name) < 200), None)
