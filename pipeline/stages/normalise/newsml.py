"""application/vnd.iptc.newsml+xml: one NewsItem of NewsML 1, with its text in XHTML, NITF or plain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.errors import NoArticle
from pipeline.stages.normalise.cleaning import from_html, has_tags, paragraphs
from pipeline.stages.normalise.draft import Context, Draft
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

_NO_TEXT = "the NewsItem holds no text (a picture, or a package?); drop one with its text"


def parse_newsml(content: bytes, context: Context) -> Draft:
    """The article in a NewsItem. Raises NoArticle without a text, BrokenRecord where it is no XML."""
    root, warnings = parse_xml(content, context)
    item = root if local(root) == "NewsItem" else find(root, "//NewsItem")
    item = root if item is None else item
    draft = next((draft for data in find_all(item, "//DataContent") if (draft := _inside(data)).paragraphs), None)
    if draft is None:
        raise NoArticle(_NO_TEXT)
    draft.origin = "newsml"
    draft.headline = said(item, "//NewsLines/HeadLine") or draft.headline
    draft.authors = [words(line) for line in find_all(item, "//NewsLines/ByLine")] or draft.authors
    draft.language = (
        attribute(item, "//DescriptiveMetadata/Language", "FormalName") or language_of(item) or draft.language
    )
    draft.publisher = attribute(item, "//AdministrativeMetadata/Provider/Party", "FormalName") or draft.publisher
    draft.copyright = said(item, "//NewsLines/CopyrightLine", "//RightsMetadata/Copyright") or draft.copyright
    draft.usage_terms = said(item, "//NewsLines/RightsLine", "//UsageRights/UsageType") or draft.usage_terms
    _read_management(item, draft)
    draft.warnings |= warnings
    return draft


def _inside(data: Any) -> Draft:
    """What a DataContent states."""
    if find(data, "//nitf") is not None or find(data, "//body.content") is not None:
        return read_nitf(data)
    if len(data):
        body = find(data, "//body")
        return Draft(block_paragraphs([data if body is None else body]), headline=said(data, "//title"))
    text = data.text or ""
    return Draft(paragraphs(from_html(text) if has_tags(text) else text))


def _read_management(item: Any, draft: Draft) -> None:
    """Versions, times and what may be done when."""
    draft.version = said(item, "Identification/NewsIdentifier/RevisionId") or draft.version
    management = find(item, "NewsManagement")
    published = list(_moments(item, "Identification/NewsIdentifier/DateId"))
    if management is not None:
        draft.status = attribute(management, "Status", "FormalName") or draft.status
        draft.modified = list(_moments(management, "ThisRevisionCreated"))
        published = [*_moments(management, "FirstCreated"), *published]
        if (draft.status or "").lower() in ("embargoed", "withheld"):
            draft.embargo = list(_moments(management, "StatusWillChange/DateAndTime"))
    draft.published += published


def _moments(root: Any, path: str) -> Iterator[tuple[str, str]]:
    return ((moment, "newsml") for found in find_all(root, path) if (moment := words(found)))
