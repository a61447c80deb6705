from collections.abc import Sequence
from io import StringIO
from typing import Any

from rich.console import Console

from pipeline.commands.view import View
from pipeline.monitor.snapshot import Lag, Received, Snapshot
from pipeline.settings import Settings
from pipeline.settled import Settled
from pipeline.testing import FakeClock

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


def test_plain_lines_come_with_changes_and_no_faster_than_every_two_seconds() -> None:
    clock = FakeClock()
    console, file = plain()
    with View(Settings(broker="b:1"), "http://127.0.0.1:9108/metrics", console=console, clock=clock) as view:
        for received in (1, 1, 2, 3):
            view.show(Snapshot(Received(received)), ())
        assert file.getvalue().count("\n") == 1
        clock.advance(2.0)
        view.show(Snapshot(Received(4)), ())
        clock.advance(60.0)
        view.show(Snapshot(Received(4)), ())
        view.show(Snapshot(Received(5)), ())
        clock.advance(1.0)
        view.show(Snapshot(Received(6)), ())
    lines = file.getvalue().splitlines()
    assert [text.split(" · ")[1] for text in lines] == ["received 1", "received 4", "received 5", "received 6"]


def test_a_terminal_gets_the_page_and_then_the_summary() -> None:
    file = StringIO()
    console = Console(file=file, width=100, force_terminal=True, markup=False, highlight=False)
    clock = FakeClock()
    with View(Settings(broker="b:1"), "http://127.0.0.1:9108/metrics", console=console, clock=clock) as view:
        view.show(BOOKS, NOTES)
        clock.advance(3.0)
        view.summary(Snapshot(Received(1), Settled(1)), ())
        assert view.report.books.received == 1
    assert "Kafka at b:1" in file.getvalue()
    assert "3.0 s." in file.getvalue()
