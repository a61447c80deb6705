"""The date that an article states, read by a ladder of exact forms, cheapest first; what no rung takes is given up.

ISO 8601 and seconds since 1970, then RFC 822 (mail and RSS), then the long forms that English pages print, then
East Asian and unmistakable numeric ones, then those of other languages (`data/months.tsv`). dateparser knows more of
them, at 1 ms a date and 12 to 41 where it finds none, but fills in what is missing from today. Nothing here ever is
filled in from today, and 03/04/2025 is nobody's date.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Literal

from pipeline.records import Dated
from pipeline.stages.normalise.rules import read_rules

UNREAD = "date-unread"
IMPLAUSIBLE = "date-implausible"

Precision = Literal["day", "minute", "second"]
Reading = tuple[datetime, Precision]

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
_LONGEST = 120  # characters; more is a sentence, not a date
_ISO = re.compile(
    r"\d{4}-?\d\d-?\d\d(?:[T ](\d\d)(:?\d\d)?(:?\d\d)?([.,]\d+)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?", re.I
)
_EPOCH = re.compile(r"(?:\d{9,10}|\d{12,13})(?:\.\d+)?")
_RFC822 = re.compile(
    r"(?:[A-Z][a-z]{2,8},? )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(:\d\d)?(?: (?:[A-Z]{1,5}|[+-]\d{4}))?"
)
_AMBIGUOUS = re.compile(r"(0?[1-9]|1[0-2])[/-](0?[1-9]|1[0-2])[/-]([1-9]\d{3})\b")
_MONTHS = {
    name: number
    for number, names in enumerate(
        "jan january|feb february|mar march|apr april|may|jun june|jul july|aug august|sep sept september|oct october"
        "|nov november|dec december".split("|"),
        start=1,
    )
    for name in names.split()
}
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_TIME = (
    r"(?:(?:,| at| -| –| \||T)?\s*(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?(?::(?P<second>\d\d))?"
    r"\s*(?P<half>[ap]\.?m\b\.?)?\s*(?P<zone>\(?[A-Z]{1,4}\)?|[+-]\d\d:?\d\d)?)?"
)
# As `date` and C's ctime() print it: Tue Mar 18 14:22:05 CET 2025.
_CTIME = re.compile(
    rf"[A-Z][a-z]{{2}} {_MONTH} (?P<day>\d{{1,2}}) (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?P<half>(?!))?"
    r"(?: (?P<zone>[A-Z]{1,5}|[+-]\d{4}))? (?P<year>\d{4})",
    re.I,
)
_LEAD = (
    r"(?:(?:first |last )?(?:published|posted|updated)(?: on)?:?\s*)?"
    r"(?:[a-z]{3,6}day,?\s+|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+|[^\W\d_]{2,3}\.,?\s+)?"
)
_LONG = tuple(
    re.compile(_LEAD + form + _TIME, re.I)
    for form in (
        rf"{_MONTH}\s+{_DAY},?\s+(?P<year>\d{{4}})",
        rf"{_DAY}\.?\s+(?:of\s+)?{_MONTH},?\s+(?P<year>\d{{4}})",
        rf"{_DAY}-{_MONTH}-(?P<year>\d{{4}})",
        r"(?P<year>\d{4})\s*[年/.-]\s*(?P<month>\d{1,2})\s*[月/.-]\s*(?P<day>\d{1,2})\s*日?",
        r"(?P<day>\d{1,2})\.\s*(?P<month>\d{1,2})\.\s*(?P<year>\d{4})",
        r"(?P<day>1[3-9]|2\d|3[01])[/-](?P<month>\d{1,2})[/-](?P<year>\d{4})",
        r"(?P<month>\d{1,2})[/-](?P<day>1[3-9]|2\d|3[01])[/-](?P<year>\d{4})",
        r"(?P<month>\d{1,2})[/-](?P<day>(?P=month))[/-](?P<year>\d{4})",
    )
)
_FOREIGN_DAY = r"(?P<day>\d{1,2})(?:\.|er|º|ª)?"
_FOREIGN_MONTH = r"(?P<month>[^\W\d_]{3,14})"
_FOREIGN_TIME = (
    r"(?:,? ?(?:um|à|a las|às|alle|om|o|kl|в|klo|[-–|])?\.? ?(?P<hour>\d{1,2})[:.h](?P<minute>\d\d)"
    r"(?: ?(?:uhr|h|hs|uur))?\.?)?"
)
_FOREIGN = tuple(
    re.compile(rf"(?:[^\W\d_]{{2,14}}(?:-feira)?\.?,? )?(?:(?:den|le|el|il) )?{form}{_FOREIGN_TIME}", re.I)
    for form in (
        rf"{_FOREIGN_DAY} (?:de |di )?{_FOREIGN_MONTH}\.?,? (?:de |del )?(?P<year>\d{{4}})(?: ?г\.?| ?р\.?)?",
        rf"(?P<year>\d{{4}})\. {_FOREIGN_MONTH} (?P<day>\d{{1,2}})\.?",
    )
)
_ZONE_HOURS = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
# Newsrooms write ET for whichever of EST and EDT holds that day.
_GENERIC_ZONE_HOURS = {"ET": -5, "CT": -6, "MT": -7, "PT": -8}


def read_date(words: str, origin: str, received: str, ahead: timedelta = _AHEAD) -> tuple[Dated | None, str | None]:
    """The moment that `words` state, or None with a warning slug.

    `received` (RFC 3339) bounds it: before 1990 or more than `ahead` after `received` is implausible and is not
    passed on. A time without a zone is taken as UTC and marked `zone_known=False`.
    """
    text = " ".join(words[: _LONGEST + 1].split())
    try:
        reading = _read(text) if text and len(text) <= _LONGEST else None
        if reading is None:
            return None, UNREAD
        moment, precision = reading
        zoned = moment.tzinfo is not None
        moment = _in_utc(moment)
    except (ValueError, OverflowError):  # the 31st of February; the year 9999 a zone further west
        return None, UNREAD
    if not _EARLIEST <= moment <= datetime.fromisoformat(received) + ahead:
        return None, IMPLAUSIBLE
    value = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Dated(value, precision, zoned and precision != "day", text, origin), None


def is_date(words: str) -> bool:
    """Whether `words` state a day that can be read, whenever that was."""
    return day_of(words) is not None


def day_of(words: str) -> date | None:
    """The day in UTC that `words` state, whenever that was; None where they cannot be read."""
    try:
        reading = _read(" ".join(words.split()))
        return reading and _in_utc(reading[0]).date()
    except (ValueError, OverflowError):  # the 31st of February; the year 9999 a zone further west
        return None


def _in_utc(moment: datetime) -> datetime:
    """`moment` in UTC, which is also what one without a zone is taken for."""
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def possible_days(words: str) -> set[date]:
    """The two days that words beginning like 03/04/2025 may mean, since nobody can know the order; empty for others."""
    found = _AMBIGUOUS.match(words.strip())
    if found is None:
        return set()
    one, other, year = map(int, found.groups())
    return {date(year, one, other), date(year, other, one)} if one != other else set()


def _read(text: str) -> Reading | None:
    if found := _ISO.fullmatch(text):
        return _iso(text, found)
    if _EPOCH.fullmatch(text):
        number = float(text)
        return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC), "second"
    if found := _RFC822.fullmatch(text):
        return parsedate_to_datetime(text), "second" if found[1] else "minute"
    matches = (form.fullmatch(text) for form in (_CTIME, *_LONG))
    return next((_long(match) for match in matches if match), None) or _foreign(text)


def _foreign(text: str) -> Reading | None:
    """A day as other languages write it, `18 de marzo de 2025`, `2025. március 18.`, and a time behind it."""
    for form in _FOREIGN:
        found = form.fullmatch(text)
        month = _foreign_months().get(found["month"].casefold()) if found else None
        if found and month:
            day = datetime(int(found["year"]), month, int(found["day"]))  # noqa: DTZ001 (no zone is stated)
            if found["hour"] is None:
                return day, "day"
            return day.replace(hour=int(found["hour"]), minute=int(found["minute"])), "minute"
    return None


@cache
def _foreign_months() -> dict[str, int]:
    names = (enumerate(months.split("|"), start=1) for _, months in read_rules("months.tsv"))
    return {name.casefold(): number for months in names for number, forms in months for name in forms.split()}


def _iso(text: str, found: re.Match[str]) -> Reading:
    hour, _, second, fraction, zone = found.groups()
    if hour is None:
        return datetime.fromisoformat(text), "day"
    if zone:
        text = text[: found.start(5)].rstrip() + ("Z" if zone.isalpha() else zone)
    if fraction:  # below a second nothing is kept
        text = text.replace(fraction, "", 1)
    return datetime.fromisoformat(text), "second" if second else "minute"


def _long(found: re.Match[str]) -> Reading:
    parts = found.groupdict()
    month = parts["month"]
    day = date(int(parts["year"]), _MONTHS[month.lower()] if month.isalpha() else int(month), int(parts["day"]))
    hour = parts["hour"]
    if hour is None or not (parts["minute"] or parts["half"]):  # "18 March 2025 14" says nothing about a time
        return datetime(day.year, day.month, day.day), "day"  # noqa: DTZ001 (the zone is unknown, and said so)
    zone = _zone((parts["zone"] or "").strip("()").upper(), day)
    moment = datetime(
        day.year, day.month, day.day, _hour(int(hour), parts["half"]), int(parts["minute"] or 0),
        int(parts["second"] or 0), tzinfo=zone,
    )  # fmt: skip
    return moment, "second" if parts["second"] else "minute"


def _hour(hour: int, half: str | None) -> int:
    if half is None or hour > 12:
        return hour
    return hour % 12 + (12 if half[0] in "pP" else 0)


def _zone(name: str, day: date) -> timezone | None:
    """The zone, None where the name is unknown or stands for several (IST)."""
    if name[:1] in ("+", "-"):
        minutes = int(name[1:3]) * 60 + int(name[-2:])
        return timezone(timedelta(minutes=-minutes if name[0] == "-" else minutes))
    hours = _ZONE_HOURS.get(name)
    if hours is None and name in _GENERIC_ZONE_HOURS:
        hours = _GENERIC_ZONE_HOURS[name] + _american_summer(day)
    return None if hours is None else timezone(timedelta(hours=hours))


def _american_summer(day: date) -> bool:
    """Daylight saving in the United States since 2007: second Sunday of March to first Sunday of November."""
    return _sunday(day.year, 3, 2) <= day < _sunday(day.year, 11, 1)


def _sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))
