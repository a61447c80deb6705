from __future__ import annotations

import pytest

from pipeline.stages.normalise.dateline import read_dateline
from pipeline.stages.normalise.headline import first_sentence, printed_headline, without_site


@pytest.mark.parametrize(
    ("paragraph", "sentence"),
    [
        ("The dam held. Nobody was hurt.", "The dam held."),
        ("Dr. A. K. Mwangi spoke. He left.", "Dr. A. K. Mwangi spoke."),
        ("The U.S. Senate met on St. John's Day. It rose at 3.5 p.m. sharp.", "The U.S. Senate met on St. John's Day."),
        ("Prices rose 1.5 percent. Wages did not.", "Prices rose 1.5 percent."),
        ("“We won.” So said the coach.", "“We won.”"),
        ("“Why now?” he asked. Nobody knew.", "“Why now?” he asked."),
        ("Help came… but late. It rained.", "Help came… but late."),
        ("No stop at all", "No stop at all"),
        ("市は発表した。次は来年。", "市は発表した。"),
    ],
)
def test_first_sentence(paragraph: str, sentence: str) -> None:
    assert first_sentence(paragraph) == sentence


def test_a_long_sentence_is_cut_between_words() -> None:
    cut = first_sentence("word " * 60)
    assert cut == "word " * 23 + "word…"


def test_a_long_run_without_spaces_is_cut_anywhere() -> None:
    assert first_sentence("東" * 300) == "東" * 119 + "…"


@pytest.mark.parametrize(
    ("title", "sites", "headings", "expected"),
    [
        ("Port reopens | Valley Times", ["Valley Times"], [], "Port reopens"),
        ("Port reopens - The Valley Times", ["Valley Times"], [], "Port reopens"),
        ("Port reopens | World | Valley Times", ["Valley Times"], ["Port reopens"], "Port reopens"),
        ("Valley Times: Port reopens", ["Valley Times"], [], "Port reopens"),
        ("War | A memoir", ["Valley Times"], [], "War | A memoir"),
        ("Port reopens | Valley Times", [], ["Valley Times"], "Port reopens | Valley Times"),
        ("Win-win deal - for whom?", ["Valley Times"], [], "Win-win deal - for whom?"),
        ("Valley Times", ["Valley Times"], [], "Valley Times"),
    ],
)
def test_site_names_go_only_when_justified(title: str, sites: list[str], headings: list[str], expected: str) -> None:
    assert without_site(title, sites, headings) == expected


@pytest.mark.parametrize(
    ("title", "headings", "page_title", "expected"),
    [
        ("Delhi: the law that hurts", ["The law that hurts Delhi’s air"], "", "The law that hurts Delhi’s air"),
        ("Star's row over", ["Star may play after all"], "Star may play after all", "Star may play after all"),
        ("Port reopens after strike", ["Business"], "", "Port reopens after strike"),
        ("Port reopens after strike", [], "", "Port reopens after strike"),
    ],
)  # fmt: skip
def test_the_printed_headline_wins(title: str, headings: list[str], page_title: str, expected: str) -> None:
    assert printed_headline(title, headings, page_title) == expected


@pytest.mark.parametrize(
    ("paragraph", "place", "date", "story"),
    [
        ("LISBON (Reuters) — The dam held.", "LISBON", None, "The dam held."),
        ("LISBON, March 18 - The dam held.", "LISBON", None, "The dam held."),
        ("LISBON, March 18, 2025 (AP) -- The dam held.", "LISBON", "March 18, 2025", "The dam held."),
        ("HAYWARD, Calif. (AP) — The dam held.", "HAYWARD, Calif.", None, "The dam held."),
        ("Paris (AFP) - The dam held.", "Paris", None, "The dam held."),
        ("SÃO PAULO – The dam held.", "SÃO PAULO", None, "The dam held."),
        ("МОСКВА — Плотина выстояла.", "МОСКВА", None, "Плотина выстояла."),
        (
            "SAN JOSE, Calif., Nov. 5, 2025 /Newsline/ -- The dam held.",
            "SAN JOSE, Calif.",
            "Nov. 5, 2025",
            "The dam held.",
        ),
        ("TOKYO—The dam held.", "TOKYO", None, "The dam held."),
        ("الرباط — صمد السد.", "الرباط", None, "صمد السد."),
    ],
)
def test_datelines(paragraph: str, place: str, date: str | None, story: str) -> None:
    found = read_dateline(paragraph)
    assert found is not None
    assert (found.place, found.date, paragraph[found.end :]) == (place, date, story)


@pytest.mark.parametrize(
    "paragraph",
    [
        "The minister — a farmer — agreed.",
        "Jane Doe (Labour) — no friend of dams — agreed.",
        "BREAKING — The dam held.",
        "UPDATE 1 - The dam held.",
        "FILE - The dam on Monday.",
        "عاجل — صمد السد.",
        "قال وزير المياه — صمد السد.",
        "COVID-19 has returned.",
        "X-rays - and more.",
        "The dam held.",
        "",
    ],
)
def test_what_is_no_dateline(paragraph: str) -> None:
    assert read_dateline(paragraph) is None
