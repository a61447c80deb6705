"""text/plain: no title, perhaps a line ` date 2025-03-18 ` that runs on into the first paragraph."""

from __future__ import annotations

import re

from pipeline.stages.normalise.charset import decode
from pipeline.stages.normalise.cleaning import clean
from pipeline.stages.normalise.draft import Draft

# Several in a row: the first counts, and all go, so that a second look finds nothing more to take away.
_DATE_LINE = re.compile(r"(?:\s*date[^\S\n]*:?[^\S\n]*(\d{4}-\d\d-\d\d)(?=\s|\Z))+\s*", re.I)
_FIRST_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def parse_text(content: bytes) -> Draft:
    """The text of `content` and the day of its date line. Raises what `decode` raises."""
    text, warnings = decode(content)
    draft = Draft(clean(text), warnings=warnings)
    if found := _DATE_LINE.match(draft.body):
        stated = _FIRST_DATE.search(found[0])
        draft.published = [(stated[0], "date-line")] if stated else []
        draft.body = draft.body[found.end() :]
    return draft
