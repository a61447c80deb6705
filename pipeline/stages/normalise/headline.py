"""A headline for an article without one, and a page's title without the name of its site."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 120  # characters
_SCAN = 400  # characters in which the first sentence must end; it is cut long before
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+[”’」』）]*|\n")
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st sr jr rev hon gov sen rep gen col lt capt sgt maj cmdr adm pres supt insp messrs mme mlle "
    "jan feb mar apr jun jul aug sep sept oct nov dec no nos vs inc ltd co corp bros dept univ est approx ft mt "
    "fig vol ed pp al e.g i.e etc a.m p.m u.s u.k u.n e.u d.c ph.d".split()
)
_WORD = re.compile(r"\w+")
_SEPARATOR = re.compile(r"\s+[|–—·•»«:]+\s+|\s+-+\s+|\s*\|\s*|\s*::?\s+")


def first_sentence(paragraph: str) -> str:
    """The first sentence of `paragraph`, cut at a word with an ellipsis where it is over 120 characters."""
    head = paragraph[:_SCAN]
    sentence = paragraph
    for end in _END.finditer(head):
        if _ends_sentence(head, end):
            sentence = head[: end.end()].strip()
            break
    return shorten(sentence)


def _ends_sentence(text: str, end: re.Match[str]) -> bool:
    """Whether the stop ends a sentence: not after an abbreviation or initial, nor before a word in lower case."""
    after = text[end.end() :].lstrip()[:1]
    if after.islower():
        return False
    if end[0] != ".":
        return True
    word = text[: end.start()].rsplit(None, 1)[-1:]
    bare = word[0].lstrip("\"'“‘«([").lower() if word else ""
    initial = len(bare) == 1 and bare.isalpha()
    return not (initial or bare in _ABBREVIATIONS or re.fullmatch(r"(?:[a-z]\.)+[a-z]", bare))


def shorten(sentence: str) -> str:
    """At most 120 characters: cut between words, ended by an ellipsis."""
    if len(sentence) <= _LONGEST:
        return sentence
    cut = sentence[:_LONGEST]
    head, space, _ = cut.rpartition(" ")
    kept = head if space and len(head) > _LONGEST // 2 else cut[:-1]  # Chinese has no spaces to cut at
    return kept.rstrip(" ,;:–—-") + "…"


def printed_headline(title: str, headings: Iterable[str], page_title: str) -> str:
    """The heading on the page that says what `title` says, else `title`.

    Metadata often holds words for search engines; readers call an article by what is printed above it. A heading
    is taken when the page's own title is the same, or when it shares three words, and half of the shorter one.
    """
    told = set(_WORD.findall(title.casefold()))
    for heading in headings:
        words = set(_WORD.findall(heading.casefold()))
        alike = len(told & words) >= max(3, min(len(told), len(words)) / 2)
        if alike or (heading and _key(heading) == _key(page_title)):
            return heading
    return title


def without_site(title: str, sites: Iterable[str], on_page: Iterable[str]) -> str:
    """`title` without ` | Site Name` at its ends, but only where something justifies the cut.

    `sites` are the names the page gives its publisher; `on_page` the headings that stand in it. A part is cut
    when it is the name of the site, or when a heading on the page says the rest and nothing more.
    """
    headings = {_key(heading) for heading in on_page} - {""}
    names = {_key(site) for site in sites} - {""}
    if _key(title) in headings:
        return title
    cuts = list(_SEPARATOR.finditer(title))
    for cut in cuts:
        if _key(title[: cut.start()]) in headings - names:
            return title[: cut.start()].strip()
    for cut in reversed(cuts):
        if _is_name(title[cut.end() :], names):
            title = title[: cut.start()].strip()
    if cuts and title.startswith(cuts[0].string[: cuts[0].end()]) and _is_name(title[: cuts[0].start()], names):
        title = title[cuts[0].end() :].strip()
    return title


def is_site(text: str, sites: Iterable[str]) -> bool:
    """Whether `text` is one of the names in `sites`, give or take case, punctuation and a leading `The`."""
    return _is_name(text, {_key(site) for site in sites})


def _is_name(part: str, names: set[str]) -> bool:
    key = _key(part)
    return bool(key) and any(key == name or key.removeprefix("the") == name.removeprefix("the") for name in names)


def _key(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
