"""The last ten minutes in steps of two seconds: how much came in and went out, and how fresh it was. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

STEP_SECONDS = 2
STEPS = 300
# A median of more says no more.
_MOST_IN_STEP = 100
# Rates over three looks: the books are read about as often as we look, not in step with us.
_LOOKS = 3
COUNTS = ("files", "received", "enriched", "duplicates", "rejected", "watch_rejected")


@dataclass(frozen=True, slots=True)
class Sample:
    """One step: rates a second by name of count, and the lag in seconds."""

    step: int
    rates: dict[str, float]
    lag_seconds: float


class Series:
    """Fed with reports and with the freshness of single articles; a step is a whole number of `STEP_SECONDS`."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=STEPS)
        self._looks: deque[tuple[float, dict[str, int]]] = deque(maxlen=_LOOKS + 1)
        self._fresh: OrderedDict[int, list[float]] = OrderedDict()

    def look(self, epoch_seconds: float, report: Mapping[str, Any]) -> None:
        """Take in one report as `/status` gives it. `epoch_seconds`: now, since 1970."""
        counts = counts_of(report)
        if not counts:
            return
        if self._looks and epoch_seconds <= self._looks[-1][0]:
            self._looks.clear()
        self._looks.append((epoch_seconds, counts))
        began, before = self._looks[0]
        passed = epoch_seconds - began
        rates = {name: max(0.0, (counts[name] - before[name]) / passed) if passed else 0.0 for name in COUNTS}
        lag = report.get("lag") or {}
        self._samples.append(Sample(step_of(epoch_seconds), rates, float(lag.get("seconds", 0.0))))

    def fresh(self, epoch_seconds: float, seconds: float) -> None:
        """An article came out at `epoch_seconds`, `seconds` after its file was read."""
        step = step_of(epoch_seconds)
        found = self._fresh.setdefault(step, [])
        if len(found) < _MOST_IN_STEP:
            found.append(seconds)
        while len(self._fresh) > STEPS:
            del self._fresh[min(self._fresh)]

    @property
    def rates(self) -> dict[str, float]:
        """The newest rates a second."""
        return self._samples[-1].rates if self._samples else dict.fromkeys(COUNTS, 0.0)

    def as_json(self, now_seconds: float) -> dict[str, Any]:
        """Points of the last ten minutes as lists, oldest first: `throughput` of [step, received, settled] and
        `freshness` of [step, median, slowest] in seconds, for the steps in which something came out."""
        last = step_of(now_seconds)
        first = last - STEPS + 1
        throughput = [
            [one.step, round(one.rates["received"], 2), round(_settled(one.rates), 2)]
            for one in self._samples
            if one.step >= first
        ]
        freshness = [
            [step, round(median(found), 3), round(max(found), 3)]
            for step, found in sorted(self._fresh.items())
            if step >= first
        ]
        return {"first": first, "last": last, "throughput": throughput, "freshness": freshness}


def step_of(epoch_seconds: float) -> int:
    """The step in which a moment falls."""
    return int(epoch_seconds // STEP_SECONDS)


def counts_of(report: Mapping[str, Any]) -> dict[str, int]:
    """The counts of a report; empty where it has none yet."""
    files, ledger = report.get("files"), report.get("ledger")
    if not isinstance(files, Mapping) or not isinstance(ledger, Mapping):
        return {}
    found = {name: int(ledger.get(name, 0)) for name in ("received", "enriched", "duplicates", "rejected")}
    return found | {"files": int(files.get("published", 0)), "watch_rejected": int(files.get("rejected", 0))}


def _settled(rates: Mapping[str, float]) -> float:
    return rates["enriched"] + rates["duplicates"] + rates["rejected"]
