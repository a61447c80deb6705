"""What a page shows its readers about its article and states nowhere: who wrote it, and on which day.

One search of the tree for each, by the names that page makers give to such elements; htmldate, which reads whole
pages, comes last. That is a third of the time of trafilatura's search for an author, which copies the tree first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any

from htmldate import find_date

from pipeline.stages.normalise.cleaning import one_line
from pipeline.stages.normalise.dates import day_of

# What page makers call the elements that hold them, in a class, an id, `rel` or `itemprop`.
_BYLINE = re.compile(r"author|autor|byline|\bbyl\b|posted-?by|submitted|writer|journalist|contributor", re.I)
_DAY = re.compile(r"date|datum|fecha|time|publish|posted", re.I)
_SAYING = ("class", "rel", "itemprop")
_MOST = 60
_LONGEST_BYLINE = 120
_LONGEST_DAY = 100
_SURE = re.compile(r"(?:^|\s)(?:p-)?(?:post-|entry-|article-)?author(?:s|[-_]*name|__name|-link)?(?:\s|$)", re.I)
_ELSEWHERE = re.compile(
    r"comment|related|sidebar|recommend|teaser|widget|footer|popular|newsletter|quote|social|share", re.I
)
_UNREAD = frozenset({"time", "figure", "script", "style", "img", "svg", "button", "h1", "h2"})
_LABEL = re.compile(
    r"(?:(?:post|article|story|written|posted|published|reported|submitted|words|text|ein artikel|artikel|beitrag)\s+)?"
    r"(?:by|authors?|autor(?:es|en|in|a)?|auteurs?|von|par|por|di|door|text|interview|redaktion|verfasst|erstellt)\b\s*:?\s*",
    re.I,
)
_AFTER = re.compile(
    r"\s*(?:[|•·●/]|\s[-–—]\s|\b(?:published|posted|updated|last updated)\b|\b(?:on|am|le|el|vom|stand)\b:?\s+\S*\s?\d"
    r"|\d{1,2}[./]\d|(?<=\w)\s*\(|\d{4}|\bfollow\b|@\w|\bview all|\bminut|\bmin\b).*",
    re.I | re.S,
)
_NAME = re.compile(r"[^\W\d_][\w.'’&-]*(?:[ ,][\w.'’&-]+){0,6}")
_NO_NAME = re.compile(
    r"(?:names?|dat(?:um|e)|posted|authors?|autor(?:in|en|es)?|auteurs?|about(?: the author)?|über den autor|more|share"
    r"|posts?|comments?|profile?|all posts|website|contact|kontakt|follow|by|von|admin|written|text|bio|facebook"
    r"|twitter|copier|reviews?|zur artikelübersicht|some)\W*",
    re.I,
)


def printed_authors(tree: Any) -> list[str]:
    """The names in the page's byline, in order; none where nothing there looks like a name."""
    found = list(islice(_marked(tree, _BYLINE, "author"), _MOST))
    sure = [element for element in found if _is_sure(element)]
    for element in [*sure, *(element for element in found if element not in set(sure))]:
        if names := _names(element):
            return names
    return []


def _marked(tree: Any, names: re.Pattern[str], tag: str) -> Iterator[Any]:
    """The elements that say by their attributes, or their own name, what they hold. Faster than XPath's `contains`.

    Pages repeat few attributes on many elements, so each set of them is searched once.
    """
    known: dict[tuple[str | None, ...], bool] = {(None,) * len(_SAYING): False}
    for element in tree.iter():
        said = tuple(map(element.get, _SAYING))
        if said not in known:
            known[said] = any(names.search(value) for value in said if value)
        if known[said] or element.tag == tag:
            yield element


def _is_sure(element: Any) -> bool:
    stated = element.get("rel") == "author" or "author" in (element.get("itemprop") or "")
    return stated or bool(_SURE.search(element.get("class") or ""))


def _names(element: Any) -> list[str]:
    if _is_elsewhere(element):
        return []
    named = [child for child in element.iterdescendants() if (child.get("itemprop") or "") == "name"]
    links = [child for child in element.iterdescendants("a") if not named]
    for parts in (named, links, [element]):
        names = [name for part in parts if (name := _name(part))]
        if names:
            return list(dict.fromkeys(names))
    return []


def _is_elsewhere(element: Any) -> bool:
    """Whether it stands among comments, teasers or the like."""
    around = [element, *element.iterancestors()][:12]
    return any(
        part.tag == "aside" or _ELSEWHERE.search(f"{part.get('class') or ''} {part.get('id') or ''}")
        for part in around
        if part.tag not in ("body", "html")
    )


def _name(element: Any) -> str:
    text = one_line(" ".join(_words(element)))
    if not 2 < len(text) < _LONGEST_BYLINE:
        return ""
    text = _AFTER.sub("", _without_label(text)).strip(" ,;:-–—.")
    return text if len(text) > 2 and _NAME.fullmatch(text) and not _NO_NAME.fullmatch(text) else ""


def _without_label(text: str) -> str:
    label = _LABEL.match(text)
    return text[label.end() :] if label else text


def _words(element: Any) -> Iterator[str]:
    """Its texts, without those of parts that are no words of a byline."""
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str) and child.tag not in _UNREAD:
            yield from _words(child)
        yield child.tail or ""


def printed_day(tree: Any, possible: set[date]) -> list[tuple[str, str]]:
    """The day of publication that the page shows to its readers: for pages that state none, or several `possible`
    ones, of which it then is one.

    htmldate, which comes last, is told not to look at the clock. The first of January is what it makes of a lone year,
    which is no day; and it has an order of its own for days that may be read in two.
    """
    for element in islice(_marked(tree, _DAY, "time"), _MOST):
        words = one_line(" ".join(element.itertext()))
        day = day_of(words) if 5 < len(words) < _LONGEST_DAY else None
        if day and (not possible or day in possible) and not _is_elsewhere(element):
            return [(words, "page")]
    if possible:
        return []
    guess = find_date(tree, original_date=True, extensive_search=True, max_date="2099-12-31")
    return [(guess, "page")] if guess and not guess.endswith("-01-01") else []
