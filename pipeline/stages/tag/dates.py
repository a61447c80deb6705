"""Dates that an article speaks of: `18 March 2025`, `2025-03-18`, `March 18`, `yesterday`, `last month`.

What is stated in full is taken as it stands, in nine languages. What has to be counted from the day of the article is
taken in English only, and only where that day is known. What may mean two days (`03/04/2025`, `on Monday`) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import numpy as np

from pipeline.records import Article
from pipeline.stages.tag.letters import Table, hashes
from pipeline.stages.tag.page import Page
from pipeline.stages.tag.words import alternatives, rows
from pipeline.terms import DateMention

MOST = 40
_REACH = 24
# A day and month without a year is the nearest one; half a year away there are two.
_NEAREST = timedelta(days=180)
_DAY_BEFORE = re.compile(r"(?<![\d.,:/])(\d{1,2})(?:st|nd|rd|th|er|\.|º)? (?:of |de )?$")
_YEAR_AFTER = re.compile(r"(?:\.|,| de)? (\d{4})(?!\d|[.,]\d)")
_DAY_AFTER = re.compile(r"\.? (\d{1,2})(?:st|nd|rd|th)?(?!\w|[.,:]\d|%)(?:,? (\d{4})(?!\d|[.,]\d))?")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_NUMERIC = re.compile(r"(?<![\w.,/-])(\d{1,2})([./])(\d{1,2})\2$")
_COUNTED_BEFORE = re.compile(r"(?<!\w)(\d{1,2}|[Oo]ne|[Tt]wo|[Tt]hree|[Ff]our|[Ff]ive|[Ss]ix|[Ss]even|[Tt]en) days? $")
_PERIOD_AFTER = re.compile(r" (week|month|year)\b")
# Said without the year, these may be a day of 2001, 2021 or 2023.
_NAMED_DAYS = {(9, 11), (1, 6), (10, 7)}
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}
_DAYS_OFF = {"yesterday": -1, "today": 0, "tomorrow": 1}
_PERIODS_OFF = {"last": -1, "this": 0, "next": 1}
Reader = Callable[[str, int, int, "date | None"], "DateMention | None"]


class DateFinder:
    """Holds the names of months; `find` is pure."""

    def __init__(self) -> None:
        self._months: dict[str, int] = {}
        for _, *names in rows("months.tsv"):
            for number, alike in enumerate(names, 1):
                self._months.update(dict.fromkeys(alternatives(alike), number))
        self._anywhere = Table(hashes(self._months))
        self._english = Table(hashes([*self._months, *_DAYS_OFF, *_PERIODS_OFF, "ago"]))

    def find(self, page: Page, english: bool) -> tuple[DateMention, ...]:
        """The dates in the body, in order, none over another; at most 40."""
        words = self._english if english else self._anywhere
        hits = np.flatnonzero(words.has(page.lowers[page.headline :])) + page.headline
        day = _day_of(page.article) if english else None
        text = page.article.body
        found: list[DateMention] = []
        for i in sorted([*hits.tolist(), *page.numbers]):
            start, end = int(page.starts[i]), int(page.ends[i])
            mention = self._read(text, start, end, day, english)
            if mention and not (found and mention.start < found[-1].end):
                found.append(mention)
        return tuple(found[:MOST])

    def _read(self, text: str, start: int, end: int, day: date | None, english: bool) -> DateMention | None:
        word = text[start:end]
        if word[0].isdigit():
            return _numeric(text, start, end)
        month = self._months.get(word.lower())
        if month:
            return _named(text, start, end, month, day, english)
        return _counted(text, start, end, day) if day else None


def _mention(text: str, start: int, end: int, value: str, grain: str, found: str) -> DateMention:
    return DateMention(start, end, text[start:end], value, grain, found)  # type: ignore[arg-type]


def _stated(text: str, start: int, end: int, year: int, month: int, day: int) -> DateMention | None:
    try:
        return _mention(text, start, end, date(year, month, day).isoformat(), "day", "stated")
    except ValueError:
        return None


def _numeric(text: str, start: int, end: int) -> DateMention | None:
    """`2025-03-18`, `18.3.2025`, and with slashes only what can be one day alone: `18/3/2025`, `3/18/2025`."""
    if iso := _ISO.fullmatch(text, start, end):
        return _stated(text, start, end, int(iso[1]), int(iso[2]), int(iso[3]))
    before = _NUMERIC.search(text[max(0, start - _REACH) : start])
    if not before or end - start != 4 or text[end : end + 1] == ":":
        return None
    day, month = int(before[1]), int(before[3])
    if before[2] == "/":
        if (day > 12) == (month > 12) and day != month:
            return None
        day, month = max(day, month), min(day, month)
    return _stated(text, start - len(before[0]), end, int(text[start:end]), month, day)


def _named(text: str, start: int, end: int, month: int, day: date | None, english: bool) -> DateMention | None:
    """`18 March 2025`, `March 18, 2025`, `March 2025`, and without the year what is nearest to `day`."""
    before = _DAY_BEFORE.search(text[max(0, start - _REACH) : start])
    year = _YEAR_AFTER.match(text, end)
    if before and year:
        return _stated(text, start - len(before[0]), year.end(), int(year[1]), month, int(before[1]))
    if english and not text[start].isupper():
        return None
    if before:
        return _nearest(text, start - len(before[0]), end, month, int(before[1]), day)
    after = _DAY_AFTER.match(text, end) if english else None
    if after and after[2]:
        return _stated(text, start, after.end(), int(after[2]), month, int(after[1]))
    if after:
        return _nearest(text, start, after.end(), month, int(after[1]), day)
    if year:
        return _mention(text, start, year.end(), f"{year[1]}-{month:02}", "month", "stated")
    return None


def _nearest(text: str, start: int, end: int, month: int, number: int, day: date | None) -> DateMention | None:
    if day is None or (month, number) in _NAMED_DAYS:
        return None
    for meant in _in_three_years(day, month, number):
        if abs(meant - day) <= _NEAREST:
            return _mention(text, start, end, meant.isoformat(), "day", "relative")
    return None


def _in_three_years(day: date, month: int, number: int) -> Iterator[date]:
    for year in (day.year, day.year - 1, day.year + 1):
        try:
            yield date(year, month, number)
        except ValueError:
            continue


def _counted(text: str, start: int, end: int, day: date) -> DateMention | None:
    """`yesterday`, `three days ago`, `last month`."""
    word = text[start:end].lower()
    if word in _DAYS_OFF:
        meant = day + timedelta(days=_DAYS_OFF[word])
        return _mention(text, start, end, meant.isoformat(), "day", "relative")
    if word == "ago":
        before = _COUNTED_BEFORE.search(text[max(0, start - _REACH) : start])
        if not before:
            return None
        days = _NUMBERS.get(before[1].lower()) or int(before[1])
        meant = day - timedelta(days=days)
        return _mention(text, start - len(before[0]), end, meant.isoformat(), "day", "relative")
    period = _PERIOD_AFTER.match(text, end)
    if not period:
        return None
    return _mention(text, start, period.end(), _period(day, period[1], _PERIODS_OFF[word]), period[1], "relative")


def _period(day: date, grain: str, off: int) -> str:
    """The week (ISO 8601), month or year that is `off` of them away from that of `day`."""
    if grain == "week":
        year, week, _ = (day + timedelta(weeks=off)).isocalendar()
        return f"{year}-W{week:02}"
    if grain == "month":
        months = day.year * 12 + day.month - 1 + off
        return f"{months // 12}-{months % 12 + 1:02}"
    return str(day.year + off)


def _day_of(article: Article) -> date | None:
    """The day on which the article was made, by the clock of those who made it, where it says so."""
    if article.published is None:
        return None
    for stated in (article.published.raw, article.published.value):
        try:
            found = datetime.fromisoformat(stated).date()
        except ValueError:
            continue
        return found if date.min + _NEAREST * 3 < found < date.max - _NEAREST * 3 else None
    return None
