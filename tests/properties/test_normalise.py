"""What holds for every input: normalise ends in an Article or in BadInput, and a second look changes nothing."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline import ninjs
from pipeline.errors import BadInput
from pipeline.records import ORIGINAL, Article, RawArticle, Tags
from pipeline.stages.normalise import PARSERS, normalise
from tests.fuzz.targets import articles

RECEIVED = "2025-03-19T08:00:00.000Z"

# Drawn far more often than chance would: everything that cleaning treats in a way of its own.
ODD = st.sampled_from(
    "\r \n \t \v \f \0 \x1b \x1d \x85 \xa0 \xad \u034f \u061c \u200b \u200c \u200d \u2028 \u2029 \u202e \u2060 \u3000 "
    "\ufeff \ufffd \u0301 \u0338 \u1100 \u1161 \u0958 \u09bc \u1fef \u2126 \U0001f468 “ ’ \" ' < > & "
    "date 2025-03-18 . — 東 ก".split(" ")
)
TEXTS = st.lists(
    st.one_of(ODD, st.sampled_from([" ", "\n", "\r\n", "\n\n", "Harbour ", "St. "]), st.text(max_size=12))
).map("".join)


def raw(content: bytes, media_type: str) -> RawArticle:
    return RawArticle("0" * 32, "a.txt", 0, media_type, RECEIVED, "", content)


def outcome(content: bytes, media_type: str) -> Article | None:
    try:
        return normalise(raw(content, media_type))
    except BadInput:
        return None


def assert_clean(article: Article) -> None:
    assert article.paragraphs
    assert article.headline
    assert article.word_count > 0
    for text in (article.headline, *article.paragraphs, *article.byline, article.publisher or "", article.place or ""):
        assert text == " ".join(text.split())
        assert unicodedata.is_normalized("NFC", text)
        text.encode()  # no lone surrogates
        assert not any(unicodedata.category(mark) == "Cc" for mark in text)
    assert all(article.paragraphs)


@pytest.mark.parametrize("media_type", PARSERS)
@settings(max_examples=60, deadline=None)
@given(content=st.one_of(st.binary(max_size=300), TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_arbitrary_bytes_give_an_article_or_bad_input(media_type: str, content: bytes) -> None:
    article = outcome(content, media_type)
    if article:
        assert_clean(article)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("0\u09bc\u0301\u200c0")
@example("ß\x1f¢")
@example("à\x1f£¡")
@example("ß\xad¢ rain")
@example("e\u200d\u0301\u200d\u09bc\u200c\u0301")
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = outcome(text.encode("utf-8", "surrogatepass"), "text/plain")
    if once is None:
        return
    twice = normalise(raw(once.body.encode(), "text/plain"))
    assert twice.body == once.body
    assert twice.word_count == once.word_count
    assert twice.headline == once.headline
    assert twice.place == once.place


FACTS = (
    "headline", "body", "word_count", "byline", "language", "url", "publisher", "place", "version", "status",
    "copyright", "usage_terms",
)  # fmt: skip
DATES = ("published", "modified", "embargo")


@pytest.mark.parametrize("media_type", PARSERS)
def test_what_we_write_is_read_as_it_was(media_type: str) -> None:
    for content in articles(media_type):
        if once := outcome(content, media_type):
            record = ninjs.enriched(once, ORIGINAL, Tags(language=once.language, language_confidence=1.0))
            twice = normalise(raw(record, "application/json"))
            assert {fact: getattr(twice, fact) for fact in FACTS} == {fact: getattr(once, fact) for fact in FACTS}
            # An article without a date of its own has that of its arrival in its record, under a name of its own.
            stated = [(getattr(once, date), getattr(twice, date)) for date in DATES if getattr(once, date)]
            assert [again.value for _, again in stated] == [date.value for date, _ in stated]
            again = normalise(raw(once.body.encode(), "text/plain"))
            assert again.body == once.body


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_the_charset_leaves_no_trace(text: str, codec: str) -> None:
    sound = "".join(mark for mark in text if mark.isprintable() or (mark.isspace() and mark >= " ") or mark == "\n")
    plain = outcome(sound.encode(), "text/plain")
    other = outcome(sound.encode(codec), "text/plain")
    assert (plain and plain.body) == (other and other.body)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "headline headlines body bodies article author date published source url language value role main "
                "name @id @graph content datePublished publisher description".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_json_of_any_shape_gives_an_article_or_bad_input(value: object) -> None:
    article = outcome(json.dumps(value).encode(), "application/json")
    if article:
        assert_clean(article)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES, TEXTS)
def test_a_page_with_any_json_ld_gives_an_article_or_bad_input(value: object, text: str) -> None:
    linked = json.dumps({"@type": "NewsArticle", "headline": value, "datePublished": value, "author": value})
    page = f'<html><head><script type="application/ld+json">{linked}</script></head><body><p>{text}</p></body></html>'
    article = outcome(page.encode("utf-8", "surrogatepass"), "text/html")
    if article:
        assert_clean(article)


MARKUP = st.lists(
    st.sampled_from(
        "<item> </item> <title> </title> <description> <content:encoded> <![CDATA[ ]]> &amp; &lt; & "
        "&nbsp; <p> </p> <br/> "
        "<entry> <nitf> <body> <body.head> <body.content> <hl1> <newsItem> <contentSet> <inlineXML> <NewsItem> "
        "<DataContent> <!DOCTYPE <!-- --> <?xml > Subject: Content-Type: multipart/mixed; boundary=x --x date: --- "
        "title: a,b \" ; \n\n dam <div lang='en'> xmlns:a='b' Content-Transfer-Encoding: base64 =?utf-8?q?a?= © "
        "2025".split(" ")
    )
    | ODD
).map(" ".join)


@pytest.mark.parametrize("media_type", PARSERS)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=MARKUP)
def test_bits_of_every_format_give_an_article_or_bad_input(media_type: str, text: str) -> None:
    article = outcome(text.encode("utf-8", "surrogatepass"), media_type)
    if article:
        assert_clean(article)
        again = outcome(article.body.encode(), "text/plain")
        assert again is None or again.body == normalise(raw(again.body.encode(), "text/plain")).body
