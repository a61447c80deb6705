"""Article, verdict and tags → the bytes of one record on `articles.enriched` or `articles.duplicates`.

Every record is an IPTC ninjs 3.1 object plus one key, `x_copydesk`, for all that ninjs has no slot for; without
that key it passes IPTC's schema. `schema/article.schema.json` describes both kinds of record in full. A fact that
is not known has no key: nothing here is guessed, and no clock is read, so the same inputs give the same bytes.
"""

from __future__ import annotations

from typing import Any

import orjson

from pipeline import __version__
from pipeline.records import Article, Tags, Verdict
from pipeline.terms import Place, Term, Topic

RULES = 6
"""Raise it with every change of rules (clean-up, fingerprints, tags) that makes the same bytes come out differently."""

_URN = "urn:copydesk:article:"
_RELS = {"duplicate": "duplicateOf", "revision": "revisionOf", "derived": "derivedFrom"}
_QCODE = "medtop:"
_MEDIA_TOPICS = "http://cv.iptc.org/newscodes/mediatopic/"
_GEONAMES = "https://sws.geonames.org/"
# Records do not claim IPTC's schema as their own, since `x_copydesk` is not in it: hence no `schema` here.
_STANDARD = {"name": "ninjs", "version": "3.1"}
_VERSIONS = {"copydesk": __version__, "rules": RULES}

Json = dict[str, Any]


def enriched(article: Article, verdict: Verdict, tags: Tags) -> bytes:
    """The value of an `articles.enriched` record, for any verdict but `duplicate`.

    Where the tagger failed, every key that it would have filled is absent and `x_copydesk.tagging_failed` says why;
    where it worked, those keys are always there, so an empty list means that it looked and found nothing.
    """
    ours = _ours(article, verdict, tags)
    record = _news(article, ours["language"]["code"])
    if verdict.kind == "revision":
        ours["revision"] = {"of": verdict.of, "number": verdict.number}
    elif verdict.kind == "derived":
        ours["derived"] = {"of": verdict.of, "similarity": verdict.similarity}
    record |= _associations(verdict)
    if tags.failed is not None:
        ours["tagging_failed"] = tags.failed
    else:
        _add_tags(record, ours, tags)
    record["x_copydesk"] = ours
    return orjson.dumps(record)


def duplicate(article: Article, verdict: Verdict) -> bytes:
    """The value of an `articles.duplicates` record, for a verdict of `duplicate`: no tags, the original has them."""
    ours = _ours(article, verdict, Tags())
    record = _news(article, ours["language"]["code"])
    ours["duplicate"] = {"of": verdict.of, "method": verdict.method, "similarity": verdict.similarity}
    record |= _associations(verdict)
    record["x_copydesk"] = ours
    return orjson.dumps(record)


def _news(article: Article, language: str) -> Json:
    """The part that is ninjs, before tags. The key order is the order in which people read a record."""
    record: Json = {
        # Made of our id, not the web address: two versions of one page are two articles.
        "uri": _URN + article.id,
        "type": "text",
        "standard": _STANDARD,
        "language": language,
        "headlines": [{"role": "main", "value": article.headline}],
        "firstCreated": article.raw.received,
    }
    if article.published:
        record["contentCreated"] = article.published.value
    if article.modified:
        record["versionCreated"] = article.modified.value
    if article.embargo:
        record["embargoedUntil"] = article.embargo.value
    if article.byline:
        record["by"] = ", ".join(article.byline)
    if article.place:
        record["located"] = article.place
    if article.url:
        record["altIds"] = [{"role": "canonical-url", "value": article.url}]
    if article.publisher:
        record["infoSources"] = [{"name": article.publisher, "role": "publisher"}]
    stated = (("version", article.version), ("pubStatus", article.status))
    rights = (("copyrightNotice", article.copyright), ("usageTerms", article.usage_terms))
    record |= {name: words for name, words in (*stated, *rights) if words}
    record["bodies"] = [_body(article)]
    return record


def _associations(verdict: Verdict) -> Json:
    """The other article, for readers of ninjs who know nothing of `x_copydesk`."""
    if not verdict.of:
        return {}
    return {"associations": [{"name": verdict.kind, "rel": _RELS[verdict.kind], "uri": _URN + verdict.of}]}


def _body(article: Article) -> Json:
    return {
        "role": "main",
        "contentType": "text/plain",
        "wordCount": article.word_count,
        "charCount": len(article.body),
        "value": article.body,
    }


def _ours(article: Article, verdict: Verdict, tags: Tags) -> Json:
    """What `x_copydesk` holds in both kinds of record."""
    raw = article.raw
    return {
        "id": raw.id,
        "source": raw.source,
        "position": raw.position,
        "format": article.format,
        "headline_derived": article.headline_derived,
        "dates": _dates(article),
        "language": _language(article, tags),
        "story": verdict.story or raw.id,
        "warnings": article.warnings,
        "versions": _VERSIONS | {name: said for name, said in _chosen(tags) if said},
    }


def _chosen(tags: Tags) -> tuple[tuple[str, str | None], ...]:
    """What the tags depend on beside our code."""
    return ("taxonomy", tags.taxonomy), ("model", tags.model)


def _dates(article: Article) -> Json:
    # orjson writes a Dated (and a Mention) field by field: their fields are the schema's.
    dates = {"published": article.published, "modified": article.modified, "embargo": article.embargo}
    return {name: date for name, date in dates.items() if date}


def _language(article: Article, tags: Tags) -> Json:
    """The language we settled on; `confidence` where it was detected, `declared` where the article names one."""
    found: Json = {"code": tags.language or article.language or "und"}
    if tags.language:
        found["confidence"] = tags.language_confidence
    if tags.language_alternatives:
        found["alternatives"] = [{"code": code, "confidence": share} for code, share in tags.language_alternatives]
    if article.language:
        found["declared"] = article.language
    return found


def _add_tags(record: Json, ours: Json, tags: Tags) -> None:
    # A term of your own that says what the article is about stands before what we found out.
    own = [term for term in tags.terms if term.target == "topic"]
    record["subjects"] = [*(_own_subject(term) for term in own), *(_subject(topic) for topic in tags.topics)]
    record["people"] = [{"name": name} for name in tags.people]
    record["organisations"] = [{"name": name} for name in tags.organisations]
    record["places"] = [_place(place) for place in tags.places]
    # ninjs has no room for a topic's path, for what kind of place it is, nor where a city lies. The order is theirs.
    ours["places"] = [_whereabouts(place) for place in tags.places]
    ours["topics"] = [_topic(topic) for topic in tags.topics]
    ours["keywords"] = tags.keywords
    ours["mentions"] = tags.mentions
    ours["dates_mentioned"] = tags.dates
    if tags.taxonomy:
        ours["terms"] = tags.terms


def _subject(topic: Topic) -> Json:
    return {
        "name": topic.label,
        "uri": _MEDIA_TOPICS + topic.code,
        "creator": "copydesk",
        "confidence": topic.confidence,
    }


def _topic(topic: Topic) -> Json:
    path = [_QCODE + code for code in topic.path]
    return {"qcode": _QCODE + topic.code, "name": topic.label, "path": path, "confidence": topic.confidence}


def _own_subject(term: Term) -> Json:
    return {"name": term.name, "uri": f"urn:copydesk:term:{term.id}", "creator": "taxonomy"}


def _whereabouts(place: Place) -> Json:
    found: Json = {"name": place.name, "kind": place.kind, "country": place.code}
    return found | {"region": place.region} if place.region else found


def _place(place: Place) -> Json:
    found: Json = {"name": place.name}
    if place.geonames_id is not None:
        found["uri"] = f"{_GEONAMES}{place.geonames_id}/"
    if place.kind != "city":
        found["literal"] = place.region or place.code
    if place.latitude is not None and place.longitude is not None:
        # GeoJSON puts the longitude first.
        found["geoJSON"] = {"type": "Point", "coordinates": [place.longitude, place.latitude]}
    return found
