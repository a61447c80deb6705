"""The last ten minutes: rates over a few looks, freshness by step, and never more than that."""

from __future__ import annotations

from typing import Any

from pipeline.monitor.web.series import STEP_SECONDS, STEPS, Series, step_of

START = 1_742_288_400.0


def report(received: int = 0, enriched: int = 0, files: int = 0, lag: float = 0.0) -> dict[str, Any]:
    ledger = {"received": received, "enriched": enriched, "duplicates": 0, "rejected": 0}
    return {"ledger": ledger, "files": {"published": files, "rejected": 0}, "lag": {"seconds": lag}}


def test_nothing_is_shown_before_the_books_are_read() -> None:
    series = Series()
    series.look(START, {"ready": False, "why": "starting"})
    assert series.as_json(START)["throughput"] == []
    assert set(series.rates.values()) == {0.0}


def test_rates_are_those_of_the_last_looks() -> None:
    series = Series()
    for look in range(6):
        series.look(START + look * STEP_SECONDS, report(received=100 * look, enriched=60 * look, files=2 * look))
    assert (series.rates["received"], series.rates["enriched"], series.rates["files"]) == (50.0, 30.0, 1.0)
    series.look(START + 100, report(received=500, enriched=500))
    assert series.rates["enriched"] > 0
    for look in range(4):
        series.look(START + 102 + 2 * look, report(received=500, enriched=500))
    assert set(series.rates.values()) == {0.0}


def test_ten_minutes_are_kept_and_no_more() -> None:
    series = Series()
    for step in range(2 * STEPS):
        now = START + step * STEP_SECONDS
        series.look(now, report(received=step))
        for seconds in (0.2, 0.4, 9.0):
            series.fresh(now, seconds)
    found = series.as_json(now)
    assert (len(found["throughput"]), len(found["freshness"])) == (STEPS, STEPS)
    assert (found["first"], found["last"]) == (step_of(now) - STEPS + 1, step_of(now))
    assert found["freshness"][-1] == [step_of(now), 0.4, 9.0]
    assert series.as_json(now + 3600)["throughput"] == []


def test_a_burst_in_one_step_is_sampled() -> None:
    series = Series()
    for _ in range(100_000):
        series.fresh(START, 1.0)
    assert sum(map(len, series._fresh.values())) <= 100


def test_a_clock_that_is_set_back_starts_anew() -> None:
    series = Series()
    series.look(START, report(received=10))
    series.look(START - 60, report(received=20))
    assert series.rates["received"] == 0.0
