"""Every topic, in the order the data flows: what its key and value are, how it is kept, and why."""

from __future__ import annotations

from dataclasses import dataclass, field

DAY_MS = 86_400_000
HOUR_MS = 3_600_000

CLAIM_RECORD_BYTES = 8 << 20
"""The largest record of the claim log: one batch, some 300 bytes an article."""


def claims_kept_ms(window_seconds: int) -> int:
    """How long the claim log is kept, in milliseconds: two windows, and an hour for clocks that differ and workers that
    lag. What nobody has judged when all workers stop is judged by the first that starts again, from the window before
    it; after another window it no longer matters."""
    return 2 * window_seconds * 1000 + HOUR_MS


# The broker's clock alone decides how long records are kept. By the clocks of those who write, as Kafka has it unless
# told otherwise, a watcher whose clock is a week behind would lose what it publishes before anybody read it, and one
# that is an hour ahead would have it refused. (Of claims the time tells by which window they were judged.)
_KEPT = {"message.timestamp.type": "LogAppendTime"}


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as declared. `name` is the part after the prefix, so `raw` is `articles.raw` by default."""

    name: str
    key: str
    value: str
    why: str
    partitions: int | None = None
    """None: the `partitions` setting."""
    config: dict[str, str] = field(default_factory=dict)


TOPICS: tuple[Topic, ...] = (
    Topic(
        "raw",
        key="article id",
        value="the article's bytes exactly as found",
        why="what came in, for replay; a week is enough to mend a fault downstream",
        config=_KEPT | {"cleanup.policy": "delete", "retention.ms": str(7 * DAY_MS)},
    ),
    Topic(
        "files",
        key="inbox name / inbox-relative path",
        value="JSON: how far that file has been published",
        why="the ledger: written in the transaction that publishes, read back after a crash",
        partitions=1,
        config=_KEPT | {"cleanup.policy": "compact"},
    ),
    Topic(
        "claims",
        key="none",
        value="binary: one batch of article ids, fingerprints and signatures, and the verdicts on batches before it",
        why="its order decides which article is the original; kept for two de-duplication windows and an hour",
        partitions=1,
        config={"cleanup.policy": "delete", "max.message.bytes": str(CLAIM_RECORD_BYTES)},
    ),
    Topic(
        "enriched",
        key="article id",
        value="ninjs 3.1 JSON with x_copydesk",
        why="the product",
        config=_KEPT | {"cleanup.policy": "delete", "retention.ms": str(30 * DAY_MS)},
    ),
    Topic(
        "duplicates",
        key="article id",
        value="ninjs 3.1 JSON without tags, with x_copydesk.duplicate",
        why="kept, not dropped: who syndicated what is news too",
        config=_KEPT | {"cleanup.policy": "delete", "retention.ms": str(30 * DAY_MS)},
    ),
    Topic(
        "rejected",
        key="article id; the source for what never reached raw",
        value="the original bytes",
        why="dead letters, with the reason in the headers",
        config=_KEPT | {"cleanup.policy": "delete", "retention.ms": str(30 * DAY_MS)},
    ),
    Topic(
        "stories",
        key="story id: that of its first article",
        value="JSON: size, duplicates, first and last seen, headline, languages",
        why="what each story has come to, as a table; the last word on each stays as long as its articles do",
        partitions=1,
        config=_KEPT | {"cleanup.policy": "compact,delete", "retention.ms": str(30 * DAY_MS)},
    ),
)

OUTCOMES = ("enriched", "duplicates", "rejected")


def topic_name(prefix: str, name: str) -> str:
    """The full name on the broker, e.g. `articles.raw`."""
    return f"{prefix}.{name}"
