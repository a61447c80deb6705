"""From a parser's Draft to an Article: clean words, a headline in any case, facts checked for shape."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Literal
from urllib.parse import urljoin, urlsplit

from pipeline.errors import NoArticle
from pipeline.records import Article, Dated, RawArticle
from pipeline.stages.normalise.boilerplate import BOILERPLATE, without_boilerplate
from pipeline.stages.normalise.charset import MENDED, mend
from pipeline.stages.normalise.cleaning import count_words, one_line, unescape, without_tags
from pipeline.stages.normalise.dateline import Dateline, read_dateline
from pipeline.stages.normalise.dates import is_date, read_date
from pipeline.stages.normalise.draft import Draft
from pipeline.stages.normalise.headline import first_sentence

_NO_LANGUAGE = ("und", "mul", "zxx", "mis")  # ISO 639's ways to say that there is none, or none to name
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_BY = re.compile(
    r"\s*(?:(?:view )?all posts by|posted by|written by|by|von|vom|par|por|door|af|av|di)[\s:]+(?=\S)", re.I
)
_PERSON = re.compile(r"[^\W\d_][\w.'’-]*(?: [\w.'’-]+){1,3}")
_JOINT = re.compile(r"\s*(?:;|,(?! (?:jr|sr|ii+|iv)\b)|\s+and\s|\s+&\s)\s*", re.I)
_ROLE = re.compile(r"\b(?:AP|staff|press|news|agency)\b|writer|editor|reporter|correspondent|contribut|bureau", re.I)
# What scrapers take for an author: the words and addresses around one.
_NOBODY = re.compile(r"(?:view all|latest|more|all) posts(?: by)?|author|www\.\S+", re.I)
_LONGEST_NAME = 100
_LONGEST_URL = 2_048
_LONGEST_HEADLINE = 500
# Of what may stand above a dateline: a headline, a deck, a byline.
_LONGEST_ABOVE = 160
_LONGEST_VERSION = 40
_LONGEST_NOTICE = 1_000
_MOST_DATES = 20
_EMBARGO_AHEAD = timedelta(days=3_660)
# What an address never holds unescaped; markup where somebody wants to smuggle it in.
_NO_URL = re.compile(r"""[ <>"]""")
# A line of its own near either end of a text.
_EDGE = 3
_LONGEST_DATE_LINE = 160
_REPRINT = re.compile(r"\b(?:first|originally) (?:published|appeared|printed|posted)\b", re.I)
_BEFORE_DAY = re.compile(r" on |, ")
_DAY_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]([01]\d)[-_.]([0-3]\d)(?!\d)")
_STATUSES: dict[str, Literal["usable", "withheld", "canceled"]] = {
    "usable": "usable", "published": "usable", "withheld": "withheld", "embargoed": "withheld",
    "canceled": "canceled", "cancelled": "canceled",
}  # fmt: skip
_SHOWN = (
    "headline", "body", "byline", "published", "modified", "embargo", "place", "language", "url", "publisher",
    "version", "status", "copyright", "usage_terms",
)  # fmt: skip


def assemble(raw: RawArticle, slug: str, draft: Draft) -> Article:
    """The finished Article. Raises NoArticle where cleaning leaves no word."""
    _fill(draft, raw)
    settled = [_settled(paragraph) for paragraph in draft.paragraphs]
    mended = {MENDED} if settled != draft.paragraphs else set()
    parts, removed = without_boilerplate(settled)
    body = "\n\n".join(parts)
    if not re.search(r"\w", body):
        raise NoArticle("there is no word of text in this article; drop the file again with its text")
    warnings = draft.warnings | mended | ({BOILERPLATE} if removed else set())
    dateline, opening = _dateline(parts)
    headline = _words(draft.headline, _LONGEST_HEADLINE)
    place = _words(draft.place, _LONGEST_NAME)
    if not place and dateline:
        place, draft.origins["place"] = dateline.place, "text"
    article = Article(
        raw=raw,
        format=slug,
        headline=headline or _derived(parts[0], None if opening else dateline),
        headline_derived=not headline,
        body=body,
        word_count=count_words(body),
        byline=_names(draft.authors),
        published=_dated(draft.published + _last_resorts(dateline, settled, raw), raw, warnings),
        modified=_dated(draft.modified, raw, warnings),
        embargo=_dated(draft.embargo, raw, warnings, ahead=_EMBARGO_AHEAD),
        language=_language(draft.language),
        url=_url(draft.url),
        publisher=_publisher(draft.publisher),
        place=place or None,
        version=_words(draft.version, _LONGEST_VERSION) or None,
        status=_STATUSES.get((draft.status or "").strip().lower()),
        copyright=_words(draft.copyright, _LONGEST_NOTICE) or None,
        usage_terms=_words(draft.usage_terms, _LONGEST_NOTICE) or None,
        warnings=tuple(sorted(warnings)),
    )
    return replace(article, origins=_origins(article, draft, slug))


def _dateline(parts: list[str]) -> tuple[Dateline | None, int]:
    """The dateline and the number of its paragraph, which may stand under a headline, a deck and a byline."""
    for number, paragraph in enumerate(parts[:_EDGE]):
        found = read_dateline(paragraph)
        if found or len(paragraph) > _LONGEST_ABOVE or paragraph.endswith("."):
            return found, number
    return None, 0


def _settled(paragraph: str) -> str:
    """`paragraph` without the mojibake that comes to light when what nobody can see is gone."""
    while (mended := mend(paragraph)) is not paragraph:
        paragraph = one_line(mended)
    return paragraph


def _words(stated: str | None, most: int) -> str:
    return one_line(without_tags(stated or ""))[:most].rstrip()


def _fill(draft: Draft, raw: RawArticle) -> None:
    """What the article leaves open and its file says of all its articles."""
    said = raw.context
    if not said:
        return
    for fact in ("language", "publisher", "url"):
        if not getattr(draft, fact) and fact in said:
            setattr(draft, fact, said[fact])
            draft.origins[fact] = "file"
    if not draft.authors and "authors" in said:
        draft.authors, draft.origins["byline"] = said["authors"].split("; "), "file"
    home = said.get("home", "")
    if draft.url and home and "://" not in draft.url:
        with suppress(ValueError):  # a broken IPv6 address
            draft.url = urljoin(home, draft.url)


def _last_resorts(dateline: Dateline | None, paragraphs: list[str], raw: RawArticle) -> list[tuple[str, str]]:
    """Dates for an article whose format states none: a line that is a day or tells of a reprint, the file's name."""
    found = [(dateline.date, "text")] if dateline and dateline.date else []
    edges = (words for words in (*paragraphs[:_EDGE], *paragraphs[-_EDGE:]) if len(words) < _LONGEST_DATE_LINE)
    found += [(day, "text") for day in map(_day_in, edges) if day]
    named = _DAY_IN_NAME.search(raw.source.rpartition("/")[2]) if raw.single else None
    return found + ([("-".join(named.groups()), "file-name")] if named else [])


def _day_in(line: str) -> str:
    """The day that is all of `line`, or the end of its words about a first publication; empty where there is none."""
    reprint = _REPRINT.search(line)
    starts = [0] if reprint is None else [found.end() for found in _BEFORE_DAY.finditer(line, reprint.end())]
    days = (line[start:].rstrip(".") for start in starts)
    return next((day for day in days if any(map(str.isdigit, day)) and is_date(day)), "")


def _origins(article: Article, draft: Draft, slug: str) -> tuple[tuple[str, str], ...]:
    """Each fact found and where it stood, in the order in which records show them."""
    origins = {"headline": "text"} if article.headline_derived else {}
    for fact in ("published", "modified", "embargo"):
        if dated := getattr(article, fact):
            origins[fact] = dated.origin
    known = {"byline": draft.origins.get("authors", ""), **draft.origins, **origins}
    return tuple((fact, known.get(fact) or draft.origin or slug) for fact in _SHOWN if getattr(article, fact))


def _derived(paragraph: str, dateline: Dateline | None) -> str:
    story = paragraph[dateline.end :] if dateline else paragraph
    return first_sentence(story or paragraph)


def _dated(
    stated: list[tuple[str, str]], raw: RawArticle, warnings: set[str], ahead: timedelta = timedelta(days=1)
) -> Dated | None:
    """The first candidate that can be read; where none can, a warning says why the first could not."""
    troubles = []
    for words, origin in stated[:_MOST_DATES]:
        found, trouble = read_date(words, origin, raw.received, ahead)
        if found:
            return found
        troubles.append(trouble)
    warnings.update(filter(None, troubles[:1]))
    return None


def _names(authors: Iterable[str]) -> tuple[str, ...]:
    """Names without `By`, each once, in order. Joint bylines are split only where every part looks like a person."""
    found: dict[str, None] = {}
    for author in authors:
        words = one_line(without_tags(unescape(author))).removeprefix("@")
        words = _BY.sub("", words, count=1)
        if not words or "://" in words or len(words) > 4 * _LONGEST_NAME or _NOBODY.fullmatch(words):
            continue
        parts = [part for part in _JOINT.split(words) if part]
        split = len(parts) > 1 and all(_PERSON.fullmatch(part) and not _ROLE.search(part) for part in parts)
        found.update(dict.fromkeys(part[:_LONGEST_NAME] for part in (parts if split else [words])))
    return tuple(found)


def _publisher(stated: str | None) -> str | None:
    name = _words(unescape(stated or ""), _LONGEST_NAME)
    return name if name and "://" not in name else None


def _language(stated: str | None) -> str | None:
    code = (stated or "").strip().replace("_", "-")
    return code if _LANGUAGE.fullmatch(code) and code.lower() not in _NO_LANGUAGE else None


def _url(stated: str | None) -> str | None:
    url = (stated or "").strip()
    if (
        not url.startswith(("http://", "https://"))
        or len(url) > _LONGEST_URL
        or not url.isprintable()
        or _NO_URL.search(url)
    ):
        return None
    try:
        return url if urlsplit(url).hostname else None
    except ValueError:  # a broken IPv6 address
        return None
