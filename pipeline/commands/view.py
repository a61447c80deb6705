"""What `copydesk run` shows: a live page on a terminal, plain lines elsewhere, a summary at the end.

`page`, `line` and `summary` are pure: what is to be shown goes in, text or something that rich can print comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType

from rich.box import ROUNDED
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pipeline.clock import Clock, SystemClock
from pipeline.monitor.board import Note
from pipeline.monitor.printable import printable
from pipeline.monitor.report import WATCHER, WORKER, Pace, Report
from pipeline.monitor.snapshot import Snapshot
from pipeline.settings import Settings

_MOST_WAITING = 5
_LINE_SECONDS = 2.0
_HINT = "Ctrl-C stops it; nothing is lost"


class View:
    """Shows the books as they are read: a live page on a terminal, else plain lines. Use it in a `with` block.

    `settings.broker` is the address that is shown; `metrics_port` is where our endpoint listens.
    """

    def __init__(
        self, settings: Settings, metrics_port: int, console: Console | None = None, clock: Clock | None = None
    ) -> None:
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._clock = clock or SystemClock()
        self._screen = (
            _LivePage(self._console) if self._console.is_terminal else _PlainLines(self._console, self._clock)
        )
        self._pace = Pace()
        self._began = self._clock.monotonic()
        self.report = Report(settings.broker, metrics=f"http://{settings.metrics_host}:{metrics_port}/metrics")
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


def page(report: Report, hint: str = "") -> RenderableType:
    """The live page; `hint` stands at its foot."""
    parts: list[RenderableType] = [_flow(report), Text(), _state(report)]
    if report.waiting_total:
        parts += [Text(), _waiting(report)]
    parts += [Text(f"! {printable(problem)}", style="bold red") for problem in report.problems]
    title = Text.assemble(("copydesk", "bold"), f" · Kafka at {printable(report.broker)}")
    foot = Text(hint, style="dim") if hint else None
    return Panel(Group(*parts), box=ROUNDED, title=title, title_align="left", subtitle=foot, subtitle_align="right")


def _flow(report: Report) -> Table:
    """The books, left to right as the articles go."""
    books = report.books
    grid = Table.grid(padding=(0, 3, 0, 0))
    cells = (
        ("files", f"{books.files_published:,}", "cyan"),
        ("received", f"{books.received:,}", "cyan"),
        ("in flight", f"{books.in_flight:,}", "magenta"),
        ("enriched", f"{books.enriched:,}", "green"),
        ("duplicates", f"{books.duplicates:,}", "yellow"),
        ("rejected", f"{books.rejected + books.watch_rejected:,}", "red"),
        ("articles/s", f"{report.rates.settled:,.0f}", "bold"),
    )
    for _ in cells:
        grid.add_column(justify="right", no_wrap=True)
    grid.add_row(*(Text(name, style="dim") for name, _, _ in cells))
    grid.add_row(*(Text(figure, style=colour) for _, figure, colour in cells))
    return grid


def _state(report: Report) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    grid.add_row("lag", _lag(report.books))
    grid.add_row("watching", "; ".join(_watcher(note) for note in report.notes_of(WATCHER)) or "nobody watches")
    workers = report.notes_of(WORKER)
    grid.add_row("workers", ", ".join(_worker(note) for note in workers) or "none")
    if report.metrics:
        grid.add_row("metrics", Text(printable(report.metrics)))
    return grid


def _lag(books: Snapshot) -> str:
    if not books.lag_messages:
        return "none"
    return f"{_count(books.lag_messages, 'article')}, the oldest {books.lag_seconds:,.0f} s old"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'s' * (number != 1)}"


def _watcher(note: Note) -> str:
    waiting = int(note.get("waiting_total", 0))
    if waiting:
        return f"{_count(waiting, 'file')} to go"
    return "all files published" if note.get("idle") else "looking through the inbox"


def _worker(note: Note) -> str:
    held = note.get("assigned") or ()
    where = f"partitions {' '.join(map(str, held))}" if held else "no partition"
    return f"{note['pid']} ({where})" if note.get("ready") else f"{note['pid']} (starting)"


def _waiting(report: Report) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("waiting", "why", "since"):
        table.add_column(name, no_wrap=name != "waiting", overflow="fold")
    for one in report.waiting[:_MOST_WAITING]:
        table.add_row(*(Text(printable(str(one.get(key, "")))) for key in ("source", "reason", "since")))
    more = report.waiting_total - min(len(report.waiting), _MOST_WAITING)
    if more > 0:
        table.add_row(Text(f"and {more:,} more", style="dim"))
    return table


def line(report: Report) -> str:
    """The page on one line, for logs and pipes."""
    books = report.books
    parts = [
        f"files {books.files_published}",
        f"received {books.received}",
        f"enriched {books.enriched}",
        f"duplicates {books.duplicates}",
        f"rejected {books.rejected + books.watch_rejected}",
        f"in flight {books.in_flight}",
    ]
    if report.waiting_total:
        reasons = sorted({str(one.get("reason", "")) for one in report.waiting} - {""})
        parts.append(f"waiting {report.waiting_total}" + (f" ({', '.join(reasons)})" if reasons else ""))
    return printable(" · ".join([*parts, *report.problems]))


def summary(books: Snapshot, seconds: float) -> RenderableType:
    """The table at the end of `run --until-idle`. `seconds`: how long it took."""
    table = Table(box=ROUNDED, show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    rows = (
        ("files published", books.files_published),
        ("files and entries rejected by the watcher", books.watch_rejected),
        ("articles received", books.received),
        ("  enriched", books.enriched),
        ("  duplicates", books.duplicates),
        ("  rejected", books.rejected),
        ("  in flight", books.in_flight),
    )
    for name, count in rows:
        table.add_row(name, f"{count:,}")
    verdict = "The books balance." if books.balanced else "The books do NOT balance."
    colour = "green" if books.balanced else "bold red"
    return Group(table, Text.assemble((verdict, colour), f" {seconds:.1f} s."))
