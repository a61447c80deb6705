"""An independent judge of a run: reads the topics from the beginning with another client, and counts by id.

It shares no code with the pipeline's own bookkeeping. A run is conserved where received = enriched + duplicates +
rejected, each article exactly once, for a consumer that reads `read_committed`. Beside it, `expected` says from the
files alone what must have been received, and `replay` what must have become of it.

A retry puts a rejected article into raw again, under its id, with one attempt more. The rejection that it follows from
is superseded: it no longer counts, as the retry's own record in raw does not. What is left must balance as ever.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, TopicPartition

OUTCOMES = ("enriched", "duplicates", "rejected")
_PATIENCE_SECONDS = 30.0


@dataclass
class Record:
    """One record as the broker hands it out."""

    key: str
    value: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.value)

    @property
    def attempts(self) -> int:
        return int(self.headers.get("attempts", "1"))


@dataclass
class Topics:
    """All that a committed reader sees under one prefix, topic by topic."""

    records: dict[str, list[Record]] = field(default_factory=dict)

    outcomes = OUTCOMES

    def ids(self, name: str) -> Counter[str]:
        return Counter(record.key for record in self.records[name])

    @property
    def raw(self) -> Counter[str]:
        """Articles that came in; those that came back are not counted again."""
        return Counter(record.key for record in self.records["raw"] if record.attempts == 1)

    @property
    def retries(self) -> Counter[tuple[str, int]]:
        """Id and attempt of every article that came back."""
        return Counter((record.key, record.attempts) for record in self.records["raw"] if record.attempts > 1)

    @property
    def rejections(self) -> Counter[tuple[str, int]]:
        """Rejections by id and the attempt that would follow: with one in `retries` they no longer count."""
        return Counter((r.key, r.attempts + 1) for r in self.records["rejected"] if r.headers.get("stage") != "watch")

    @property
    def superseded(self) -> dict[tuple[str, int], int]:
        return {retry: count for retry, count in self.rejections.items() if retry in self.retries}

    def settled_on(self, name: str) -> list[Record]:
        """What came out of the stream on one topic; what the watcher rejected never went in."""
        found = [record for record in self.records[name] if record.headers.get("stage") != "watch"]
        retries = self.retries if name == "rejected" else Counter()
        return [record for record in found if (record.key, record.attempts + 1) not in retries]

    @property
    def settled(self) -> Counter[str]:
        """Articles that came out of the stream, by id; superseded rejections no longer count."""
        return Counter(record.key for name in OUTCOMES for record in self.settled_on(name))

    def faults(self) -> list[str]:
        """Every way in which articles were lost, doubled or invented; empty when conserved."""
        raw, settled = self.raw, self.settled
        return [
            *(f"{key}: received {count} times" for key, count in raw.items() if count != 1),
            *(f"{key}: lost" for key in raw.keys() - settled.keys()),
            *(f"{key}: invented" for key in settled.keys() - raw.keys()),
            *(f"{key}: came out {count} times" for key, count in settled.items() if count != 1),
            *(f"{key}: attempt {n} made {count} times" for (key, n), count in self.retries.items() if count != 1),
            *(f"{key}: rejected {c} times before attempt {n}" for (key, n), c in self.superseded.items() if c != 1),
            *(
                f"{key}: attempt {n} follows from no rejection"
                for key, n in self.retries.keys() - self.rejections.keys()
            ),
            *self._dangling(),
        ]

    def _dangling(self) -> list[str]:
        """A duplicate must refer to an article that readers of the enriched topic can find."""
        enriched = self.ids("enriched").keys()
        originals = {record.key: record.json["x_copydesk"]["duplicate"]["of"] for record in self.records["duplicates"]}
        return [
            f"{key}: duplicate of {of}, which is not enriched" for key, of in originals.items() if of not in enriched
        ]

    def clusters(self) -> set[frozenset[str]]:
        """Ids of enriched articles, each with its duplicates."""
        groups: dict[str, set[str]] = {key: {key} for key in self.ids("enriched")}
        for record in self.records["duplicates"]:
            groups[record.json["x_copydesk"]["duplicate"]["of"]].add(record.key)
        return {frozenset(group) for group in groups.values()}


def read(bootstrap: str, prefix: str) -> Topics:
    """Every committed record of raw and the outcome topics."""
    return Topics({name: _read_topic(bootstrap, f"{prefix}.{name}") for name in ("raw", *OUTCOMES)})


def read_claims(bootstrap: str, prefix: str) -> list[bytes]:
    """The values of the claim log, in order."""
    return [record.value for record in _read_topic(bootstrap, f"{prefix}.claims")]


def hanging(bootstrap: str, prefix: str) -> dict[str, int]:
    """Records that an open transaction holds up, by topic; none where every transaction was ended."""
    found: dict[str, int] = {}
    committed = reader(bootstrap)
    everything = reader(bootstrap, **{"isolation.level": "read_uncommitted"})
    for topic in (f"{prefix}.{name}" for name in ("raw", "files", *OUTCOMES)):
        for number in committed.list_topics(topic, timeout=_PATIENCE_SECONDS).topics[topic].partitions:
            place = TopicPartition(topic, number)
            _, stable = committed.get_watermark_offsets(place, timeout=_PATIENCE_SECONDS)
            _, end = everything.get_watermark_offsets(place, timeout=_PATIENCE_SECONDS)
            if end != stable:
                found[topic] = found.get(topic, 0) + end - stable
    committed.close()
    everything.close()
    return found


def reader(bootstrap: str, **more: object) -> Consumer:
    """A consumer without a group of its own that sees committed records only."""
    settings = {
        "bootstrap.servers": bootstrap,
        "group.id": "oracle",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        # That a killed broker is back this client may only notice when it next asks who leads: after five minutes, left
        # to itself.
        "topic.metadata.refresh.interval.ms": 2_000,
        "log_level": 0,
    }
    return Consumer({**settings, **more})


def stream(bootstrap: str, topic: str) -> Iterator[Record]:
    """Every committed record of `topic`, from the beginning to its end as of now, one at a time."""
    consumer = reader(bootstrap, **{"enable.partition.eof": True})
    try:
        partitions = consumer.list_topics(topic, timeout=_PATIENCE_SECONDS).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        yield from _drain(consumer, set(partitions))
    finally:
        consumer.close()


def _read_topic(bootstrap: str, topic: str) -> list[Record]:
    return list(stream(bootstrap, topic))


def _drain(consumer: Consumer, open_partitions: set[int]) -> Iterator[Record]:
    while open_partitions:
        message = consumer.poll(_PATIENCE_SECONDS)
        assert message is not None, f"no answer while partitions {open_partitions} are not read to their end"
        if message.error():
            assert message.error().name() == "_PARTITION_EOF", message.error()
            open_partitions.discard(message.partition())
            continue
        headers = {name: value.decode() for name, value in message.headers() or ()}
        yield Record((message.key() or b"").decode(), message.value() or b"", headers)
