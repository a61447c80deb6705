"""From a parser's Draft to an Article: clean words, a headline in any case, facts checked for shape."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from pipeline.errors import NoArticle
from pipeline.records import Article, Dated, RawArticle
from pipeline.stages.normalise.cleaning import count_words, one_line, unescape
from pipeline.stages.normalise.dateline import Dateline, read_dateline
from pipeline.stages.normalise.dates import read_date
from pipeline.stages.normalise.draft import Draft
from pipeline.stages.normalise.headline import first_sentence

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_BY = re.compile(r"\s*(?:by|von|par|por)[\s:]+(?=\S)", re.I)
_PERSON = re.compile(r"[^\W\d_][\w.'’-]*(?: [\w.'’-]+){1,3}")
_JOINT = re.compile(r"\s*(?:;|,(?! (?:jr|sr|ii+|iv)\b)|\s+and\s|\s+&\s)\s*", re.I)
_ROLE = re.compile(r"\b(?:AP|staff|press|news|agency)\b|writer|editor|reporter|correspondent|contribut|bureau", re.I)
# What scrapers take for an author: the words and addresses around one.
_NOBODY = re.compile(r"(?:view all|latest|more|all) posts(?: by)?|author|www\.\S+", re.I)
_LONGEST_NAME = 100
_LONGEST_URL = 2_048
_LONGEST_HEADLINE = 500


def assemble(raw: RawArticle, slug: str, draft: Draft) -> Article:
    """The finished Article. Raises NoArticle where cleaning leaves no word."""
    parts = draft.paragraphs
    body = "\n\n".join(parts)
    if not re.search(r"\w", body):
        raise NoArticle("there is no word of text in this article; drop the file again with its text")
    warnings = set(draft.warnings)
    dateline = read_dateline(parts[0])
    headline = one_line(draft.headline or "")[:_LONGEST_HEADLINE]
    place = one_line(draft.place) if draft.place else dateline.place if dateline else None
    return Article(
        raw=raw,
        format=slug,
        headline=headline or _derived(parts[0], dateline),
        headline_derived=not headline,
        body=body,
        word_count=count_words(body),
        byline=_names(draft.authors),
        published=_dated(draft.published or _from_dateline(dateline), raw, warnings),
        modified=_dated(draft.modified, raw, warnings),
        language=_language(draft.language),
        url=_url(draft.url),
        publisher=_publisher(draft.publisher),
        place=place,
        warnings=tuple(sorted(warnings)),
    )


def _derived(paragraph: str, dateline: Dateline | None) -> str:
    story = paragraph[dateline.end :] if dateline else paragraph
    return first_sentence(story or paragraph)


def _from_dateline(dateline: Dateline | None) -> list[tuple[str, str]]:
    return [(dateline.date, "text")] if dateline and dateline.date else []


def _dated(stated: list[tuple[str, str]], raw: RawArticle, warnings: set[str]) -> Dated | None:
    """The first candidate that can be read; where none can, a warning says why the first could not."""
    troubles = []
    for words, origin in stated:
        found, trouble = read_date(words, origin, raw.received)
        if found:
            return found
        troubles.append(trouble)
    warnings.update(filter(None, troubles[:1]))
    return None


def _names(authors: Iterable[str]) -> tuple[str, ...]:
    """Names without `By`, each once, in order. Joint bylines are split only where every part looks like a person."""
    found: dict[str, None] = {}
    for author in authors:
        words = one_line(unescape(author)).removeprefix("@")
        words = _BY.sub("", words, count=1)
        if not words or "://" in words or len(words) > 4 * _LONGEST_NAME or _NOBODY.fullmatch(words):
            continue
        parts = [part for part in _JOINT.split(words) if part]
        split = len(parts) > 1 and all(_PERSON.fullmatch(part) and not _ROLE.search(part) for part in parts)
        found.update(dict.fromkeys(part[:_LONGEST_NAME] for part in (parts if split else [words])))
    return tuple(found)


def _publisher(stated: str | None) -> str | None:
    name = one_line(unescape(stated or ""))[:_LONGEST_NAME]
    return name if name and "://" not in name else None


def _language(stated: str | None) -> str | None:
    code = (stated or "").strip().replace("_", "-")
    return code if _LANGUAGE.fullmatch(code) else None


def _url(stated: str | None) -> str | None:
    url = (stated or "").strip()
    if not url.startswith(("http://", "https://")) or len(url) > _LONGEST_URL or not url.isprintable() or " " in url:
        return None
    try:
        return url if urlsplit(url).hostname else None
    except ValueError:  # a broken IPv6 address
        return None
