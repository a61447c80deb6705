"""A text has the same fingerprint in any company."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.records import Article, RawArticle
from pipeline.stages.deduplicate import fingerprint, fingerprints

words = st.sampled_from(
    [
        "rain",
        "Fell",
        "on",
        "two",
        "twelve",
        "12",
        "1,234.5",
        "5%",
        "“bridge”,",
        "…",
        "ﬁnal",
        "½",
        "𠮷",
        "🎉",
        "\ud800",
        "é",
    ]
)
signs = st.sampled_from(["北岸市", "地铁线路", "17", "。", "ผู้ว่าราชการ", "ตลาดใหม่", "ひらがな", "カナ"])
spaced = st.lists(words, max_size=60).map(" ".join)
spaceless = st.lists(signs, max_size=40).map("".join)
bodies = st.one_of(spaced, spaceless, st.text(max_size=40), st.just(""), st.just(" \n"))
RAW = RawArticle("0" * 32, "a.txt", 0, "text/plain", "", "", b"")


@st.composite
def articles(draw: st.DrawFn) -> Article:
    headline = draw(st.sampled_from(["", "Alder Foods dividend", "Correction: ferry times", "北岸市"]))
    return Article(RAW, "text", headline, draw(st.booleans()), draw(bodies), 0)


@settings(deadline=None)  # the machine may be busy; speed has a benchmark of its own
@given(st.lists(articles(), max_size=8))
def test_a_text_has_the_same_fingerprint_in_any_company(given_articles: list[Article]) -> None:
    assert fingerprints(given_articles) == [fingerprint(article) for article in given_articles]
