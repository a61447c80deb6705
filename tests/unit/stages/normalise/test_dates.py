from __future__ import annotations

from datetime import date

import pytest

from pipeline.stages.normalise.dates import IMPLAUSIBLE, UNREAD, is_date, possible_days, read_date

RECEIVED = "2025-03-19T08:00:00.000Z"


@pytest.mark.parametrize(
    ("words", "value", "precision", "zone_known"),
    [
        ("2025-03-18", "2025-03-18T00:00:00Z", "day", False),
        ("20250318", "2025-03-18T00:00:00Z", "day", False),
        ("2025-03-18T14:22:05Z", "2025-03-18T14:22:05Z", "second", True),
        ("20250318T142205Z", "2025-03-18T14:22:05Z", "second", True),
        ("2025-03-18T14:22:05.1234567+05:30", "2025-03-18T08:52:05Z", "second", True),
        ("2025-03-18T14:22-0400", "2025-03-18T18:22:00Z", "minute", True),
        ("2025-03-18 14:22:05", "2025-03-18T14:22:05Z", "second", False),
        ("2025-03-18 14:22:05 GMT", "2025-03-18T14:22:05Z", "second", True),
        ("1742307725", "2025-03-18T14:22:05Z", "second", True),
        ("1742307725000", "2025-03-18T14:22:05Z", "second", True),
        ("Tue, 18 Mar 2025 14:22:05 GMT", "2025-03-18T14:22:05Z", "second", True),
        ("18 Mar 2025 14:22 -0500", "2025-03-18T19:22:00Z", "minute", True),
        ("Tue, 18 Mar 2025 14:22:05 EST", "2025-03-18T19:22:05Z", "second", True),
        ("March 18, 2025", "2025-03-18T00:00:00Z", "day", False),
        ("Mar. 18th, 2025", "2025-03-18T00:00:00Z", "day", False),
        ("Tuesday, 18 March 2025", "2025-03-18T00:00:00Z", "day", False),
        ("Published: 18th of March 2025 at 14:22", "2025-03-18T14:22:00Z", "minute", False),
        ("March 18, 2025 2:22 p.m. ET", "2025-03-18T18:22:00Z", "minute", True),
        ("January 8, 2025 2:22 PM ET", "2025-01-08T19:22:00Z", "minute", True),
        ("March 18, 2025, 12:05 AM CET", "2025-03-17T23:05:00Z", "minute", True),
        ("March 18, 2025 2:22 p.m. IST", "2025-03-18T14:22:00Z", "minute", False),
        ("2025年3月18日", "2025-03-18T00:00:00Z", "day", False),
        ("2025年3月18日 14:22", "2025-03-18T14:22:00Z", "minute", False),
        ("2025/03/18", "2025-03-18T00:00:00Z", "day", False),
        ("18.03.2025", "2025-03-18T00:00:00Z", "day", False),
        ("18/03/2025", "2025-03-18T00:00:00Z", "day", False),
        ("03/18/2025", "2025-03-18T00:00:00Z", "day", False),
        ("18. März 2025, 14:22 Uhr", "2025-03-18T14:22:00Z", "minute", False),
        ("Dienstag, 18. März 2025", "2025-03-18T00:00:00Z", "day", False),
        ("mardi 18 mars 2025 à 14h22", "2025-03-18T14:22:00Z", "minute", False),
        ("1er août 2024", "2024-08-01T00:00:00Z", "day", False),
        ("18 de marzo de 2025", "2025-03-18T00:00:00Z", "day", False),
        ("18 de março de 2025 às 14:22", "2025-03-18T14:22:00Z", "minute", False),
        ("18 marca 2025", "2025-03-18T00:00:00Z", "day", False),
        ("18 марта 2025 г.", "2025-03-18T00:00:00Z", "day", False),
        ("18 марта 2025, 14:22", "2025-03-18T14:22:00Z", "minute", False),
        ("2025. március 18.", "2025-03-18T00:00:00Z", "day", False),
        ("Tue Mar 18 14:22:05 CET 2025", "2025-03-18T13:22:05Z", "second", True),
        ("Tue Mar 18 14:22:05 2025", "2025-03-18T14:22:05Z", "second", False),
        ("2025-3-8 4:22:05", "2025-03-08T04:22:05Z", "second", False),
        ("2025-3-18T4:22", "2025-03-18T04:22:00Z", "minute", False),
        ("Di., 18.03.2025 - 14:22", "2025-03-18T14:22:00Z", "minute", False),
    ],
)
def test_what_is_read(words: str, value: str, precision: str, zone_known: bool) -> None:
    dated, trouble = read_date(words, "field", RECEIVED)
    assert trouble is None
    assert dated is not None
    assert (dated.value, dated.precision, dated.zone_known) == (value, precision, zone_known)
    assert (dated.raw, dated.origin) == (words, "field")


@pytest.mark.parametrize(
    "words",
    [
        "", "Tuesday", "may", "yesterday", "03/04/2025", "2025-02-31", "2025-03", "31 February 2025",
        "2025-03-18T25:00Z", "March 2025", "18 March", "18 Smarch 2025", "about a week after the fair",
        "March 18, 2025 25:99", "x" * 5_000, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-10:00",
        "Fri, 99 Mar 2025 14:22:05 GMT", "18 mais 2025", "Tue Mai 18 14:22:05 2025",
        "Tue Mar 38 14:22:05 2025", "2025-13-8", "3 hours ago", "vor 3 Stunden", "heute",
    ],
)  # fmt: skip
def test_what_is_given_up(words: str) -> None:
    assert read_date(words, "field", RECEIVED) == (None, UNREAD)


@pytest.mark.parametrize(
    "words",
    [
        "1989-12-31",
        "0001-01-01",
        "2025-03-21",
        "1637-07-20",
        "July 20, 1637",
        "2099-03-18",
        "2199-01-01T00:00:00Z",
        "9999999999",
    ],
)
def test_what_cannot_be_true(words: str) -> None:
    assert read_date(words, "field", RECEIVED) == (None, IMPLAUSIBLE)


def test_a_day_ahead_is_another_time_zone() -> None:
    dated, _ = read_date("2025-03-20", "field", RECEIVED)
    assert dated is not None


@pytest.mark.parametrize("words", ["03/04/2025", "3-4-2025 14:22"])
def test_a_day_in_an_order_that_nobody_knows(words: str) -> None:
    assert possible_days(words) == {date(2025, 3, 4), date(2025, 4, 3)}
    assert not is_date(words)


@pytest.mark.parametrize("words", ["2025-03-04", "13/04/2025", "04/13/2025", "12/12/2025", "3.4.2025"])
def test_no_doubt_about_the_order(words: str) -> None:
    assert is_date(words)
    assert not possible_days(words)


@pytest.mark.parametrize("words", ["Tuesday", "may", "00/00/2025", "03/04/0000"])
def test_no_day_at_all(words: str) -> None:
    assert not is_date(words)
    assert not possible_days(words)
