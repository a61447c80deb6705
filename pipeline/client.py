"""Read what Copydesk writes, as typed records.

    async for article in enriched("127.0.0.1:9092", group="my-reader"):
        print(article.headline, article.language)

Each function reads one topic `read_committed`, and goes on where its group left off. An article is done when the loop
asks for the next one; what is done is committed every second and when the loop ends. So nothing is passed over, and
after a crash (or a `break`) the last articles come once more: at least once, as far as your own work is concerned.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from pipeline.clock import Clock, SystemClock
from pipeline.kafka import asking, client_options
from pipeline.settings import Settings, given
from pipeline.topics import topic_name
from pipeline.transactions import leave

logger = logging.getLogger(__name__)

_COMMIT_SECONDS = 1.0
_MOST_RECORDS = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Where:
    """Where a record stands."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    """When it was written, milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Article:
    """One record of the enriched or duplicates topic. A text that the article does not state is empty."""

    id: str
    headline: str
    body: str
    """Paragraphs parted by one blank line."""
    language: str
    """BCP 47; `und`: not known."""
    source: str
    """Inbox-relative path, percent-encoded."""
    received: str
    """When its file was read, RFC 3339 UTC."""
    published: str
    """The article's own date, RFC 3339 UTC."""
    people: tuple[str, ...]
    organisations: tuple[str, ...]
    places: tuple[str, ...]
    topics: tuple[str, ...]
    """Labels of IPTC Media Topics, best first."""
    keywords: tuple[str, ...]
    revision_of: str
    """Id of the version before, where this is a revision."""
    duplicate_of: str
    """Id of the original, where this is a duplicate."""
    story: str
    """Id of the first article of the story that it belongs to, its own where it is the first; empty where the record
    was written before stories were known."""
    similarity: float
    """To that original, 0..1; 0.0 where this is no duplicate."""
    record: dict[str, Any] = field(repr=False)
    """All of it: IPTC ninjs 3.1 with `x_copydesk`, as `pipeline/schema/article.schema.json` describes."""
    where: Where


@dataclass(frozen=True, slots=True)
class Story:
    """One record of the stories topic: what a story had come to by then. A later record of its id replaces it."""

    id: str
    """Of the article that began it; `Article.story` names it."""
    size: int
    """Articles, duplicates included."""
    duplicates: int
    first_seen: str
    """When the first of its articles was received, RFC 3339 UTC."""
    last_seen: str
    headline: str
    languages: dict[str, int]
    """How many enriched articles are in each, by BCP 47 code, most first."""
    where: Where


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record of the rejected topic."""

    content: bytes = field(repr=False)
    """The original bytes."""
    reason: str
    error: str
    """One sentence."""
    stage: str
    source: str
    position: int
    attempts: int
    where: Where


def enriched(broker: str | Settings, group: str, clock: Clock | None = None) -> AsyncGenerator[Article, None]:
    """Articles of the enriched topic, for ever. `broker`: HOST:PORT, or Settings for a prefix, TLS and a login.

    Leave it early through `contextlib.aclosing`, so that what is done is committed there and then.
    Raises SettingError where `broker` is no address, BrokerUnreachableError where Kafka does not answer at first,
    AccessRefusedError where it does not let us.
    Records that are not of Copydesk's making are logged and passed over.
    """
    return _read(broker, "enriched", group, _article, clock or SystemClock())


def duplicates(broker: str | Settings, group: str, clock: Clock | None = None) -> AsyncGenerator[Article, None]:
    """As `enriched`, for the duplicates topic; those articles have no tags."""
    return _read(broker, "duplicates", group, _article, clock or SystemClock())


def stories(broker: str | Settings, group: str, clock: Clock | None = None) -> AsyncGenerator[Story, None]:
    """As `enriched`, for the stories topic: one record a change, so keep the last one of each id."""
    return _read(broker, "stories", group, _story, clock or SystemClock())


def rejected(broker: str | Settings, group: str, clock: Clock | None = None) -> AsyncGenerator[DeadLetter, None]:
    """As `enriched`, for the rejected topic."""
    return _read(broker, "rejected", group, _dead_letter, clock or SystemClock())


async def _read(
    broker: str | Settings, name: str, group: str, parse: Callable[[ConsumerRecord], T], clock: Clock
) -> AsyncGenerator[T, None]:
    settings = broker if isinstance(broker, Settings) else given(broker=broker)
    consumer = AIOKafkaConsumer(
        topic_name(settings.prefix, name),
        **client_options(settings),
        group_id=group,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    done: dict[TopicPartition, int] = {}
    try:
        with asking(settings):
            await consumer.start()
        due = clock.monotonic() + _COMMIT_SECONDS
        while True:
            batches = await consumer.getmany(timeout_ms=int(_COMMIT_SECONDS * 1000), max_records=_MOST_RECORDS)
            for partition, records in batches.items():
                for record in records:
                    found = _parsed(parse, record)
                    if found is not None:
                        yield found
                    # Kafka keeps the next offset to read. Only here, asked for the next one, is this one done.
                    done[partition] = record.offset + 1
                    if clock.monotonic() >= due:
                        due = clock.monotonic() + _COMMIT_SECONDS
                        await _commit(consumer, done)
            await _commit(consumer, done)
    finally:
        try:
            await _commit(consumer, done)
        finally:
            await leave(consumer)


async def _commit(consumer: AIOKafkaConsumer, done: dict[TopicPartition, int]) -> None:
    """Commit what is done on partitions that are still ours; of others, whoever has them now reads it again."""
    ours = {tp: offset for tp, offset in done.items() if tp in consumer.assignment()}
    done.clear()
    if ours:
        try:
            await consumer.commit(ours)
        except (CommitFailedError, IllegalStateError) as error:
            logger.info("handed on to another reader of the group: %s", error)


def _parsed(parse: Callable[[ConsumerRecord], T], record: ConsumerRecord) -> T | None:
    try:
        return parse(record)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        logger.warning(
            "%s, partition %d, offset %d is no record of Copydesk (%r); passed over",
            record.topic, record.partition, record.offset, error,
        )  # fmt: skip
        return None


def _article(record: ConsumerRecord) -> Article:
    value = orjson.loads(record.value)
    ours = value["x_copydesk"]
    duplicate = ours.get("duplicate") or {}
    return Article(
        id=ours["id"],
        headline=value["headlines"][0]["value"],
        body=value["bodies"][0]["value"],
        language=value["language"],
        source=ours["source"],
        received=value["firstCreated"],
        published=value.get("contentCreated", ""),
        people=_names(value.get("people")),
        organisations=_names(value.get("organisations")),
        places=_names(value.get("places")),
        topics=_names(value.get("subjects")),
        keywords=tuple(ours.get("keywords") or ()),
        revision_of=(ours.get("revision") or {}).get("of", ""),
        duplicate_of=duplicate.get("of", ""),
        story=ours.get("story", ""),
        similarity=float(duplicate.get("similarity", 0.0)),
        record=value,
        where=_where(record),
    )


def _story(record: ConsumerRecord) -> Story:
    value = orjson.loads(record.value)
    return Story(
        id=value["story"],
        size=int(value["size"]),
        duplicates=int(value["duplicates"]),
        first_seen=value["first_seen"],
        last_seen=value["last_seen"],
        headline=value["headline"],
        languages=dict(value["languages"]),
        where=_where(record),
    )


def _dead_letter(record: ConsumerRecord) -> DeadLetter:
    have = {name: text.decode("utf-8", "backslashreplace") for name, text in record.headers}
    return DeadLetter(
        content=record.value or b"",
        reason=have["reason"],
        error=have["error"],
        stage=have["stage"],
        source=have["source"],
        position=int(have["position"]),
        attempts=int(have.get("attempts", "1")),
        where=_where(record),
    )


def _names(found: list[dict[str, Any]] | None) -> tuple[str, ...]:
    return tuple(one["name"] for one in found or ())


def _where(record: ConsumerRecord) -> Where:
    return Where(record.topic, record.partition, record.offset, record.timestamp)
