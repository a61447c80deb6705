"""What `status` and the live view say, worked out from the books and the board. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.monitor.board import Note
from pipeline.monitor.snapshot import Snapshot

WATCHER, WORKER, STORIES = "watcher", "worker", "stories"
_LEDGER = ("received", "enriched", "duplicates", "rejected", "in_flight", "balanced")


@dataclass(frozen=True, slots=True)
class Rates:
    """Articles a second over the last few seconds."""

    received: float = 0.0
    settled: float = 0.0


@dataclass(frozen=True)
class Report:
    """Everything there is to show at one moment."""

    broker: str
    """Bootstrap address; empty where none runs."""
    books: Snapshot = field(default_factory=Snapshot)
    rates: Rates = field(default_factory=Rates)
    notes: Sequence[Note] = ()
    """Those of the board."""
    metrics: str = ""
    """Address of /metrics, where we serve it."""
    page: str = ""
    """Address of the live page, where we serve it."""

    def notes_of(self, role: str) -> list[Note]:
        """The notes of one role."""
        return [note for note in self.notes if note.get("role") == role]

    @property
    def waiting_total(self) -> int:
        """Files seen but not yet published, over all watchers."""
        return sum(int(note.get("waiting_total", 0)) for note in self.notes_of(WATCHER))

    @property
    def waiting(self) -> list[dict[str, str]]:
        """Some of the files that wait, each with `source`, `reason` and `since`."""
        return [one for note in self.notes_of(WATCHER) for one in note.get("waiting", ())]

    @property
    def problems(self) -> list[str]:
        """Why things do not run as they should; empty: nothing known."""
        found = [f"{note['role']} {note['pid']}: {note['why']}" for note in self.notes if note.get("why")]
        if self.books.in_flight < 0:
            found.append(f"{-self.books.in_flight} more came out than went in")
        return found

    def as_json(self) -> dict[str, Any]:
        """The object of `copydesk status --json` and of `/status`."""
        books = self.books
        return {
            "broker": self.broker,
            "files": {
                "published": books.files_published,
                "rejected": books.watch_rejected,
                "waiting_total": self.waiting_total,
                "waiting": self.waiting,
            },
            "ledger": {name: found for name, found in books.as_dict().items() if name in _LEDGER},
            "lag": {
                "messages": books.lag_messages,
                "seconds": round(books.lag_seconds, 3),
                "partitions": {
                    str(number): {"messages": lag.messages, "seconds": round(lag.seconds, 3)}
                    for number, lag in sorted(books.lag.items())
                },
            },
            "rates": {
                "received_per_second": round(self.rates.received, 1),
                "settled_per_second": round(self.rates.settled, 1),
            },
            "watchers": self.notes_of(WATCHER),
            "workers": self.notes_of(WORKER),
            "stories": self.notes_of(STORIES),
            "problems": self.problems,
        }


class Pace:
    """Rates from looks at the books: over the last `span_seconds`, or as far back as there are looks."""

    def __init__(self, span_seconds: float = 5.0) -> None:
        self._span = span_seconds
        self._looks: list[tuple[float, int, int]] = []

    def after(self, moment: float, books: Snapshot) -> Rates:
        """The rates once `books` were read at `moment` (monotonic seconds)."""
        self._looks.append((moment, books.received, books.settled.total))
        # One look from before the span stays, or the rate of slow looks would rest on one moment.
        while len(self._looks) > 2 and self._looks[1][0] <= moment - self._span:
            self._looks.pop(0)
        began, received, settled = self._looks[0]
        passed = moment - began
        if passed <= 0:
            return Rates()
        return Rates(max(0.0, (books.received - received) / passed), max(0.0, (books.settled.total - settled) / passed))
