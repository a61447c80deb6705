"""Times are aware, in UTC, and written one way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from pipeline.clock import Clock, SystemClock, rfc3339
from pipeline.testing import FakeClock


def test_rfc3339_has_milliseconds_and_a_z() -> None:
    assert rfc3339(datetime(2025, 3, 18, 14, 22, 5, 120_999, UTC)) == "2025-03-18T14:22:05.120Z"


def test_rfc3339_turns_other_zones_into_utc() -> None:
    lisbon_summer = timezone(timedelta(hours=1))
    assert rfc3339(datetime(2025, 7, 1, 0, 30, tzinfo=lisbon_summer)) == "2025-06-30T23:30:00.000Z"


def test_what_it_writes_is_read_back() -> None:
    moment = datetime(2025, 3, 18, 9, 0, tzinfo=UTC)
    assert datetime.fromisoformat(rfc3339(moment)) == moment


def test_the_system_clock_is_aware_and_never_runs_backwards() -> None:
    clock: Clock = SystemClock()
    first, second = clock.monotonic(), clock.monotonic()
    assert second >= first
    assert clock.now().utcoffset() == timedelta(0)


def test_the_fake_clock_moves_both_hands_and_only_when_told() -> None:
    clock: Clock = (fake := FakeClock())
    now, monotonic = clock.now(), clock.monotonic()
    assert (clock.now(), clock.monotonic()) == (now, monotonic)
    fake.advance(2.5)
    assert (clock.now() - now, clock.monotonic() - monotonic) == (timedelta(seconds=2.5), 2.5)
