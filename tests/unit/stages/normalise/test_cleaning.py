from __future__ import annotations

import pytest

from pipeline.stages.normalise.cleaning import clean, count_words, from_html, has_tags, one_line, paragraphs, unescape


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cafe\u0301", "café"),
        ("co\u00adop\u200b \u2060bank\ufeff", "coop bank"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ('“curly” and "straight" ‘quotes’ it\'s', '“curly” and "straight" ‘quotes’ it\'s'),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("mi\u200ckhaham", "mikhaham"),
        ("می\u200cخواهد", "می\u200cخواهد"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("en\u2003space\u3000wide", "en space wide"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_a_tower_of_marks_is_taken_down() -> None:
    assert clean("a" + "\u0301\u0316" * 50_000 + " b") == "a b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\n\ntwo\n \t\nthree\n\n\n\nfour", ["one", "two", "three", "four"]),
        ("wrapped by\nhand  at  72", ["wrapped by hand at 72"]),
        ("a" * 200 + "\n" + "b" * 200, ["a" * 200, "b" * 200]),
        ("東京都は\n発表した。\n次の行", ["東京都は発表した。次の行"]),
        (" \n\n ", []),
    ],
)
def test_paragraphs(text: str, expected: list[str]) -> None:
    assert paragraphs(text) == expected


def test_one_line() -> None:
    assert one_line("  Port\n reopens\u00a0 ") == "Port reopens"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", 0),
        ("One two three.", 3),
        ("One two.\n\nThree four.", 4),
        ("The mayor — no friend of buses – agreed - at last", 9),
        ("東京都は発表した。", 8),
        ("2035年に開業", 5),
        ("กรุงเทพมหานคร", 3),
        ("서울시는 버스를 늘린다", 3),
        ("Совет удвоит число автобусов", 4),
    ],
)
def test_count_words(body: str, words: int) -> None:
    assert count_words(body) == words


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("<p>One <b>bold</b>\nword.</p><p>Two</p>", ["One bold word.", "Two"]),
        ("One<br>line<br/><br/>Two &amp; &lt;three&gt;", ["One line", "Two & <three>"]),
        ("<script>if (a < b) x()</script>Text<!-- note --><style>p{}", ["Text"]),
        ("<ul><li>first</li><li>second</li></ul>", ["first", "second"]),
        (
            "<?xml version='1.0'?>\n<nitf><head><title>Dam</title></head><body><body.head><hedline><hl1>Dam holds</hl1>"
            "</hedline><byline>By Ann Lee</byline></body.head><body.content><p>One.</p></body.content></body></nitf>",
            ["Dam holds", "By Ann Lee", "One."],
        ),
        ("<!DOCTYPE html><html><head><title>Never closed<p>One.</p>", ["Never closed", "One."]),
    ],
)
def test_from_html(fragment: str, expected: list[str]) -> None:
    assert has_tags(fragment)
    assert paragraphs(from_html(fragment)) == expected


@pytest.mark.parametrize("text", ["a < b and c > d", "<unknown> said", "I <3 Lisbon", "5<6"])
def test_words_with_an_angle_are_no_html(text: str) -> None:
    assert not has_tags(text)


def test_unescape_only_entities() -> None:
    assert unescape("AT&amp;T &#8216;wins&#8217; &c. R&D") == "AT&T ‘wins’ &c. R&D"
