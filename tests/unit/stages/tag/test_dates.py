"""Dates that the text speaks of: what is taken, and what is rather left out."""

from __future__ import annotations

import pytest

from pipeline.records import Article, Dated, RawArticle
from pipeline.stages.tag.dates import DateFinder
from pipeline.stages.tag.letters import cut
from pipeline.stages.tag.page import pages

MADE = Dated("2025-03-18T09:00:00Z", "minute", True, "2025-03-18T09:00:00Z", "field")


def dates(body: str, *, english: bool = True, published: Dated | None = MADE) -> list[tuple[str, str, str, str]]:
    raw = RawArticle("0" * 32, "a.txt", 0, "text/plain", "2025-03-20T09:00:00.000Z", "0" * 64, b"")
    article = Article(raw, "text", "In May 1999", False, body, len(body.split()), published=published)
    (page,) = pages([article], cut([body]))
    found = DateFinder().find(page, english)
    assert all(body[date.start : date.end] == date.text for date in found)
    return [(date.text, date.value, date.grain, date.found) for date in found]


@pytest.mark.parametrize(
    ("text", "said", "value"),
    [
        ("It began on 18 March 2025 in Lima.", "18 March 2025", "2025-03-18"),
        ("It began on March 3rd, 2024, in Lima.", "March 3rd, 2024", "2024-03-03"),
        ("It began on the 3rd of March 2024.", "3rd of March 2024", "2024-03-03"),
        ("It began on Sept. 11, 2001.", "Sept. 11, 2001", "2001-09-11"),
        ("Version of 2024-02-29, at noon", "2024-02-29", "2024-02-29"),
        ("On 18.3.2025 it rained", "18.3.2025", "2025-03-18"),
        ("On 18/3/2025 it rained", "18/3/2025", "2025-03-18"),
        ("On 3/18/2025 it rained", "3/18/2025", "2025-03-18"),
    ],
)
def test_days_stated_in_full_are_taken_as_they_stand(text: str, said: str, value: str) -> None:
    assert dates(text, published=None) == [(said, value, "day", "stated")]


@pytest.mark.parametrize(
    ("text", "said", "value"),
    [
        ("Am 18. März 2025 fiel Schnee.", "18. März 2025", "2025-03-18"),
        ("Le 1er août 2024, il pleuvait.", "1er août 2024", "2024-08-01"),
        ("El 2 de mayo de 2024 llovía.", "2 de mayo de 2024", "2024-05-02"),
        ("Дождь шёл 5 марта 2024 года", "5 марта 2024", "2024-03-05"),
    ],
)
def test_other_languages_too(text: str, said: str, value: str) -> None:
    assert dates(text, english=False) == [(said, value, "day", "stated")]


def test_a_month_with_its_year_is_a_month() -> None:
    assert dates("Since June 2023 nothing has moved.") == [("June 2023", "2023-06", "month", "stated")]


@pytest.mark.parametrize(
    ("text", "said", "value", "grain"),
    [
        ("He left yesterday, they say.", "yesterday", "2025-03-17", "day"),
        ("The vote is tomorrow.", "tomorrow", "2025-03-19", "day"),
        ("It fell three days ago.", "three days ago", "2025-03-15", "day"),
        ("It fell 10 days ago.", "10 days ago", "2025-03-08", "day"),
        ("Prices rose last month.", "last month", "2025-02", "month"),
        ("Prices may rise next year.", "next year", "2026", "year"),
        ("Prices rose last week.", "last week", "2025-W11", "week"),
        ("The strike began on March 3 in Lima.", "March 3", "2025-03-03", "day"),
        ("It ends on 30 December, they say.", "30 December", "2024-12-30", "day"),
    ],
)
def test_simple_relative_ones_are_counted_from_the_day_of_the_article(
    text: str, said: str, value: str, grain: str
) -> None:
    assert dates(text) == [(said, value, grain, "relative")]
    assert dates(text, published=None) == []
    assert dates(text, english=False) == []


def test_the_day_is_that_of_the_writers_clock() -> None:
    late = Dated("2025-03-19T02:00:00Z", "minute", True, "2025-03-18T22:00:00-04:00", "json-ld")
    assert dates("It rained today.", published=late) == [("today", "2025-03-18", "day", "relative")]


@pytest.mark.parametrize(
    "text",
    [
        "On 03/04/2025 it rained.",
        "He said so on Monday.",
        "They may 5 times try and march 3 miles.",
        "On 31 April 2024 nothing was, nor on 2024-13-01.",
        "In 2024 it rained, 1999 people came, and 20.000 left.",
        "Last but not least, this is it, a long time ago.",
        "Call 555-2024 or 12/2025.",
        "Since the Sept. 11 attacks it has been so.",
        "anna28.09.1913:39 wrote",
    ],
)
def test_what_may_mean_two_days_or_none_is_left_out(text: str) -> None:
    assert dates(text) == []


def test_the_headline_has_no_offsets_in_the_body() -> None:
    assert dates("Nothing here.") == []
