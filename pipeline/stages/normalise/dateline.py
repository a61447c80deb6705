"""The dateline that opens many a story, `LISBON, March 18 (Agency) — `: where it was written, and at times when."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPENING = 90  # characters in which a dateline must end
_DASH = re.compile("[—–-]")
_DAY = r"(?P<date>(?:[A-Z][a-z]{2,8}\.? \d{1,2}|\d{1,2} [A-Z][a-z]{2,8}\.?)(?:,? \d{4})?)"
_DATELINE = re.compile(
    rf"(?P<place>[^\W\d_][\w .'’/-]*?(?:, [^\W\d_](?:[^\W\d_]|[ .'’-])*?)?)(?:, {_DAY})?"
    r"(?P<agency> ?(?:\([^()]{2,30}\)|/[^/()]{2,30}/))? ?(?:—|–|--| - | -(?=\w)|-(?= ))\s*",
)
# Shouted words that open a text just like a place does.
_NO_PLACE = re.compile(
    r"(?:BREAKING|UPDATED?|EXCLUSIVE|ANALYSIS|OPINION|CORRECTION|CORRECTED|WATCH|LIVE|FACTBOX|EXPLAINER|NEWS|VIDEO"
    r"|PHOTOS?|FEATURE|INTERVIEW|REVIEW|URGENT|ALERT|EDITORIAL|COLUMN|COMMENT|TIMELINE|PROFILE|Q&A|COVID|FILES?|CAPTION"
    r"|عاجل|حصري|خاص|فيديو|بالفيديو|بالصور|فوری|速報|独家|快讯|속보|단독)\b"
)
# Scripts without capitals, where nothing but its shortness and the dash tells a dateline.
_MOST_UNCASED_WORDS = 2

_AGENCY = re.compile(
    r"\(\s*(?:AP|AFP|UPI|PA|PTI|ANI|IANS|AAP|CP|EFE|ANSA|TASS|BBC|CNN|NPR|IPS|dpa|Reuters|Xinhua"
    r"|Thomson Reuters Foundation|Interfax|Bloomberg|Kyodo|Yonhap|Anadolu|Associated Press|The Canadian Press"
    r"|[\w ]{0,20}(?:News|Press)(?: Agency)?)"
    r"\s*\)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Dateline:
    """`place` as printed, `date` as printed where a year makes it whole, `end` where the story begins."""

    place: str
    date: str | None
    end: int


def read_dateline(paragraph: str) -> Dateline | None:
    """The dateline that opens `paragraph`, if one does.

    A place in capitals is enough; one in mixed case needs a known agency or a day beside it, since a sentence
    may well begin with a name, and hold a dash. In a script without case it is one word or two before a long dash.
    """
    opening = paragraph[:_OPENING]
    found = _DASH.search(opening) and _DATELINE.match(opening)
    if not found or _NO_PLACE.match(paragraph):
        return None
    place, day = found["place"].strip(), found["date"]
    shouted = len(place) > 2 and place.split(",")[0].isupper()
    agency = _AGENCY.search(found["agency"] or "")
    if not (shouted or agency or day or _uncased(place, found[0])) or len(place) > 50:
        return None
    return Dateline(place, day if day and day[-4:].isdigit() else None, found.end())


def _uncased(place: str, opening: str) -> bool:
    short = len(place.split()) <= _MOST_UNCASED_WORDS
    return short and place.lower() == place.upper() and opening.rstrip().endswith((" —", " –"))
