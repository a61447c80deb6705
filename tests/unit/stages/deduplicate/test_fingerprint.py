from __future__ import annotations

import numpy as np
import pytest

from pipeline.records import Article, RawArticle
from pipeline.stages.deduplicate import fingerprint
from pipeline.stages.deduplicate.fingerprint import NO_SIGNATURE, Fingerprint
from pipeline.stages.deduplicate.normal import normal_form

WORDS = [f"word{number}x" for number in range(400)]


def claim(body: str, *, url: str | None = None, source: str = "a.txt", single: bool = True) -> Fingerprint:
    raw = RawArticle("0" * 32, source, 0, "text/plain", "", "", b"", single=single)
    return fingerprint(Article(raw, "text", "", False, body, len(body.split()), url=url))


def agreement(left: str, right: str) -> float:
    signatures = [np.frombuffer(claim(body).signature, np.uint8) for body in (left, right)]
    return float((signatures[0] == signatures[1]).mean())


def text_of(body: str) -> str:
    return normal_form(body).tobytes().decode("utf-16-le")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", ""),
        (" … — !", ""),
        ("“It’s  Over,”\n\nshe said.", "it s over she said"),
        ("ﬁnal ½ Ⅷ", "final 1 2 viii"),
        ("ＡＢＣ１２３", "abc123"),
        ("ÉTÉ été", "été été"),
        ("€5 or 5%?", "€5 or 5%"),
        ("समाचार", "समाचार"),  # vowel signs are part of the word
        ("good 🎉 news", "good news"),
        ("𠮷野家", "𠮷野家"),
        ("lone \ud800 half", "lone half"),
    ],
)
def test_normal_form(body: str, expected: str) -> None:
    assert text_of(body) == expected


def test_case_quotes_and_spacing_leave_the_exact_fingerprint_alone() -> None:
    assert claim('He said: "No way" -- twice.').exact == claim("he said “NO WAY” – twice").exact
    assert claim("It rose 5%").exact != claim("It rose 6%").exact


def test_a_text_without_words_has_no_exact_fingerprint() -> None:
    assert claim("!!!").exact == 0


def test_short_texts_have_no_signature() -> None:
    assert claim(" ".join(WORDS[:15])).signature == NO_SIGNATURE
    assert claim(" ".join(WORDS[:16])).signature != NO_SIGNATURE


def test_signatures_estimate_the_share_of_common_shingles() -> None:
    changed = [word if number % 20 else "other" for number, word in enumerate(WORDS)]
    assert agreement(" ".join(WORDS), " ".join(changed)) == pytest.approx(0.74, abs=0.12)
    assert agreement(" ".join(WORDS), " ".join(reversed(WORDS))) < 0.05


def test_where_a_shingle_stands_does_not_matter() -> None:
    assert agreement(" ".join(WORDS), "Prepended. " + " ".join(WORDS)) > 0.95


def test_a_text_longer_than_the_prepared_powers_has_the_same_shingles() -> None:
    long = " ".join(f"{word}{number}" for number in range(25) for word in WORDS)
    assert len(long) > 1 << 16
    assert agreement(long, "Prepended. " + long) > 0.95


def test_figures_are_runs_of_digits() -> None:
    assert claim("no figures").figures == 0
    assert claim("12 and 40").figures == claim("of 40, some 12").figures != claim("12 and 41").figures
    assert claim("7").figures.bit_count() == 1


@pytest.mark.parametrize(
    "other", ["https://news.example/a/1", "http://news.example/a/1#part", "https://news.example/a/1/"]
)
def test_one_address_in_several_spellings(other: str) -> None:
    key = claim("x", url="https://news.example/a/1", source="a.html").revision
    assert claim("y", url=other, source="b.html").revision == key
    assert claim("y", url="https://news.example/a/2", source="a.html").revision != key


def test_what_stands_for_an_article_without_an_address() -> None:
    by_source = claim("x", source="a.txt").revision
    assert by_source != 0
    assert claim("x", source="b.txt").revision != by_source
    assert claim("x", source="a.txt", url="https://news.example/").revision == by_source
    assert claim("x", source="a.jsonl", single=False).revision == 0
