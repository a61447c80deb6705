from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from typing import Any

from rich.console import Console, RenderableType

from pipeline.monitor.page import line, page, summary
from pipeline.monitor.report import Rates, Report
from pipeline.monitor.snapshot import Lag, Received, Snapshot
from pipeline.settled import Settled

BOOKS = Snapshot(Received(1234, 2, 31), Settled(1000, 150, 3), {0: Lag(1, 4.0), 1: Lag(80, 9.4)})
NOTES: Sequence[dict[str, Any]] = (
    {
        "role": "watcher",
        "pid": 11,
        "waiting": [
            {"source": f"wire/{number}.txt", "reason": "unstable", "since": "2025-03-18T09:00:00.000Z"}
            for number in range(7)
        ],
        "waiting_total": 40,
        "idle": False,
    },
    {"role": "worker", "pid": 12, "assigned": [0, 1], "ready": True},
    {"role": "worker", "pid": 13, "assigned": [], "ready": False, "why": "replaying the claim log"},
)


def plain(width: int = 100) -> tuple[Console, StringIO]:
    file = StringIO()
    return Console(file=file, width=width, markup=False, highlight=False, emoji=False), file


def text_of(shown: RenderableType) -> str:
    console, file = plain()
    console.print(shown)
    return file.getvalue()


def test_the_page_shows_files_books_lag_and_workers() -> None:
    text = text_of(
        page(Report("127.0.0.1:9092", BOOKS, Rates(0, 512.4), NOTES, "http://127.0.0.1:9108/metrics"), "Bye")
    )
    for expected in (
        "Kafka at 127.0.0.1:9092",
        "1,234",
        "1,000",
        "150",
        "81 articles, the oldest 9 s old",
        "512",
        "40 files waiting",
        "12 (partitions 0 1), 13 (starting)",
        "wire/4.txt",
        "unstable",
        "and 35 more",
        "! worker 13: replaying the claim log",
        "http://127.0.0.1:9108/metrics",
        "Bye",
    ):
        assert expected in text
    assert "wire/5.txt" not in text


def test_the_page_of_an_empty_desk_is_calm() -> None:
    text = text_of(page(Report("b:1")))
    assert "nobody, as far as this data folder knows" in text
    assert "none" in text
    assert "!" not in text


def test_a_file_name_cannot_drive_the_terminal() -> None:
    note = {"role": "watcher", "pid": 1, "waiting": [{"source": "\x1b[2J[red]", "reason": "x"}], "waiting_total": 1}
    text = text_of(page(Report("b:1", notes=[note])))
    assert "\\x1b[2J[red]" in text
    assert "\x1b" not in text


def test_the_line_names_what_waits_and_why() -> None:
    assert line(Report("b:1", BOOKS, notes=NOTES)) == (
        "files 31 · received 1234 · enriched 1000 · duplicates 150 · rejected 5 (2 by the watcher) · in flight 81"
        " · waiting 40 (unstable) · worker 13: replaying the claim log"
    )


def test_the_summary_says_whether_the_books_balance() -> None:
    assert "The books do NOT balance. 12.3 s." in text_of(summary(replace(BOOKS, lag={}), 12.34))
    # Ended by hand in the middle of it: nothing is wrong.
    assert "81 articles in flight; the next run goes on there. 12.3 s." in text_of(summary(BOOKS, 12.34))
    text = text_of(summary(Snapshot(Received(5, 1, 2), Settled(3, 1, 1)), 1.0))
    assert "The books balance. 1.0 s." in text
    assert "articles received" in text
