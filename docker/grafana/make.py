"""The dashboards as data. `python docker/grafana/make.py` writes them into dashboards/; `--check` only compares.

Overview (is news flowing, how fresh, do the books balance) ─▶ Inbox ─▶ Stages ─▶ De-duplication, Kafka, Dead letters.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from panels import Panel, build

FOLDER = Path(__file__).parent / "dashboards"

_RATE = "$__rate_interval"


def _rate(name: str, by: str = "", where: str = "") -> str:
    """A counter a second, summed `by` labels."""
    grouped = f"sum by ({by}) " if by else "sum"
    return f"{grouped}(rate(copydesk_{name}{where}[{_RATE}]))"


def _quantile(share: float, name: str, by: str = "", where: str = "") -> str:
    """What `share` of the values stay under, of a histogram's last few minutes."""
    grouped = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({grouped}) (rate(copydesk_{name}_bucket{where}[{_RATE}])))"


_DEDUPLICATE = '{stage="deduplicate"}'
_OF_INBOX = '{source=~"$source"}'

OVERVIEW = (
    Panel("Articles in", "Raw articles committed to Kafka.", "ops",
          [(_rate("articles_published_total", "", _OF_INBOX), "in")], "stat", 4),
    Panel("Enriched", "Articles committed to the enriched topic.", "ops",
          [(_rate("articles_enriched_total"), "enriched")], "stat", 4),
    Panel("Late", "Share of the last five minutes' articles that took over a minute; the promise is 1 in 100.",
          "percentunit", [('max(copydesk:slow:ratio5m{source=~"$source"})', "late")], "stat", 4,
          "copydesk:slow:ratio5m"),
    Panel("Oldest waiting file", "How long the file that waits longest has waited.", "s",
          [('max(copydesk:oldest_waiting_file:seconds{source=~"$source"})', "oldest")], "stat", 4,
          "copydesk:oldest_waiting_file:seconds"),
    Panel("In flight", "Received and not yet settled. It returns to 0 when all is read.", "short",
          [("copydesk:in_flight:articles", "in flight")], "stat", 4),
    Panel("Ready", "Processes that are ready, of those that answer or should.", "short",
          [("sum(copydesk_ready)", "ready"),
           ('count(up{job=~"watcher|worker|stories|monitor|copydesk"})', "all")], "stat", 4),
    Panel("Freshness", "From reading the file to the commit of the outcome.", "s",
          [(_quantile(share, "end_to_end_seconds", "", _OF_INBOX), name)
           for share, name in ((0.5, "half within"), (0.95, "95 %"), (0.99, "99 %"))]),
    Panel("In and out", "Articles a second: what came in, and what became of them.", "ops",
          [(_rate("articles_published_total", "", _OF_INBOX), "in"),
           (_rate("articles_enriched_total"), "enriched"), (_rate("duplicates_total"), "duplicates"),
           (_rate("dlq_messages_total"), "rejected")]),
    Panel("Unread for", "Age of the oldest article that no worker has settled.", "s",
          [("copydesk:lag:seconds", "partition {{partition}}")], judged="copydesk:lag:seconds"),
    Panel("Rejected", "Share of all that comes in.", "percentunit", [("copydesk:rejected:ratio5m", "rejected")],
          judged="copydesk:rejected:ratio5m"),
)  # fmt: skip

INBOX = (
    Panel("Waiting files", "Seen and not yet published, by why.", "short",
          [('sum by (waiting) (copydesk_files_waiting{source=~"$source"})', "{{waiting}}")], stacked=True),
    Panel("Oldest waiting file", "Of each inbox; files of no known format aside.", "s",
          [('copydesk:oldest_waiting_file:seconds{source=~"$source"}', "{{source}}")],
          judged="copydesk:oldest_waiting_file:seconds"),
    Panel("Files", "Found and published.", "ops",
          [(_rate("files_discovered_total", "source", _OF_INBOX), "{{source}} found"),
           (_rate("files_published_total", "source", _OF_INBOX), "{{source}} published")]),
    Panel("Files set aside", "Files and entries that could not be split, by reason.", "ops",
          [(_rate("files_rejected_total", "reason", _OF_INBOX), "{{reason}}")], stacked=True),
    Panel("Last full look", "How long ago an inbox was last looked through.", "s",
          [('copydesk:scan_age:seconds{source=~"$source"}', "{{source}}")], judged="copydesk:scan_age:seconds"),
    Panel("A full look takes", "95 % of the looks are faster.", "s",
          [(_quantile(0.95, "scan_duration_seconds", "source", _OF_INBOX), "{{source}}")]),
    Panel("Read", "Bytes of articles read from the inbox.", "Bps",
          [(_rate("file_read_bytes_total", "source", _OF_INBOX), "{{source}}")]),
    Panel("Size of files", "Half of the files are smaller, 95 % are.", "bytes",
          [(_quantile(0.5, "file_size_bytes", "", _OF_INBOX), "half"),
           (_quantile(0.95, "file_size_bytes", "", _OF_INBOX), "95 %")]),
    Panel("Event watch lost", "Times in a quarter of an hour that the full looks had to stand in.", "short",
          [('copydesk:watch_events_lost:increase15m{source=~"$source"}', "{{source}}")],
          judged="copydesk:watch_events_lost:increase15m"),
    Panel("Silence", "Files in half an hour: now, and as the last day had them.", "short",
          [('copydesk:files_discovered:increase30m{source=~"$source"}', "{{source}} now"),
           ('copydesk:files_discovered:usual30m{source=~"$source"}', "{{source}} usual")]),
)  # fmt: skip

STAGES = (
    Panel("Articles into a stage", "A second.", "ops", [(_rate("stage_received_total", "stage"), "{{stage}}")]),
    Panel("Articles out of a stage", "A second, by outcome.", "ops",
          [(_rate("stage_processed_total", "stage, outcome"), "{{stage}} {{outcome}}")]),
    Panel("Inside a stage", "Articles in work at the moment.", "short",
          [("copydesk:stage_in_progress:articles", "{{stage}}")]),
    Panel("Since the last batch", "How long ago a batch last left each stage.", "s",
          [("time() - max by (stage) (copydesk_stage_last_success_timestamp_seconds > 0)", "{{stage}}")]),
    Panel("Time a batch takes", "All stages.", "s",
          [(f"sum by (le) (increase(copydesk_stage_duration_seconds_bucket[{_RATE}]))", "{{le}}")], "heat"),
    Panel("Time a batch takes, by stage", "95 % of the batches are faster.", "s",
          [(_quantile(0.95, "stage_duration_seconds", "stage"), "{{stage}}")]),
    Panel("Queues", "How full the queues between the stages are.", "percentunit",
          [("sum by (queue) (copydesk_queue_items) / sum by (queue) (copydesk_queue_capacity)", "{{queue}}")]),
    Panel("Back-pressure", "Share of the time that a stage waits for room in the queue behind it.", "percentunit",
          [("copydesk:backpressure:ratio10m", "{{queue}}")], judged="copydesk:backpressure:ratio10m"),
    Panel("CPU", "Cores in use, by role.", "short", [(_rate("process_cpu_seconds_total", "role"), "{{role}}")]),
    Panel("Memory", "Resident, by role.", "bytes",
          [("sum by (role) (copydesk_process_resident_memory_bytes)", "{{role}}")]),
    Panel("Event loop", "How late it is; 99 % of the looks found less.", "s",
          [(_quantile(0.99, "event_loop_lag_seconds", "role"), "{{role}}")]),
    Panel("Open files", "File descriptors, by role.", "short",
          [("sum by (role) (copydesk_process_open_fds)", "{{role}}")]),
    Panel("Tags", "Assigned a second, by kind.", "ops", [(_rate("tags_assigned_total", "taxonomy"), "{{taxonomy}}")]),
    Panel("Untagged", "Enriched articles whose tagger failed, a second.", "ops",
          [(_rate("articles_untagged_total"), "untagged")]),
    Panel("Schema", "Records held against both schemas, and those that did not pass, a second.", "ops",
          [(_rate("records_checked_total"), "checked"), (_rate("records_faulty_total"), "faulty")]),
)  # fmt: skip

DEDUPLICATION = (
    Panel("Duplicates", "A second, exact and near.", "ops", [(_rate("duplicates_total", "kind"), "{{kind}}")],
          stacked=True),
    Panel("Share of duplicates", "Of the last hour and of the last day.", "percentunit",
          [("copydesk:duplicates:ratio1h", "hour"), ("copydesk:duplicates:ratio1d", "day")]),
    Panel("Revisions", "Enriched articles that revise an earlier one, a second.", "ops",
          [(_rate("revisions_total"), "revisions")]),
    Panel("Index", "Articles that the claim index remembers; every worker holds all of them.", "short",
          [("max(copydesk_dedupe_index_entries)", "articles")]),
    Panel("Memory of the index", "In each worker.", "bytes", [("copydesk:index:bytes", "bytes")],
          judged="copydesk:index:bytes"),
    Panel("Comparisons", "Pairs of articles that share shingles and were compared, for each article.", "short",
          [(f"{_rate('dedupe_candidates_total')} / ({_rate('stage_received_total', '', _DEDUPLICATE)} > 0)", "pairs")]),
    Panel("Left the window", "Articles forgotten, a second.", "ops", [(_rate("dedupe_evictions_total"), "forgotten")]),
    Panel("Waiting for verdicts", "Time a batch takes from its claim to its verdicts.", "s",
          [(_quantile(share, "stage_duration_seconds", "", _DEDUPLICATE), name)
           for share, name in ((0.5, "half within"), (0.99, "99 %"))]),
    Panel("Replayed", "Articles read from the claim log at start, a second.", "ops",
          [(_rate("claims_replayed_total"), "replayed")]),
    Panel("Stories", "Articles counted to their story, and changes told, a second.", "ops",
          [(_rate("stories_counted_total"), "articles"), (_rate("stories_told_total"), "changes")]),
    Panel("Open stories", "Stories that may still get articles.", "short",
          [("max(copydesk_stories_known)", "stories")]),
    Panel("Not yet counted", "Enriched and duplicate records ahead of the stories.", "short",
          [("max(copydesk_stories_lag_messages)", "records")]),
    Panel("Since stories were looked for", "Should stay under a few seconds.", "s",
          [("time() - max(copydesk_stories_last_success_timestamp_seconds > 0)", "ago")]),
)  # fmt: skip

KAFKA = (
    Panel("Unread", "Raw records behind the end of the log.", "short",
          [("copydesk:lag:messages", "partition {{partition}}")], stacked=True),
    Panel("Unread for", "Age of the oldest of them.", "s", [("copydesk:lag:seconds", "partition {{partition}}")],
          judged="copydesk:lag:seconds"),
    Panel("Since the last commit", "By partition.", "s", [("copydesk:commit_age:seconds", "partition {{partition}}")],
          judged="copydesk:commit_age:seconds"),
    Panel("Written", "Records committed a second, by topic.", "ops",
          [(_rate("kafka_produced_total", "topic"), "{{topic}}")]),
    Panel("A transaction takes", "From begin to commit; 95 % are faster.", "s",
          [(_quantile(0.95, "kafka_produce_seconds", "role"), "{{role}}")]),
    Panel("Failed transactions", "In five minutes; what they held is published again.", "short",
          [("copydesk:produce_errors:increase5m", "{{role}}")], judged="copydesk:produce_errors:increase5m"),
    Panel("Why transactions fail", "A second, by kind of failure.", "ops",
          [(_rate("kafka_produce_errors_total", "role, error_type"), "{{role}} {{error_type}}")], stacked=True),
    Panel("Rebalances", "In a quarter of an hour.", "short", [("copydesk:rebalances:increase15m", "rebalances")],
          judged="copydesk:rebalances:increase15m"),
    Panel("A rebalance takes", "Until former owners are fenced; 95 % are faster.", "s",
          [(_quantile(0.95, "rebalance_duration_seconds"), "95 %")]),
    Panel("Partitions held", "By all workers.", "short", [("sum(copydesk_assigned_partitions)", "held")]),
    Panel("Stale batches", "Dropped because their partition had moved on, a second.", "ops",
          [(_rate("stale_batches_total"), "stale")]),
    Panel("Starts", "Times in a quarter of an hour that a process was started.", "short",
          [("copydesk:process_starts:changes15m", "{{role}}")], judged="copydesk:process_starts:changes15m"),
    Panel("Books read", "How long ago.", "s", [("copydesk:books_age:seconds", "books")],
          judged="copydesk:books_age:seconds"),
)  # fmt: skip

DEAD_LETTERS = (
    Panel("Rejected, by reason", "Articles that the stream set aside, a second.", "ops",
          [(_rate("dlq_messages_total", "error_type"), "{{error_type}}")], stacked=True),
    Panel("Rejected, by stage", "A second.", "ops", [(_rate("dlq_messages_total", "stage"), "{{stage}}")],
          stacked=True),
    Panel("Set aside by the watcher", "Files and entries that never were an article, a second.", "ops",
          [(_rate("files_rejected_total", "source, reason"), "{{source}} {{reason}}")], stacked=True),
    Panel("Share", "Of all that comes in.", "percentunit", [("copydesk:rejected:ratio5m", "rejected")],
          judged="copydesk:rejected:ratio5m"),
    Panel("Put back", "Dead letters that were put into the stream again, a second, by what became of them.", "ops",
          [(_rate("dlq_replayed_total", "outcome"), "{{outcome}}")], stacked=True),
    Panel("Since the beginning", "By the books: rejected by the stream, and by the watcher.", "short",
          [('max(copydesk_ledger_settled{outcome="rejected"})', "stream"),
           ("max(copydesk_ledger_watch_rejected)", "watcher")]),
    Panel("The books", "Received against settled, since the beginning.", "short",
          [("max(copydesk_ledger_received)", "received"),
           ("max by (outcome) (copydesk_ledger_settled)", "{{outcome}}")]),
)  # fmt: skip


def dashboards() -> dict[str, str]:
    """File name → its text."""
    made = {
        "overview": build("overview", "overview", "Is news flowing, how fresh is it, and do the books balance?",
                          OVERVIEW, by_inbox=True),
        "inbox": build("inbox", "inbox", "What lies in the inboxes, and why it is not yet published.", INBOX,
                       by_inbox=True),
        "stages": build("stages", "stages", "Rate, time and what is inside, stage by stage.", STAGES),
        "de-duplication": build("de-duplication", "de-duplication", "How much is a copy, and what the index costs.",
                                DEDUPLICATION),
        "kafka": build("kafka", "Kafka", "Lag, commits, transactions, rebalances.", KAFKA),
        "dead-letters": build("dead-letters", "dead letters", "What was rejected, where and why.", DEAD_LETTERS),
    }  # fmt: skip
    return {f"{name}.json": json.dumps(found, cls=JSONEncoder, indent=1) + "\n" for name, found in made.items()}


def main(arguments: list[str]) -> int:
    """Write the files, or with --check say which differ: 1 where any does."""
    made = dashboards()
    present = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    wrong = sorted(name for name in made.keys() | present.keys() if made.get(name) != present.get(name))
    if "--check" in arguments:
        for name in wrong:
            print(f"{name} is not what make.py makes; run: python docker/grafana/make.py", file=sys.stderr)
        return 1 if wrong else 0
    for name in wrong:
        (FOLDER / name).unlink(missing_ok=True)
        if name in made:
            (FOLDER / name).write_text(made[name])
            print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
