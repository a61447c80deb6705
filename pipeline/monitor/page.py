"""The live page, the plain line and the summary of `copydesk run`. Pure: nothing is read and nothing printed here."""

from __future__ import annotations

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pipeline.monitor.board import Note
from pipeline.monitor.printable import printable
from pipeline.monitor.report import WATCHER, WORKER, Report
from pipeline.monitor.snapshot import Snapshot

_MOST_WAITING = 5
# Roles leave notes in the data folder they share; those of other machines and folders are not known.
_HERE = ", as far as this data folder knows"


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
    watchers, workers = report.notes_of(WATCHER), report.notes_of(WORKER)
    grid.add_row("watching", "; ".join(_watcher(note) for note in watchers) or f"nobody{_HERE}")
    grid.add_row("workers", ", ".join(_worker(note) for note in workers) or f"none{_HERE}")
    if report.page:
        grid.add_row("page", Text(printable(report.page)))
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
        return f"{_count(waiting, 'file')} waiting"
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
    # Without it the figures do not add up: what the watcher set aside never was received.
    by_watcher = f" ({books.watch_rejected} by the watcher)" if books.watch_rejected else ""
    parts = [
        f"files {books.files_published}",
        f"received {books.received}",
        f"enriched {books.enriched}",
        f"duplicates {books.duplicates}",
        f"rejected {books.rejected + books.watch_rejected}" + by_watcher,
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
    verdict, colour = _verdict(books)
    return Group(table, Text.assemble((verdict, colour), f" {seconds:.1f} s."))


def _verdict(books: Snapshot) -> tuple[str, str]:
    if books.balanced:
        return "The books balance.", "green"
    if not books.leak:
        return f"{_count(books.in_flight, 'article')} in flight; the next run goes on there.", "yellow"
    return "The books do NOT balance.", "bold red"
