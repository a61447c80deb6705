"""Whatever valid Unicode an article is made of, its record is written, is valid twice over, and says the same again."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import ninjs
from pipeline.checked import faults
from pipeline.records import ORIGINAL, Article, Dated, RawArticle, Tags, Verdict
from pipeline.terms import Mention, Place, Topic

# Any code point save lone surrogates, which no valid UTF-8 holds and `normalise` never lets through.
words = st.text(min_size=1, max_size=40)
ids = st.text("0123456789abcdef", min_size=32, max_size=32)
slugs = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True)
moments = st.integers(0, 2**32).map(lambda when: f"{datetime.fromtimestamp(when, UTC):%Y-%m-%dT%H:%M:%SZ}")
languages = st.none() | st.sampled_from(["en", "pt-BR", "zh-Hant", "ar"])
several = st.lists(words, max_size=3).map(tuple)
dated = st.builds(Dated, moments, st.sampled_from(["day", "minute", "second"]), st.booleans(), st.text(), slugs)
raws = st.builds(
    RawArticle, ids, st.text(), st.integers(0, 2**53), slugs, moments, ids, st.binary(max_size=8), st.integers(0, 9)
)
articles = st.builds(
    Article,
    raw=raws,
    format=slugs,
    headline=words,
    body=words,
    word_count=st.integers(0, 10**9),
    byline=several,
    published=st.none() | dated,
    modified=st.none() | dated,
    language=languages,
    url=st.none() | words.map("https://example.org/".__add__),
    publisher=st.none() | words,
    place=st.none() | words,
    version=st.none() | words,
    status=st.sampled_from([None, "usable", "withheld", "canceled"]),
    embargo=st.none() | dated,
    copyright=st.none() | words,
    usage_terms=st.none() | words,
    warnings=st.lists(slugs, max_size=3).map(tuple),
)
countries = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)
places = st.builds(
    Place,
    words,
    st.sampled_from(["country", "city"]),
    countries,
    st.none() | st.floats(-90, 90),
    st.none() | st.floats(-180, 180),
    st.none() | st.integers(1, 10**8),
)
kinds = st.sampled_from(["person", "organisation", "place"])
codes = st.from_regex("[0-9]{8}", fullmatch=True).filter(str.isascii)
tags = st.builds(
    Tags,
    language=languages,
    language_confidence=st.floats(0, 1),
    people=several,
    organisations=several,
    places=st.lists(places, max_size=3).map(tuple),
    topics=st.lists(
        st.builds(Topic, codes, words, st.integers(0, 100), st.lists(codes, min_size=1, max_size=3).map(tuple)),
        max_size=3,
    ).map(tuple),
    keywords=several,
    mentions=st.lists(st.builds(Mention, st.integers(0, 99), st.integers(1, 99), words, kinds, words), max_size=3).map(
        tuple
    ),
    failed=st.none() | words,
)
revisions = st.builds(Verdict, st.just("revision"), ids, number=st.integers(1, 999))
derived = st.builds(Verdict, st.just("derived"), ids, similarity=st.floats(0, 1))
duplicates = st.builds(Verdict, st.just("duplicate"), ids, st.sampled_from(["exact", "near"]), st.floats(0, 1))


# A busy machine must not fail it: what counts is what comes out.
@settings(deadline=None)
@given(articles, st.just(ORIGINAL) | revisions | derived, tags)
def test_an_enriched_record_passes_both_schemas_and_keeps_its_text(
    article: Article, verdict: Verdict, found: Tags
) -> None:
    record = ninjs.enriched(article, verdict, found)
    assert faults(record) == []
    assert record == ninjs.enriched(article, verdict, found)
    assert orjson.loads(record)["bodies"][0]["value"] == article.body


# A busy machine must not fail it: what counts is what comes out.
@settings(deadline=None)
@given(articles, duplicates)
def test_a_duplicate_record_passes_both_schemas_and_keeps_its_text(article: Article, verdict: Verdict) -> None:
    record = ninjs.duplicate(article, verdict)
    assert faults(record) == []
    assert record == ninjs.duplicate(article, verdict)
    assert orjson.loads(record)["headlines"][0]["value"] == article.headline
