"""application/vnd.iptc.g2.newsitem+xml: one NewsML-G2 newsItem, with its text in XHTML, NITF or plain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.errors import NoArticle
from pipeline.stages.normalise.cleaning import from_html, has_tags, paragraphs
from pipeline.stages.normalise.draft import Context, Draft
from pipeline.stages.normalise.fields import SUMMARY
from pipeline.stages.normalise.markup import (
    attribute,
    block_paragraphs,
    find,
    find_all,
    language_of,
    local,
    parse_xml,
    said,
    words,
)
from pipeline.stages.normalise.nitf import read_nitf

_NO_ITEM = "this is no newsItem but {}, which holds no article of its own; drop the newsItems it speaks of"
_NO_TEXT = "the newsItem has neither a text nor a description (a picture?); drop one with its text"


def parse_g2(content: bytes, context: Context) -> Draft:
    """The article in a newsItem. Raises NoArticle without a text, BrokenRecord where it is no XML."""
    root, warnings = parse_xml(content, context)
    item = root if local(root) == "newsItem" else find(root, "//newsItem")
    if item is None:
        raise NoArticle(_NO_ITEM.format(local(root) or "something else"))
    draft = _inside(item)
    if not draft.paragraphs:
        descriptions = [words(found) for found in find_all(item, "contentMeta/description")]
        draft.paragraphs = paragraphs("\n\n".join(dict.fromkeys(descriptions)))
        draft.warnings.add(SUMMARY)
    if not draft.paragraphs:
        raise NoArticle(_NO_TEXT)
    _read_meta(item, draft)
    draft.warnings |= warnings
    return draft


def _inside(item: Any) -> Draft:
    """What the content itself states; the item's own metadata outrank it."""
    for inline in find_all(item, "contentSet/inlineXML"):
        if find(inline, "//nitf") is not None:
            return read_nitf(inline)
        body = find(inline, "//body")
        found = block_paragraphs([inline if body is None else body])
        if found:
            return Draft(found, headline=said(inline, "//title"), origin="newsml-g2")
    data = [found.text or "" for found in find_all(item, "contentSet/inlineData") if found.get("encoding") is None]
    parts = [paragraphs(from_html(text) if has_tags(text) else text) for text in data]
    return Draft([paragraph for part in parts for paragraph in part], origin="newsml-g2")


def _read_meta(item: Any, draft: Draft) -> None:
    meta = "contentMeta/"
    draft.origin = "newsml-g2"
    draft.headline = said(item, meta + "headline", "itemMeta/title") or draft.headline
    draft.authors = list(_authors(item)) or draft.authors
    sent = [*_moments(item, "itemMeta/firstCreated"), *_moments(item, "itemMeta/versionCreated")]
    draft.published = [*_moments(item, meta + "contentCreated"), *draft.published, *sent]
    draft.modified = [*_moments(item, meta + "contentModified"), *_moments(item, "itemMeta/versionCreated")]
    draft.embargo = [*_moments(item, "itemMeta/embargoed"), *draft.embargo]
    draft.language = attribute(item, meta + "language", "tag") or language_of(item) or draft.language
    draft.publisher = (
        _party(item, "rightsInfo/copyrightHolder", "itemMeta/provider", meta + "infoSource") or draft.publisher
    )
    draft.place = said(item, meta + "located/name") or draft.place
    draft.version = item.get("version") or draft.version
    draft.status = (attribute(item, "itemMeta/pubStatus", "qcode") or "").rpartition(":")[2] or draft.status
    draft.copyright = said(item, "rightsInfo/copyrightNotice") or draft.copyright
    draft.usage_terms = said(item, "rightsInfo/usageTerms") or draft.usage_terms
    links = (
        found.get("href") or "" for found in find_all(item, "itemMeta/link") if "canonical" in (found.get("rel") or "")
    )
    draft.url = next((url for url in [*links, item.get("guid") or ""] if url.startswith("http")), draft.url)


def _authors(item: Any) -> Iterator[str]:
    """Those in the byline, else the creators that are named."""
    bylines = [words(found) for found in find_all(item, "contentMeta/by")]
    if any(bylines):
        yield from filter(None, bylines)
    else:
        for creator in find_all(item, "contentMeta/creator"):
            name = said(creator, "name")
            if name and not (_is_organisation(creator)):
                yield name


def _is_organisation(party: Any) -> bool:
    """Whether the creator is said to be an agency rather than a person."""
    return any("org" in (kind.get("qcode") or "") for kind in find_all(party, "type"))


def _party(item: Any, *paths: str) -> str | None:
    """The first party that is named; a code tells people nothing."""
    for party in (party for path in paths for party in find_all(item, path)):
        name = said(party, "name") or party.get("literal")
        if name:
            return str(name)
    return None


def _moments(root: Any, path: str) -> Iterator[tuple[str, str]]:
    return ((moment, "newsml-g2") for found in find_all(root, path) if (moment := words(found)))
