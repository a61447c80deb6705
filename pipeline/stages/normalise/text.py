"""text/plain: perhaps `Key: value` lines, perhaps a line ` date 2025-03-18 ` that runs on into the first paragraph."""

from __future__ import annotations

import re

from pipeline.stages.normalise.charset import decode
from pipeline.stages.normalise.cleaning import clean, paragraphs
from pipeline.stages.normalise.draft import Context, Draft
from pipeline.stages.normalise.frontmatter import read_front_matter, without_front_matter

_DATE_LINES = re.compile(r"(?:date ?:? ?\d{4}-\d\d-\d\d(?: |\Z))+", re.I)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MAY_BE_FIELDS = re.compile(r"\s*(?:---|\+\+\+|[A-Za-z][\w -]{0,30}:)")


def parse_text(content: bytes, context: Context) -> Draft:
    """The text of `content` and the day of its date line. Raises what `decode` raises.

    Where date lines stand in a row the first one counts and all go, so that a second look finds none to take away.
    """
    text, warnings = decode(content, context.said.get("charset"))
    draft, text = _front_matter(text)
    draft.paragraphs, draft.warnings = paragraphs(text), warnings
    start = 0
    for paragraph in draft.paragraphs:
        found = _DATE_LINES.match(paragraph)
        if found is None:
            break
        draft.published = draft.published or [(stated[0], "date-line") for stated in [_DATE.search(found[0])] if stated]
        if found.end() < len(paragraph):
            draft.paragraphs[start] = paragraph[found.end() :]
            break
        start += 1
    del draft.paragraphs[:start]
    return draft


def _front_matter(text: str) -> tuple[Draft, str]:
    if _MAY_BE_FIELDS.match(text[:80]):
        fields, rest = without_front_matter(clean(text))
        if fields:
            return read_front_matter(fields), rest
    return Draft([], origin="text"), text
