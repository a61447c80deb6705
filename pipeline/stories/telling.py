"""`copydesk stories`: follow enriched and duplicates, and say what each story has come to.

One transaction holds the changed stories and how far both topics were read, so that nothing is counted twice or left
out, whenever this process is killed. The topic is its own memory. Order on start: the transactional producer is
initialised first, which fences whoever told the stories before; then the stories are read back, then the offsets.

There is one at a time. Whoever starts last takes over; the one before then stands by, and takes over again where
nobody has got on for a minute.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from pipeline.clock import Clock
from pipeline.cluster import committed_offsets
from pipeline.errors import BrokerUnreachableError
from pipeline.kafka import administrator, client_options, max_record_bytes, refused
from pipeline.metrics import Meter
from pipeline.reader import batches, end_offsets, need_partitions, reading
from pipeline.settings import Settings
from pipeline.stories.story import Shelf
from pipeline.topics import claims_kept_ms, topic_name
from pipeline.transactions import drop, transact

logger = logging.getLogger(__name__)

Report = Callable[[Mapping[str, Any]], None]
Offsets = dict[TopicPartition, int]

_COUNTED = ("enriched", "duplicates")
_FETCH_BYTES = 8 << 20
_BATCH_BYTES = 1 << 20
_MOST_RECORDS = 2000
_POLL_MS = 200
_FORGET_SECONDS = 60.0
_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 1.0
_TRANSACTION_MS = 30_000
_TROUBLE = (KafkaError, OSError, TimeoutError, BrokerUnreachableError)


async def tell(settings: Settings, clock: Clock, meter: Meter, report: Report, stop: asyncio.Event) -> None:
    """Tell the stories until `stop` is set. The topics must exist.

    `report` is called at each step with `ready`, `why` (not ready), `idle` (all that is committed is counted) and
    `stories` (how many may still get articles). A broker that does not answer is waited for. Raises AccessRefusedError
    where Kafka does not let us.
    """
    while not stop.is_set():
        try:
            async with _opened(settings, clock, meter) as teller:
                while not stop.is_set():
                    await teller.step()
                    report({"ready": True, "idle": teller.idle, "stories": len(teller.shelf)})
        except (ProducerFenced, InvalidProducerEpoch):
            logger.warning("another `copydesk stories` took over; standing by")
            await _stand_by(settings, clock, report, stop)
        except _TROUBLE as error:
            if refusal := refused(settings, error):
                raise refusal from error
            logger.warning("stories: %r; beginning again", error)
            report({"ready": False, "why": f"Kafka at {settings.broker} does not answer: {error!r}", "idle": False})
            await _pause(stop, _PAUSE_SECONDS)


@asynccontextmanager
async def _opened(settings: Settings, clock: Clock, meter: Meter) -> AsyncIterator[Teller]:
    producer = AIOKafkaProducer(
        **client_options(settings),
        transactional_id=f"{settings.group}-stories",
        transaction_timeout_ms=_TRANSACTION_MS,
        max_batch_size=_BATCH_BYTES,
        max_request_size=max_record_bytes(settings),
        retry_backoff_ms=5,
    )
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await producer.start()
        shelf = await _read_back(settings, clock)
        offsets = await _committed(settings, clock)
        async with reading(settings, offsets, max_partition_fetch_bytes=_FETCH_BYTES) as consumer:
            for partition, offset in offsets.items():
                if offset >= 0:
                    consumer.seek(partition, offset)
            yield Teller(settings, clock, meter, producer, consumer, shelf)
    finally:
        await drop(producer)


async def _read_back(settings: Settings, clock: Clock) -> Shelf:
    """The stories as the topic has them."""
    shelf = Shelf()
    partitions = (await need_partitions(settings, ["stories"]))["stories"]
    ends = await end_offsets(settings, partitions)
    async with reading(settings, partitions, max_partition_fetch_bytes=_FETCH_BYTES) as consumer:
        async for records in batches(consumer, clock, ends):
            for record in records:
                shelf.put(record.key.decode(), record.value, record.timestamp)
    return shelf


async def _committed(settings: Settings, clock: Clock) -> Offsets:
    """For each partition that is counted the next offset to be read; -1: from the beginning."""
    found = await need_partitions(settings, _COUNTED)
    partitions = [partition for name in _COUNTED for partition in found[name]]
    async with administrator(settings) as admin:
        committed = await committed_offsets(admin, _group(settings), partitions, clock)
    return {partition: committed[partition].offset for partition in partitions}


def _group(settings: Settings) -> str:
    return f"{settings.group}-stories"


class Teller:
    """Counts, and commits what it has counted."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        meter: Meter,
        producer: AIOKafkaProducer,
        consumer: AIOKafkaConsumer,
        shelf: Shelf,
    ) -> None:
        self._settings, self._clock, self._meter = settings, clock, meter
        self._producer, self._consumer = producer, consumer
        self._topic = topic_name(settings.prefix, "stories")
        self._kept_ms = claims_kept_ms(settings.window_seconds)
        self._read: Offsets = {}
        self._times: Offsets = {}
        self._swept = clock.monotonic()
        self.shelf = shelf
        self.idle = False
        """Whether all that is committed was counted, as far as is known."""

    async def step(self) -> None:
        """Read what there is, count it, and commit. Raises KafkaError, OSError or TimeoutError; then begin again."""
        fetched = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_MOST_RECORDS)
        records = [record for some in fetched.values() for record in some]
        # The position, not the last record's offset: markers of transactions lie between.
        read = {partition: await self._consumer.position(partition) for partition in self._consumer.assignment()}
        if read != self._read:
            changed = self.shelf.add(_articles(records))
            await transact(self._producer, self._write(changed, read))
            self._remember(changed, records, read)
        behind = [self._behind(partition, offset) for partition, offset in read.items()]
        self.idle = not records and all(count == 0 for count in behind)
        self._meter.set("stories_lag_messages", sum(count or 0 for count in behind))
        self._meter.set("stories_last_success_timestamp_seconds", self._clock.now().timestamp())
        self._sweep()

    def _behind(self, partition: TopicPartition, offset: int) -> int | None:
        """How many offsets are ahead of ours; None: not known yet."""
        end = self._consumer.last_stable_offset(partition)
        return None if end is None or end < 0 else max(0, end - offset)

    async def _write(self, changed: Mapping[str, bytes], read: Offsets) -> None:
        await self._producer.begin_transaction()
        sent = await self._send(changed)
        offsets = {partition: OffsetAndMetadata(offset, "") for partition, offset in read.items()}
        await self._producer.send_offsets_to_transaction(offsets, _group(self._settings))
        await asyncio.gather(*sent)
        await self._producer.commit_transaction()

    async def _send(self, changed: Mapping[str, bytes]) -> list[asyncio.Future[Any]]:
        sent: list[asyncio.Future[Any]] = []
        rest = list(changed.items())
        while rest:
            batch = self._producer.create_batch()
            while rest and batch.append(key=rest[-1][0].encode(), value=rest[-1][1], timestamp=None) is not None:
                rest.pop()
            batch.close()
            outcome = await self._producer.send_batch(batch, self._topic, partition=0)
            # The first failure is raised; those after it are read here, or asyncio would complain about each.
            outcome.add_done_callback(lambda done: done.cancelled() or done.exception())
            sent.append(outcome)
        return sent

    def _remember(self, changed: Mapping[str, bytes], records: Sequence[ConsumerRecord], read: Offsets) -> None:
        self._read = read
        for record in records:
            self._times[TopicPartition(record.topic, record.partition)] = record.timestamp
        touched_ms = max((record.timestamp for record in records), default=0)
        for key, value in changed.items():
            self.shelf.put(key, value, touched_ms)
        self._meter.add("stories_counted_total", len(records))
        self._meter.add("stories_told_total", len(changed))
        self._meter.set("stories_known", len(self.shelf))

    def _sweep(self) -> None:
        """Let go of stories that get no more articles: nothing is linked to what left the windows."""
        if self._clock.monotonic() - self._swept < _FORGET_SECONDS:
            return
        self._swept = self._clock.monotonic()
        now_ms = int(self._clock.now().timestamp() * 1000)
        read_ms = now_ms if self.idle else min(self._times.values(), default=0)
        self.shelf.forget(min(now_ms, read_ms) - self._kept_ms)


def _articles(records: Sequence[ConsumerRecord]) -> Iterator[Mapping[str, Any]]:
    for record in records:
        try:
            article = orjson.loads(record.value)
            article["x_copydesk"]["id"], article["firstCreated"], article["language"], article["headlines"][0]["value"]
        except (ValueError, KeyError, TypeError, IndexError) as error:
            logger.warning("%s partition %d offset %d is no article of ours (%r)", *_where(record), error)
            continue
        yield article


def _where(record: ConsumerRecord) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset


async def _stand_by(settings: Settings, clock: Clock, report: Report, stop: asyncio.Event) -> None:
    """Return when whoever took over has not got on for a minute although there is something to count."""
    seen: Offsets = {}
    since = clock.monotonic()
    while not stop.is_set() and clock.monotonic() - since < _PATIENCE_SECONDS:
        committed, behind = await _standing(settings, clock)
        if committed != seen or not behind:
            seen, since = committed, clock.monotonic()
        report({"ready": True, "idle": not behind, "stories": 0})
        await _pause(stop, _PAUSE_SECONDS)


async def _standing(settings: Settings, clock: Clock) -> tuple[Offsets, int]:
    """How far the other one is, and how much is ahead of it."""
    try:
        committed = await _committed(settings, clock)
        ends = await end_offsets(settings, list(committed))
    except _TROUBLE:
        return {}, 0
    return committed, sum(end - max(committed[partition], 0) for partition, end in ends.items())


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
