"""Every metric, as data: name, kind, unit, labels, help. What is exported, documented and tested comes from here.

All label sets exist at 0 from the start, so that a rate is right from the first event on. Labels come from closed
sets; a path, URL, title or exception text is never a label. Base units throughout (seconds, bytes, ratios 0..1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from pipeline.errors import rejection_reasons
from pipeline.settings import Settings
from pipeline.topics import TOPICS, topic_name

PREFIX = "copydesk_"
STAGES = ("normalise", "deduplicate", "tag", "sink")
LabelKey = tuple[str, ...]

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_END_TO_END = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_BYTES = (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 67108864.0)

# Labels whose values are fixed by the code; `source`, `topic` and `partition` are fixed by the settings at start.
CLOSED: Mapping[str, tuple[str, ...]] = {
    "stage": STAGES,
    "outcome": ("ok", "duplicate", "rejected", "error"),
    "reason": rejection_reasons(),
    "error_type": rejection_reasons(),
    "waiting": ("unstable", "unknown-format", "backpressure", "unreadable"),
    "kind": ("exact", "near"),
    "queue": ("normalised", "judged", "tagged"),
}
# An existing topic may have more partitions than we would give it, and may grow: their series come with their first
# value. The broker bounds their number.
_GROWING = "partition"


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the catalogue. `name` is without the `copydesk_` prefix."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    merge: Literal["livesum", "livemax", "livemostrecent"] = "livesum"
    """How a gauge of several processes becomes one at the shared endpoint of `run`."""

    @property
    def full_name(self) -> str:
        """As exported."""
        return PREFIX + self.name


METRICS: tuple[Metric, ...] = (
    # watch
    Metric("files_discovered_total", "counter", "Files seen for the first time or with new content.", ("source",)),
    Metric("files_published_total", "counter", "Files whose last article has been published.", ("source",)),
    Metric("files_rejected_total", "counter", "Files and entries that could not be split.", ("source", "reason")),
    Metric("files_waiting", "gauge", "Files seen but not yet published.", ("source", "waiting")),
    Metric(
        "oldest_waiting_file_seconds",
        "gauge",
        "Age of the file that waits longest; 0: none.",
        ("source",),
        merge="livemax",
    ),
    Metric("articles_published_total", "counter", "Raw articles published, counted at commit.", ("source",)),
    Metric("file_read_bytes_total", "counter", "Bytes read from the inbox.", ("source",)),
    Metric("file_size_bytes", "histogram", "Size of files taken.", ("source",), _BYTES),
    Metric("scan_duration_seconds", "histogram", "One full look through an inbox.", ("source",), _FAST),
    Metric(
        "scan_last_success_timestamp_seconds",
        "gauge",
        "When a scan last ended well.",
        ("source",),
        merge="livemostrecent",
    ),
    Metric("watch_events_lost_total", "counter", "Times the event watch broke and the scan took over.", ("source",)),
    # stages
    Metric("stage_received_total", "counter", "Articles that entered a stage.", ("stage",)),
    Metric("stage_processed_total", "counter", "Articles that left a stage, by outcome.", ("stage", "outcome")),
    Metric("stage_in_progress", "gauge", "Articles inside a stage.", ("stage",)),
    Metric(
        "stage_last_success_timestamp_seconds",
        "gauge",
        "When a batch last left a stage.",
        ("stage",),
        merge="livemostrecent",
    ),
    Metric("stage_duration_seconds", "histogram", "Time a batch spent in a stage.", ("stage",), _FAST),
    Metric(
        "end_to_end_seconds",
        "histogram",
        "From reading the file to the commit of the article's outcome.",
        (),
        _END_TO_END,
    ),
    Metric("articles_enriched_total", "counter", "Articles committed to the enriched topic."),
    Metric("duplicates_total", "counter", "Articles committed to the duplicates topic.", ("kind",)),
    Metric("revisions_total", "counter", "Enriched articles that revise an earlier one."),
    Metric("dlq_messages_total", "counter", "Articles committed to the rejected topic.", ("stage", "error_type")),
    Metric("articles_untagged_total", "counter", "Enriched articles whose tagger failed."),
    # de-duplication
    Metric("dedupe_index_entries", "gauge", "Articles that the claim index remembers.", merge="livemax"),
    Metric("state_store_bytes", "gauge", "Memory of the claim index.", merge="livemax"),
    Metric("dedupe_evictions_total", "counter", "Articles that left the window."),
    Metric("claims_replayed_total", "counter", "Articles replayed from the claim log at start."),
    # Kafka
    Metric(
        "consumer_lag_messages",
        "gauge",
        "Raw records behind the end of the log.",
        ("topic", "partition"),
        merge="livemax",
    ),
    Metric(
        "consumer_lag_seconds",
        "gauge",
        "Age of the oldest raw record not yet processed.",
        ("topic", "partition"),
        merge="livemax",
    ),
    Metric(
        "consumer_commit_timestamp_seconds",
        "gauge",
        "When a transaction last committed.",
        ("topic", "partition"),
        merge="livemostrecent",
    ),
    Metric("kafka_produced_total", "counter", "Records committed, by topic.", ("topic",)),
    Metric("kafka_produce_seconds", "histogram", "One transaction, from begin to commit.", (), _FAST),
    Metric("rebalances_total", "counter", "Times partitions were handed out anew."),
    Metric("assigned_partitions", "gauge", "Raw partitions that the workers hold."),
    Metric("stale_batches_total", "counter", "Batches dropped because their partition had moved on."),
    Metric("queue_items", "gauge", "Batches waiting between two stages.", ("queue",)),
    Metric("queue_capacity", "gauge", "Most batches that may wait there.", ("queue",)),
    Metric("backpressure_seconds_total", "counter", "Time a stage waited for room behind it.", ("queue",)),
    # books
    Metric("ledger_received", "gauge", "Articles that the ledger says were published.", merge="livemax"),
    Metric(
        "ledger_settled", "gauge", "Articles whose outcome is committed, by outcome topic.", ("topic",), merge="livemax"
    ),
)


class Meter:
    """The catalogue, alive in a registry: `add` to a counter, `set` a gauge, `observe` into a histogram.

    `open_labels` gives the values of the labels that the settings fix (`source`, `topic`, `partition`). A name or
    label value outside the catalogue raises KeyError: that is a fault in the code, never in the input.
    """

    def __init__(
        self, registry: CollectorRegistry | None = None, open_labels: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        values = {**CLOSED, **{name: tuple(found) for name, found in (open_labels or {}).items()}}
        self._series: dict[str, _Series] = {}
        for metric in METRICS:
            family = _family(metric, self.registry)
            combinations = product(*(values.get(_source_of(metric, label), ()) for label in metric.labels))
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


def _source_of(metric: Metric, label: str) -> str:
    """Only the raw topic is followed partition by partition."""
    return "partitioned_topic" if label == "topic" and "partition" in metric.labels else label


def _family(metric: Metric, registry: CollectorRegistry) -> Any:
    if metric.kind == "counter":
        return Counter(metric.full_name, metric.help, metric.labels, registry=registry)
    if metric.kind == "gauge":
        return Gauge(metric.full_name, metric.help, metric.labels, registry=registry, multiprocess_mode=metric.merge)
    return Histogram(metric.full_name, metric.help, metric.labels, registry=registry, buckets=metric.buckets)


def open_labels(settings: Settings) -> dict[str, Sequence[str]]:
    """Values of the labels that the settings fix."""
    return {
        "source": [Path(inbox).resolve().name for inbox in settings.inbox],
        "topic": [topic_name(settings.prefix, topic.name) for topic in TOPICS],
        "partitioned_topic": [topic_name(settings.prefix, "raw")],
        "partition": [str(number) for number in range(settings.partitions)],
    }
