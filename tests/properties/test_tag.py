"""Whatever the text, tagging ends, says the same twice, and its mentions point at what they say."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.records import Article, RawArticle
from pipeline.stages.tag import Tagger

PIECES = (
    "President Donald Trump",
    "Trump",
    "al-Assad",
    "U.S.",
    "UK",
    "Bosnia and Herzegovina",
    "in Reading",
    "Bank of England",
    "World Trade Group (WTG)",
    "Mr. Smith’s",
    "N'Djamena",
    "Côte d’Ivoire",
    "İstanbul",
    "Secretary of State",
    "Jr.",
    "ceasefire",
    "interest rate",
    "The",
    "said",
    "of the",
    "東京",
    "🙂",
    "\n\n",
    ". ",
    ", 45,",
)
texts = st.one_of(
    st.text(max_size=400),
    st.text(st.characters(codec=None), max_size=100),
    st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=20).map("".join),
)
languages = st.sampled_from((None, "en", "de-AT", "zz", "", "pt_BR"))


@cache
def tagger() -> Tagger:
    return Tagger()


@st.composite
def articles(draw: st.DrawFn) -> Article:
    raw = RawArticle("0" * 32, "a.txt", 0, "text/plain", "2025-03-18T09:00:00.000Z", "0" * 64, b"")
    body = draw(texts)
    return Article(
        raw,
        "text",
        headline=draw(texts),
        headline_derived=draw(st.booleans()),
        body=body,
        word_count=len(body.split()),
        language=draw(languages),
        place=draw(st.sampled_from((None, "LISBON", "", "Nowhere", "UK"))),
    )


@settings(deadline=None, max_examples=300)
@given(articles())
def test_mentions_point_at_their_own_text(article: Article) -> None:
    mentions = tagger().tag(article).mentions
    for mention in mentions:
        assert mention.text
        assert article.body[mention.start : mention.end] == mention.text
    for left, right in pairwise(mentions):
        assert left.end <= right.start


@settings(deadline=None, max_examples=100)
@given(articles())
def test_the_same_article_gets_the_same_tags(article: Article) -> None:
    assert tagger().tag(article) == tagger().tag(article)


@settings(deadline=None, max_examples=100)
@given(st.lists(articles(), min_size=2, max_size=5))
def test_an_article_gets_the_same_tags_in_any_company(together: list[Article]) -> None:
    assert tagger().tag_all(together) == [tagger().tag(article) for article in together]


@settings(deadline=None, max_examples=200)
@given(articles())
def test_values_stay_in_their_ranges(article: Article) -> None:
    tags = tagger().tag(article)
    assert 0.0 <= tags.language_confidence <= 1.0
    assert all(0 <= topic.confidence <= 100 for topic in tags.topics)
    assert len(tags.topics) <= 5
    assert tags.failed is None
    if tags.language != "en":
        assert not tags.people
        assert not tags.organisations
        assert not tags.topics
    names = {mention.name for mention in tags.mentions}
    assert {*tags.people, *tags.organisations} <= names
