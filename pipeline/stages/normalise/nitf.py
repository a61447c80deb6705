"""application/nitf+xml: the News Industry Text Format, alone or inside NewsML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipeline.errors import NoArticle
from pipeline.stages.normalise.cleaning import one_line
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

# Behind the place in a dateline: `LISBON, March 18`.
_DAY = re.compile(r"\b(?:[^\W\d_]+\.? \d|\d).*")
_NO_TEXT = "the NITF document has no text in body.content (a picture?); drop one with its text"


def parse_nitf(content: bytes, context: Context) -> Draft:
    """The article in an NITF document. Raises NoArticle without a text, BrokenRecord where it is no XML."""
    root, warnings = parse_xml(content, context)
    draft = read_nitf(root)
    draft.warnings |= warnings
    if not draft.paragraphs:
        raise NoArticle(_NO_TEXT)
    return draft


def read_nitf(root: Any) -> Draft:
    """What the `nitf` element at or below `root` states; no paragraphs where it has no text."""
    nitf = root if local(root) == "nitf" else find(root, "//nitf")
    nitf = root if nitf is None else nitf
    docdata, dateline = find(nitf, "head/docdata"), find(nitf, "body/body.head/dateline")
    body = block_paragraphs(find_all(nitf, "body/body.content")) or block_paragraphs(find_all(nitf, "//body.content"))
    summary = [] if body else block_paragraphs(find_all(nitf, "body/body.head/abstract"))
    draft = Draft(
        body or summary,
        headline=said(nitf, "body/body.head/hedline/hl1", "body/body.head/hedline", "head/title", "//hl1"),
        authors=list(_authors(nitf)),
        published=[*_moments(docdata, "date.issue"), *_moments(nitf, "body/body.head/dateline/story.date"),
                   *_moments(nitf, "head/pubdata", "date.publication")],
        language=language_of(nitf) or (said(docdata, "lang") if docdata is not None else None),
        publisher=said(nitf, "body/body.head/distributor/org", "body/body.head/distributor") or attribute(
            nitf, "head/pubdata", "name"),
        place=_place(dateline),
        copyright=said(nitf, "body/body.head/rights/rights.owner", "body/body.head/rights"),
        warnings={SUMMARY} if summary else set(),
        origin="nitf",
    )  # fmt: skip
    if docdata is not None:
        _read_docdata(docdata, draft)
    return draft


def _read_docdata(docdata: Any, draft: Draft) -> None:
    """What newsrooms tell each other about the document."""
    draft.status = docdata.get("management-status")
    key = find(docdata, "du-key")
    draft.version = key.get("version") if key is not None else None
    released = list(_moments(docdata, "date.release"))
    if (draft.status or "").lower() == "embargoed":
        draft.embargo = released
    draft.published += released
    notice = find(docdata, "doc.copyright")
    if notice is not None and not draft.copyright:
        draft.copyright = one_line(f"© {notice.get('year') or ''} {notice.get('holder') or ''}")
    rights = find(docdata, "doc.rights")
    draft.usage_terms = rights.get("agent") and words(rights) if rights is not None else None
    draft.url = next(
        (ref for ref in (attribute(docdata, "doc-id", "id-string"),) if (ref or "").startswith("http")), None
    )


def _authors(nitf: Any) -> Iterator[str]:
    """The persons of a byline, else its words without the title of office."""
    for byline in find_all(nitf, "body/body.head/byline"):
        persons = [words(person) for person in find_all(byline, "person")]
        if persons:
            yield from persons
        else:
            titles = {words(title) for title in find_all(byline, "byttl")}
            text = words(byline)
            for title in filter(None, titles):
                text = text.replace(title, " ")
            yield one_line(text)


def _place(dateline: Any) -> str | None:
    """The dateline's location; of a dateline that is only words, those without its date."""
    if dateline is None:
        return None
    bare = "" if len(dateline) else _DAY.sub("", words(dateline)).rstrip(" ,(")
    return said(dateline, "location/city", "location") or bare or None


def _moments(root: Any, path: str, name: str = "norm") -> Iterator[tuple[str, str]]:
    if root is not None:
        found = (element.get(name) or words(element) for element in find_all(root, path))
        yield from ((moment, "nitf") for moment in found if moment)
