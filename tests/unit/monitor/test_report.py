import json

import pytest

from pipeline.monitor.report import Pace, Rates, Report
from pipeline.monitor.snapshot import Lag, Received, Snapshot
from pipeline.settled import Settled

BOOKS = Snapshot(Received(10, 2, 3), Settled(5, 2, 1), {1: Lag(2, 4.0), 0: Lag()})
WATCHER = {
    "role": "watcher",
    "pid": 1,
    "waiting": [{"source": "a.txt", "reason": "unstable", "since": "2025-03-18T09:00:00Z"}],
    "waiting_total": 3,
    "idle": False,
}
WORKER = {"role": "worker", "pid": 2, "assigned": [0, 1], "ready": False, "why": "replaying claims"}
TELLER = {"role": "stories", "pid": 3, "ready": True, "idle": True, "stories": 7}


def test_the_json_of_status_holds_everything() -> None:
    found = Report("127.0.0.1:9092", BOOKS, Rates(12.34, 5.0), [WATCHER, WORKER, TELLER]).as_json()
    assert json.loads(json.dumps(found)) == {
        "broker": "127.0.0.1:9092",
        "files": {"published": 3, "rejected": 2, "waiting_total": 3, "waiting": WATCHER["waiting"]},
        "ledger": {
            "received": 10,
            "enriched": 5,
            "duplicates": 2,
            "rejected": 1,
            "in_flight": 2,
            "balanced": False,
        },
        "lag": {
            "messages": 2,
            "seconds": 4.0,
            "partitions": {"0": {"messages": 0, "seconds": 0.0}, "1": {"messages": 2, "seconds": 4.0}},
        },
        "rates": {"received_per_second": 12.3, "settled_per_second": 5.0},
        "watchers": [WATCHER],
        "workers": [WORKER],
        "stories": [TELLER],
        "problems": ["worker 2: replaying claims"],
    }


def test_articles_out_of_nowhere_are_a_problem() -> None:
    assert Report("b", Snapshot(Received(1), Settled(2, 0, 0))).problems == ["1 more came out than went in"]


def test_the_rate_covers_the_last_seconds() -> None:
    pace = Pace(span_seconds=5)
    assert pace.after(0.0, Snapshot(Received(0))) == Rates()
    assert pace.after(2.0, Snapshot(Received(100), Settled(50))) == Rates(50.0, 25.0)
    assert pace.after(20.0, Snapshot(Received(100), Settled(50))).received == pytest.approx(0.0)
    assert pace.after(26.0, Snapshot(Received(160), Settled(50))) == Rates(10.0, 0.0)


def test_two_looks_at_one_moment_give_no_rate() -> None:
    pace = Pace()
    pace.after(1.0, Snapshot(Received(1)))
    assert pace.after(1.0, Snapshot(Received(9))) == Rates()
