"""The catalogue alive: a process adds to counters, sets gauges and observes into histograms by name and labels."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import mark_process_dead

from pipeline.catalogue import CLOSED, METRICS, OTHER_INBOX, ROLES, Metric
from pipeline.records import inbox_label
from pipeline.settings import Settings
from pipeline.topics import TOPICS, topic_name

LabelKey = tuple[str, ...]

# An existing topic may have more partitions than we would give it, and may grow: their series come with their first
# value. The broker bounds their number.
_GROWING = "partition"


class Meter:
    """The catalogue, alive in a registry: `add` to a counter, `set` a gauge, `observe` into a histogram.

    With `role` it is the part of the catalogue that this role exports, with itself as the only value of the label
    `role`; without, it is all of it. `open_labels` gives the values of the labels that the settings fix. A name or
    label value outside the catalogue raises KeyError: that is a fault in the code, never in the input.
    """

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        open_labels: Mapping[str, Sequence[str]] | None = None,
        role: str | None = None,
    ) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self.roles = (role,) if role else ROLES
        values = {**CLOSED, "role": self.roles, **{name: tuple(found) for name, found in (open_labels or {}).items()}}
        self._series: dict[str, _Series] = {}
        for metric in METRICS:
            if not set(metric.roles) & set(self.roles):
                continue
            family = _family(metric, self.registry)
            combinations = product(*(values.get(name, ()) for name in metric.sets))
            known: dict[LabelKey, Any] = {key: family.labels(*key) for key in combinations if key} or {(): family}
            self._series[metric.name] = _Series(metric.labels, family, known)

    def add(self, name: str, amount: float = 1, **labels: str) -> None:
        """Raise a counter by `amount` (not negative)."""
        self._series[name].at(labels).inc(amount)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._series[name].at(labels).set(value)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Put one value, in the metric's unit, into a histogram."""
        self._series[name].at(labels).observe(value)


@dataclass(frozen=True, slots=True)
class _Series:
    """One metric's series by their label values, in the order of `labels`."""

    labels: tuple[str, ...]
    family: Any
    known: dict[LabelKey, Any]

    def at(self, labels: Mapping[str, str]) -> Any:
        key = tuple(labels[label] for label in self.labels)
        if len(labels) != len(key):
            raise KeyError(f"{sorted(labels)} are not the labels {sorted(self.labels)}")
        if key not in self.known and labels.get(_GROWING, "").isdigit():
            first = tuple("0" if label == _GROWING else labels[label] for label in self.labels)
            if first in self.known:
                self.known[key] = self.family.labels(*key)
        return self.known[key]


def _family(metric: Metric, registry: CollectorRegistry) -> Any:
    if metric.kind == "counter":
        return Counter(metric.full_name, metric.help, metric.labels, registry=registry)
    if metric.kind == "gauge":
        return Gauge(metric.full_name, metric.help, metric.labels, registry=registry, multiprocess_mode=metric.merge)
    return Histogram(metric.full_name, metric.help, metric.labels, registry=registry, buckets=metric.buckets)


def open_labels(settings: Settings) -> dict[str, Sequence[str]]:
    """Values of the labels that the settings fix: see `catalogue.OPEN`."""
    inboxes = [inbox_label(inbox) for inbox in settings.inbox]
    return {
        "source": inboxes,
        "origin": [*inboxes, OTHER_INBOX],
        "topic": [topic_name(settings.prefix, topic.name) for topic in TOPICS],
        "raw": [topic_name(settings.prefix, "raw")],
        "partition": [str(number) for number in range(settings.partitions)],
    }


def forget_process(pid: int) -> None:
    """Let the gauges of a process that is gone drop out of the merged endpoint of `run`; its counts stay."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the library types it not
