"""Fakes that ship with Copydesk, for our tests and for yours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A clock that moves only when told: `clock.advance(2.5)`. Implements `pipeline.clock.Clock`."""

    def __init__(self, start: datetime = datetime(2025, 3, 18, 9, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        """The pretended moment."""
        return self._now

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both hands."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
