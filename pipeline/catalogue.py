"""Every metric, as data: name, kind, unit, labels, help. What is exported, documented and tested comes from here.

All label sets exist at 0 from the start, so that a rate is right from the first event on. Labels come from closed
sets; a path, URL, title or exception text is never a label. Base units throughout (seconds, bytes, ratios 0..1).

`python -m pipeline.catalogue > docker/metrics.md` writes the page for people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import rejection_reasons
from pipeline.topics import OUTCOMES

PREFIX = "copydesk_"
ROLES = ("watcher", "worker", "stories", "monitor", "run")
STAGES = ("normalise", "deduplicate", "tag", "sink")
OTHER_INBOX = "other"
Kind = Literal["counter", "gauge", "histogram"]
Merge = Literal["livesum", "livemax", "mostrecent"]

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_END_TO_END = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_BYTES = (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 67108864.0)

# Labels whose values are fixed by the code; those of OPEN are fixed by the settings at start.
CLOSED: Mapping[str, tuple[str, ...]] = {
    "role": ROLES,
    "stage": STAGES,
    "outcome": ("ok", "duplicate", "rejected", "error"),
    "reason": rejection_reasons(),
    "error_type": rejection_reasons(),
    "waiting": ("unstable", "unknown-format", "backpressure", "unreadable"),
    "kind": ("exact", "near"),
    "queue": ("normalised", "judged", "tagged"),
    "taxonomy": ("topics", "people", "organisations", "places", "keywords"),
    "books": OUTCOMES,
    "failure": ("fenced", "refused", "too-large", "timeout", "connection", "other"),
}
OPEN: Mapping[str, str] = {
    "source": "the names of the configured inboxes",
    "origin": f"the names of the configured inboxes; `{OTHER_INBOX}` where an article came by another one",
    "topic": "our topics",
    "raw": "the raw topic",
    "partition": "its partitions",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the catalogue. `name` is without the `copydesk_` prefix."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    merge: Merge = "livesum"
    """How a gauge of several processes becomes one at the shared endpoint of `run`."""
    roles: tuple[str, ...] = ROLES
    """Who exports it. A role shows nothing that it does not measure, so `absent()` means what it says."""
    values: tuple[str, ...] = ()
    """Where the labels' values come from, a key of CLOSED or OPEN for each; empty: from the labels' own names."""

    @property
    def full_name(self) -> str:
        """As exported."""
        return PREFIX + self.name

    @property
    def sets(self) -> tuple[str, ...]:
        """For each label, the key of its values in CLOSED or OPEN."""
        return self.values or self.labels


_WATCH, _WORK, _BOTH = ("watcher",), ("worker",), ("watcher", "worker")
_LOOK = ("monitor", "run")
_TELL = ("stories",)
_OF_RAW = ("topic", "partition")
_RAW = ("raw", "partition")


def _watch(
    name: str,
    kind: Kind,
    help: str,
    *labels: str,
    buckets: tuple[float, ...] = (),
    merge: Merge = "livesum",
) -> Metric:
    return Metric(name, kind, help, ("source", *labels), buckets, merge, _WATCH)


def _work(
    name: str,
    kind: Kind,
    help: str,
    *labels: str,
    buckets: tuple[float, ...] = (),
    merge: Merge = "livesum",
    values: tuple[str, ...] = (),
) -> Metric:
    return Metric(name, kind, help, labels, buckets, merge, _WORK, values)


METRICS: tuple[Metric, ...] = (
    # watch
    _watch("files_discovered_total", "counter", "Files seen for the first time or with new content."),
    _watch("files_published_total", "counter", "Files whose last article has been published."),
    _watch("files_rejected_total", "counter", "Files and entries that could not be split.", "reason"),
    _watch("files_waiting", "gauge", "Files seen but not yet published, by why.", "waiting"),
    _watch("oldest_waiting_file_seconds", "gauge", "Age of the file that waits longest; 0: none.", merge="livemax"),
    _watch("articles_published_total", "counter", "Raw articles published, counted at commit."),
    _watch("file_read_bytes_total", "counter", "Bytes read from the inbox."),
    _watch("file_size_bytes", "histogram", "Size of files taken.", buckets=_BYTES),
    _watch("scan_duration_seconds", "histogram", "One full look through an inbox.", buckets=_FAST),
    _watch("scan_last_success_timestamp_seconds", "gauge", "When a full look last ended well.", merge="mostrecent"),
    _watch("watch_events_lost_total", "counter", "Times the event watch broke and the scan took over."),
    # stages
    _work("stage_received_total", "counter", "Articles that entered a stage.", "stage"),
    _work("stage_processed_total", "counter", "Articles that left a stage, by outcome.", "stage", "outcome"),
    _work("stage_in_progress", "gauge", "Articles inside a stage.", "stage"),
    _work("stage_last_success_timestamp_seconds", "gauge", "When a batch last left a stage.", "stage",
          merge="mostrecent"),
    _work("stage_duration_seconds", "histogram", "Time a batch spent in a stage; CPU time where the stage computes.",
          "stage", buckets=_FAST),
    _work("queue_items", "gauge", "Batches waiting between two stages.", "queue"),
    _work("queue_capacity", "gauge", "Most batches that may wait there.", "queue"),
    _work("backpressure_seconds_total", "counter", "Time a stage waited for room behind it.", "queue"),
    _work("end_to_end_seconds", "histogram", "From reading the file to the commit of the article's outcome.",
          "source", buckets=_END_TO_END, values=("origin",)),
    _work("articles_enriched_total", "counter", "Articles committed to the enriched topic."),
    _work("revisions_total", "counter", "Enriched articles that revise an earlier one."),
    _work("dlq_messages_total", "counter", "Articles committed to the rejected topic.", "stage", "error_type"),
    _work("dlq_replayed_total", "counter", "Dead letters that came in again, by what they became.", "outcome",
          values=("books",)),
    _work("tags_assigned_total", "counter", "Tags on enriched articles.", "taxonomy"),
    _work("records_checked_total", "counter", "Records written that were held against both schemas."),
    _work("records_faulty_total", "counter", "Records among them that did not pass: a fault of ours; see the log."),
    _work("articles_untagged_total", "counter", "Enriched articles whose tagger failed."),
    # de-duplication
    _work("duplicates_total", "counter", "Articles committed to the duplicates topic.", "kind"),
    _work("dedupe_index_entries", "gauge", "Articles that the claim index remembers.", merge="livemax"),
    _work("state_store_bytes", "gauge", "Memory of the claim index.", merge="livemax"),
    _work("dedupe_candidates_total", "counter", "Pairs of articles that were compared, since they share shingles."),
    _work("dedupe_evictions_total", "counter", "Articles that left the de-duplication window."),
    _work("claims_replayed_total", "counter", "Articles replayed from the claim log at start."),
    # stories
    Metric("stories_counted_total", "counter", "Articles that were counted to their story.", roles=_TELL),
    Metric("stories_told_total", "counter", "Records committed to the stories topic.", roles=_TELL),
    Metric("stories_known", "gauge", "Stories that may still get articles.", merge="livemax", roles=_TELL),
    Metric("stories_lag_messages", "gauge", "Offsets of enriched and duplicates not yet counted.", merge="livemax",
           roles=_TELL),
    Metric("stories_last_success_timestamp_seconds", "gauge", "When stories were last looked for.",
           merge="mostrecent", roles=_TELL),
    # Kafka
    Metric("kafka_produced_total", "counter", "Records committed, by topic.", ("topic",), roles=_BOTH),
    Metric("kafka_produce_seconds", "histogram", "One transaction, from begin to commit.", ("role",), _FAST,
           roles=_BOTH),
    Metric("kafka_produce_errors_total", "counter", "Transactions that failed; what they held is published again.",
           ("role", "error_type"), roles=_BOTH, values=("role", "failure")),
    _work("consumer_commit_timestamp_seconds", "gauge", "When a transaction last committed; 0: not yet.", *_OF_RAW,
          merge="mostrecent", values=_RAW),
    _work("rebalances_total", "counter", "Times partitions were handed out anew."),
    _work("rebalance_duration_seconds", "histogram", "From new partitions until their former owners are fenced.",
          buckets=_FAST),
    _work("assigned_partitions", "gauge", "Raw partitions that the workers hold."),
    _work("stale_batches_total", "counter", "Batches dropped because their partition had moved on."),
    Metric("consumer_lag_messages", "gauge", "Raw records behind the end of the log.", _OF_RAW, merge="livemax",
           roles=_LOOK, values=_RAW),
    Metric("consumer_lag_seconds", "gauge", "Age of the oldest raw record not yet processed.", _OF_RAW,
           merge="livemax", roles=_LOOK, values=_RAW),
    # books
    Metric("ledger_received", "gauge", "Articles that the ledger says were published.", merge="livemax", roles=_LOOK),
    Metric("ledger_settled", "gauge", "Articles whose outcome is committed, by outcome.", ("outcome",),
           merge="livemax", roles=_LOOK, values=("books",)),
    Metric("ledger_watch_rejected", "gauge", "Files and entries that the watcher rejected.", merge="livemax",
           roles=_LOOK),
    Metric("ledger_last_success_timestamp_seconds", "gauge", "When the books were last read.", merge="mostrecent",
           roles=_LOOK),
    # processes
    Metric("event_loop_lag_seconds", "histogram", "How late the event loop was, looked at once a second.", ("role",),
           _FAST),
    Metric("process_cpu_seconds_total", "counter", "CPU time, user and system.", ("role",)),
    Metric("process_resident_memory_bytes", "gauge", "Resident memory.", ("role",)),
    Metric("process_open_fds", "gauge", "Open file descriptors.", ("role",)),
    Metric("process_start_timestamp_seconds", "gauge", "When the process started.", ("role",), merge="mostrecent"),
)  # fmt: skip

# Made by the endpoint itself, at each scrape.
ALWAYS: tuple[Metric, ...] = (
    Metric("build_info", "gauge", "Always 1; what runs here is in the labels.", ("version", "revision", "python")),
    Metric("ready", "gauge", "1 where /readyz says yes, else 0."),
)


def page() -> str:
    """The catalogue as a page in Markdown."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Metrics"
    yield ""
    yield "<!-- Made from pipeline/catalogue.py: python -m pipeline.catalogue > docker/metrics.md -->"
    yield ""
    yield "Every role serves its own at `/metrics`; `copydesk run` serves those of all its processes, added up, at one"
    yield "endpoint. Every series is there from the start, at 0. A histogram has `_bucket`, `_sum` and `_count`."
    yield ""
    yield "| Metric | Kind | Labels | Of | What it says |"
    yield "|---|---|---|---|---|"
    for metric in (*ALWAYS, *METRICS):
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        roles = "every role" if metric.roles == ROLES else ", ".join(metric.roles)
        yield f"| `{metric.full_name}` | {metric.kind} | {labels} | {roles} | {metric.help} |"
    yield ""
    yield "| Label | Values |"
    yield "|---|---|"
    for label, values in _labels().items():
        yield f"| `{label}` | {'; or '.join(values)} |"


def _labels() -> dict[str, list[str]]:
    """Label → its sets of values in words; a label may have another set in another metric."""
    found: dict[str, dict[str, None]] = {}
    for metric in METRICS:
        for label, name in zip(metric.labels, metric.sets, strict=True):
            words = OPEN[name] if name in OPEN else ", ".join(f"`{value}`" for value in CLOSED[name])
            found.setdefault(label, {})[words] = None
    return {label: list(words) for label, words in sorted(found.items())}


if __name__ == "__main__":
    print(page(), end="")
