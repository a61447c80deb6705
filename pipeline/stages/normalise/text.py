"""text/plain: no title, perhaps a line ` date 2025-03-18 ` that runs on into the first paragraph."""

from __future__ import annotations

import re

from pipeline.stages.normalise.charset import decode
from pipeline.stages.normalise.cleaning import paragraphs
from pipeline.stages.normalise.draft import Draft

_DATE_LINES = re.compile(r"(?:date ?:? ?\d{4}-\d\d-\d\d(?: |\Z))+", re.I)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def parse_text(content: bytes) -> Draft:
    """The text of `content` and the day of its date line. Raises what `decode` raises.

    Where date lines stand in a row the first one counts and all go, so that a second look finds none to take away.
    """
    text, warnings = decode(content)
    draft = Draft(paragraphs(text), warnings=warnings)
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
