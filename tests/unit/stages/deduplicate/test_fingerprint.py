from __future__ import annotations

import pytest

from pipeline.records import Article, RawArticle
from pipeline.stages.deduplicate import decode_claims, encode_claims, fingerprint
from pipeline.stages.deduplicate.claims import Rows
from pipeline.stages.deduplicate.fingerprint import NO_KEYS, NO_SIGNATURE, Fingerprint
from pipeline.stages.deduplicate.judge import figures, numbers_kept, similarity
from pipeline.stages.deduplicate.normal import normal_form

WORDS = [f"word{number}x" for number in range(400)]


def claim(
    body: str, headline: str = "", *, url: str | None = None, source: str = "a.txt", single: bool = True
) -> Fingerprint:
    raw = RawArticle("0" * 32, source, 0, "text/plain", "", "", b"", single=single)
    return fingerprint(Article(raw, "text", headline, not headline, body, len(body.split()), url=url))


def rows(*bodies: str) -> Rows:
    return decode_claims(encode_claims([claim(body) for body in bodies], 0)).rows


def agreement(left: str, right: str) -> float:
    return float(similarity(rows(left), rows(right))[0])


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


def in_text(*stretches: str) -> Rows:
    return rows(*(f"{' '.join(WORDS[:30])} {stretch} {' '.join(WORDS[30:])}" for stretch in stretches))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("some 12 people of 40 houses", "some 12 people of 40 houses", (2, 0)),
        ("some 12 people of 40 houses", "some 13 people of 40 houses", (1, 1)),
        ("some 12 people of 40 houses", "of 40 houses so some 12 people", (2, 0)),
        ("some 12 people of 40 houses", "some 12 people of houses", (1, 0)),
        ("up 1,234.5 points", "up 1,234.6 points", (0, 1)),  # one figure
        ("some 12 people and some 14 people", "some 14 people and some 12 people", (1, 0)),
        ("some 12 people and some 14 people", "some 12 people", (0, 0)),  # which of the two is left cannot be told
        ("no figures", "no figures", (0, 0)),
        ("unit a4b", "unit a5b", (0, 0)),  # part of a word
    ],
)
def test_figures_are_compared_by_the_words_around_them(left: str, right: str, expected: tuple[int, int]) -> None:
    same, other = figures(in_text(left), in_text(right))
    assert (int(same[0]), int(other[0])) == expected


def test_figures_in_a_script_without_spaces() -> None:
    text = (
        "北岸市周二宣布，连接老城与新机场的地铁线路将于下月初通车，全线共有{}座车站，首班车清晨发车，乘客对此表示欢迎。"
        * 2
    )
    same, other = figures(rows(text.format(17, 17)), rows(text.format(17, 18)))
    assert (int(same[0]), int(other[0])) == (0, 1)


def test_a_short_text_in_signs_counts_as_few_words() -> None:
    assert claim("地铁线路将于下月初通车" * 2).keys == NO_KEYS
    assert claim("地铁线路将于下月初通车乘客对此" * 3).words == 22
    assert claim("ผู้ว่าราชการจังหวัดเปิดตลาดใหม่ริมแม่น้ำเมื่อเช้าวันอังคาร").keys == NO_KEYS


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


def test_the_headline_counts_only_where_the_text_is_brief() -> None:
    dividend = "Quarterly dividend 20 cents against 20 cents before, payable April 15."
    assert claim(dividend, "Alder Foods dividend").exact != claim(dividend, "Corvid Mining dividend").exact
    assert claim(dividend, "Alder Foods dividend").exact == claim(dividend, "ALDER FOODS: dividend").exact
    long = " ".join(WORDS[:40])
    assert claim(long, "Alder Foods dividend").exact == claim(long, "Corvid Mining dividend").exact


def test_small_numbers_are_figures_however_they_are_written() -> None:
    frame = (
        " ".join(WORDS[:40]) + " funds were trading at {} percent when the bank stepped in " + " ".join(WORDS[40:80])
    )
    same, other = figures(rows(frame.format("six")), rows(frame.format("6")))
    assert (int(same[0]), int(other[0])) == (1, 0)
    same, other = figures(rows(frame.format("six")), rows(frame.format("6-3/16")))
    assert (int(same[0]), int(other[0])) == (0, 1)
    assert claim(frame.format("one")).numbers == claim(frame.format("no")).numbers


def test_all_figures_are_remembered_wherever_they_stand() -> None:
    told = "Stocks {} fell by 8.8 million barrels to 119.6 million in the week ended {}, while demand {} rose to 1,564."
    left, right = rows(told.format("", "March 6", ""), told.format("of fuel", "April 3", "at sea"))[:, None]
    assert float(numbers_kept(left, right)[0]) == pytest.approx(0.75, abs=0.1)


@pytest.mark.parametrize("headline", ["CORRECTED - Alder Foods net", "Correction: ferry times", "corrects second name"])
def test_a_correction_says_so_in_front(headline: str) -> None:
    assert claim("word " * 40, headline).correction
    assert not claim("word " * 40, "Alder Foods corrected its accounts").correction
    assert claim("Correction: an earlier version gave a wrong figure. The ferry").correction
