"""What `copydesk run` shows: a live page on a terminal, plain lines elsewhere, a summary at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType

from rich.console import Console
from rich.live import Live

from pipeline.clock import Clock, SystemClock
from pipeline.monitor.board import Note
from pipeline.monitor.page import line, page, summary
from pipeline.monitor.report import Pace, Report
from pipeline.monitor.snapshot import Snapshot
from pipeline.settings import Settings

_LINE_SECONDS = 2.0
_HINT = "Ctrl-C stops it; nothing is lost"


class View:
    """Shows the books as they are read: a live page on a terminal, else plain lines. Use it in a `with` block.

    `settings.broker` is the address that is shown; `metrics` and `page` are those of our endpoint and live page.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: str,
        page: str = "",
        *,
        console: Console | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._clock = clock or SystemClock()
        self._screen = (
            _LivePage(self._console) if self._console.is_terminal else _PlainLines(self._console, self._clock)
        )
        self._pace = Pace()
        self._began = self._clock.monotonic()
        self.report = Report(settings.broker, metrics=metrics, page=page)
        """What was shown last."""

    def __enter__(self) -> View:
        self._screen.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._screen.close()

    def show(self, books: Snapshot, notes: Sequence[Note]) -> None:
        """Show the books, and the notes of the board, in place of what was shown before."""
        rates = self._pace.after(self._clock.monotonic(), books)
        self.report = replace(self.report, books=books, notes=notes, rates=rates)
        self._screen.show(self.report)

    def summary(self, books: Snapshot, notes: Sequence[Note]) -> None:
        """Close the view and print the table of what became of everything."""
        self.show(books, notes)
        self._screen.close()
        self._console.print(summary(books, self._clock.monotonic() - self._began))


class _LivePage:
    """The page of `page`, redrawn in place; the last one stays on the screen."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)

    def open(self) -> None:
        self._live.start()

    def close(self) -> None:
        self._live.stop()

    def show(self, report: Report) -> None:
        self._live.update(page(report, _HINT), refresh=True)


class _PlainLines:
    """One line for a change, at most one every two seconds; the last change is said at the latest on closing."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console, self._clock = console, clock
        self._said, self._due = "", ""
        self._next = clock.monotonic()

    def open(self) -> None:
        """Nothing to prepare."""

    def close(self) -> None:
        self._say()

    def show(self, report: Report) -> None:
        self._due = line(report)
        if self._clock.monotonic() >= self._next:
            self._say()

    def _say(self) -> None:
        if self._due != self._said:
            self._console.print(self._due, soft_wrap=True)
            self._said, self._next = self._due, self._clock.monotonic() + _LINE_SECONDS
