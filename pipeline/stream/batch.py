"""A batch: one raw partition's records as they pass through the four stages, and where they came from.

Each stage takes the batch of the stage before and gives the next one; the names say which hop it is on:
Delivered → Normalised → Judged → Tagged. `Origin` travels along, so that the sink knows what to commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition

from pipeline.records import Article, Rejected, Tags, Verdict
from pipeline.stages.deduplicate import Fingerprint


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a batch stands in its partition."""

    tp: TopicPartition
    epoch: int
    """Which assignment of the partition delivered it; a batch of an earlier one is stale."""
    number: int
    """Counts the batches of one epoch from 0; the sink commits them in this order or not at all."""
    first_offset: int
    """Offset of the first record in the batch."""
    last_offset: int
    """Offset of the last record in the batch; what is committed is one more: the next to read."""
    size: int
    """Records in the batch."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """As it came from Kafka."""

    origin: Origin
    records: Sequence[ConsumerRecord]


@dataclass(frozen=True, slots=True)
class Normalised:
    """Clean articles with their fingerprints, and those set aside."""

    origin: Origin
    articles: Sequence[Article]
    fingerprints: Sequence[Fingerprint]
    rejected: Sequence[Rejected]


@dataclass(frozen=True, slots=True)
class Judged:
    """Articles with the claim log's verdict on each."""

    origin: Origin
    articles: Sequence[Article]
    verdicts: Sequence[Verdict]
    rejected: Sequence[Rejected]


@dataclass(frozen=True, slots=True)
class Tagged:
    """Everything that the sink writes. `tags` is None for duplicates: tagging runs on originals only."""

    origin: Origin
    articles: Sequence[Article]
    verdicts: Sequence[Verdict]
    tags: Sequence[Tags | None]
    rejected: Sequence[Rejected]
