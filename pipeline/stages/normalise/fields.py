"""One reader for every JSON dialect: schema.org (also the JSON-LD in pages), ninjs 1 to 3, and news APIs.

They differ in names, hardly in shapes, so a table says under which names a fact may stand, best first, and
`texts` reads any shape: a string, a number, an object that wraps it, or a list of those.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from pipeline.stages.normalise.cleaning import paragraphs, plain
from pipeline.stages.normalise.draft import Draft, Names

SUMMARY = "body-is-summary"

Record = dict[str, Any]

# ninjs 1 and 2 add the role to the name, `body_main`, where ninjs 3 has a list.
_HEADLINE = (
    "headline", "headlines", "headline_main", "headline_simple", "title", "headLine", "name", "alternativeHeadline",
)  # fmt: skip
_BODY = (
    "articleBody", "bodies", "body_text", "body_html", "body_xhtml", "body_main", "body_richtext", "body_simple",
    "body", "bodyText", "bodyHtml", "content_text", "content_html", "content", "maintext", "main_text", "full_text",
    "fulltext", "text", "article_text", "article",
)  # fmt: skip
_SUMMARY = (
    "description", "summary", "abstract", "descriptions", "description_text", "description_main", "description_html",
    "description_xhtml", "lead", "snippet",
)  # fmt: skip
_AUTHORS = ("author", "authors", "byline", "by", "bylines", "creator")
_PUBLISHED = (
    "datePublished", "published", "publishedAt", "published_at", "date_published", "publication_date", "pubDate",
    "pub_date", "date_publish", "publishDate", "publish_date", "published_date", "webPublicationDate", "contentCreated",
    "contentcreated", "first_publication_date", "date", "created", "created_at", "timestamp", "firstCreated",
    "firstcreated", "dateCreated", "versionCreated", "versioncreated",
)  # fmt: skip
_MODIFIED = (
    "dateModified", "contentModified", "date_modified", "modified", "updated", "updated_at", "updatedAt",
    "lastModified", "last_modified", "versionCreated", "versioncreated",
)  # fmt: skip
_LANGUAGE = ("inLanguage", "language", "lang", "language_code")
_URL = (
    "url", "link", "canonical_url", "canonicalUrl", "canonical", "webUrl", "web_url", "mainEntityOfPage", "@id",
    "altIds", "altids",
)  # fmt: skip
_PUBLISHER = (
    "publisher", "source", "site", "site_name", "siteName", "provider", "copyrightHolder", "copyrightholder",
    "infoSources", "infosources",
)  # fmt: skip
_PLACE = ("dateline", "located", "place", "location")
_EMBARGO = ("embargoedUntil", "embargoed", "embargo", "embargo_until", "embargoDate")
_VERSION = ("version",)
_STATUS = ("pubStatus", "pubstatus", "creativeWorkStatus")
_COPYRIGHT = ("copyrightNotice", "copyrightnotice", "copyright", "copyright_notice")
_USAGE_TERMS = ("usageTerms", "usageterms", "usageInfo", "rights", "license")
_FACTS = {
    "headline": _HEADLINE, "body": _BODY, "summary": _SUMMARY, "authors": _AUTHORS, "published": _PUBLISHED,
    "modified": _MODIFIED, "language": _LANGUAGE, "url": _URL, "publisher": _PUBLISHER, "place": _PLACE,
    "embargo": _EMBARGO, "version": _VERSION, "status": _STATUS, "copyright": _COPYRIGHT, "usage_terms": _USAGE_TERMS,
}  # fmt: skip
FACTS = tuple(_FACTS)
"""What a setting may name fields for."""
# Where a wrapping object keeps the words themselves. `@id` last: it names, it does not say.
_INSIDE = ("value", "@value", "$date", "rendered", "main", "name", "text", "title", "url", "alternateName", "@id")
_LAST_ROLES = frozenset({"creditline", "credit", "copyright", "usageterms"})
_DEEPEST = 4
_MOST = 50
_FOLDS = {name.replace("_", "").lower(): name for names in _FACTS.values() for name in names}


def texts(value: Any, depth: int = 0) -> Iterator[str]:
    """The strings in `value`, in order; nothing deeper than four wrappers, which no dialect has."""
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, bool) or depth == _DEEPEST:
        return
    elif isinstance(value, int | float):
        yield str(value)
    elif isinstance(value, list):
        for item in _main_first(value[:_MOST]):
            yield from texts(item, depth + 1)
    elif isinstance(value, dict):
        inside = (text for name in _INSIDE if name in value for text in texts(value[name], depth + 1))
        yield from islice(inside, 1)


def _main_first(items: list[Any]) -> list[Any]:
    """ninjs lists every version of a headline or body; the one whose role is `main` goes first, credits go last."""
    return sorted(items, key=_rank)


def _rank(item: Any) -> int:
    role = item.get("role") if isinstance(item, dict) else None
    return 0 if role == "main" else 2 if isinstance(role, str) and role in _LAST_ROLES else 1


def folded(record: Record) -> Record:
    """`record` under our spelling of its names, where they differ in case and `_` or `-` only: `TEXT`, `Publish-Date`.

    A name that is spelled our way already is never replaced.
    """
    ours = {_FOLDS[fold]: value for name, value in record.items() if (fold := _fold(name)) in _FOLDS}
    return {**ours, **record}


def _fold(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def is_known(name: str) -> bool:
    """Whether a field of this name, in any case, says something that we look for."""
    return _fold(name) in _FOLDS


def read_record(record: Record, origin: str, names: Names) -> Draft:
    """`read_fields` of a whole record: fields that a setting names first, then ours in any case."""
    mapped = {_FACTS[fact][0]: value for fact, paths in names.items() if (value := _along(record, paths))}
    draft = read_fields({**record, **mapped}, origin)
    if not draft.paragraphs or SUMMARY in draft.warnings:
        folds = read_fields({**folded(record), **mapped}, origin)
        draft = folds if folds.paragraphs else draft
    draft.origins |= dict.fromkeys((fact for fact in names if _along(record, names[fact])), "setting")
    return draft


def _along(record: Record, paths: tuple[str, ...]) -> Any:
    """What the first of these dotted paths leads to; a key with a dot in it is taken as it is."""
    for path in paths:
        value: Any = record
        for step in [path] if path in record else path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if value:
            return value
    return None


def read_fields(record: Record, origin: str) -> Draft:
    """What `record` states, as a Draft whose dates have this `origin`. No paragraphs where there is no body."""
    body = _body(record)
    draft = Draft(
        paragraphs(body or _body(record, _SUMMARY)),
        headline=_words(record, _HEADLINE),
        authors=list(_stated(record, _AUTHORS)),
        published=[(words, origin) for words in _stated(record, _PUBLISHED)],
        modified=[(words, origin) for words in _stated(record, _MODIFIED)],
        language=_first(record, _LANGUAGE),
        url=_first(record, _URL, "http"),
        publisher=_first(record, _PUBLISHER),
        place=_first(record, _PLACE),
        embargo=[(words, origin) for words in _stated(record, _EMBARGO)],
        version=_first(record, _VERSION),
        status=_first(record, _STATUS),
        copyright=_words(record, _COPYRIGHT),
        usage_terms=_words(record, _USAGE_TERMS),
        origin=origin,
    )
    if not body and draft.paragraphs:
        draft.warnings.add(SUMMARY)
    return draft


def _first(record: Record, names: tuple[str, ...], start: str = "") -> str | None:
    return next((text for text in _stated(record, names) if text.startswith(start)), None)


def _words(record: Record, names: tuple[str, ...]) -> str | None:
    text = _first(record, names)
    return text and plain(text)


def _stated(record: Record, names: tuple[str, ...]) -> Iterator[str]:
    """Every text under `names`, in their order."""
    return (text for name in names if name in record for text in texts(record[name]))


def _body(record: Record, names: tuple[str, ...] = _BODY) -> str:
    for name in filter(record.__contains__, names):
        value = record[name]
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            value = "\n\n".join(value)  # a list of paragraphs, not of versions
        words = next(texts(value), "")
        if words and not words.startswith(("http://", "https://")):
            return plain(words)
    return ""
