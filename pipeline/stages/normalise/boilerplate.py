"""What surrounds an article and is none of it, by the rules in `data/boilerplate.tsv`."""

from __future__ import annotations

import re
from functools import cache

from pipeline.stages.normalise.rules import read_rules

BOILERPLATE = "boilerplate-removed"
# No rule says more; a longer paragraph is prose.
_LONGEST = 300
# So many paragraphs at the end may be what a page or an agency appends.
_TAIL = 6


def without_boilerplate(paragraphs: list[str]) -> tuple[list[str], int]:
    """The paragraphs of the article itself, and how many others there were. Never takes away the last one.

    A paragraph goes where a rule matches all of it. What comes of this gives itself: whether a paragraph stands
    near the end is asked anew until nothing more goes.
    """
    anywhere, tail = _patterns()
    left = [words for words in paragraphs if len(words) > _LONGEST or not anywhere.fullmatch(words)]
    while True:
        start = max(len(left) - _TAIL, 1)
        kept = left[:start] + [words for words in left[start:] if len(words) > _LONGEST or not tail.fullmatch(words)]
        if len(kept) == len(left):
            break
        left = kept
    return (left, len(paragraphs) - len(left)) if left else (paragraphs, 0)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    rules = read_rules("boilerplate.tsv")
    found = {where: "|".join(pattern for place, pattern in rules if place == where) for where in ("anywhere", "tail")}
    return re.compile(found["anywhere"], re.I), re.compile(found["tail"], re.I)
