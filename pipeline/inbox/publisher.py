"""The transaction of `watch`: a run of raw and rejected records together with the ledger records that tell of it.

Order on start: the transactional producer is initialised first, which fences the former watcher of this inbox and
ends whatever it left open; then our name is written into the ledger topic; then the ledger is read up to that
name. So nothing can be committed for this inbox that we have not read.

After any error the outcome of the transaction is unknown and the publisher is spent: close it, open another one,
and the ledger tells.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.inbox.ledger import Ledger
from pipeline.inbox.reading import read_ledger, record_limits
from pipeline.inbox.splitters import Limits
from pipeline.inbox.taking import Run
from pipeline.kafka import client_options, max_record_bytes
from pipeline.settings import Settings
from pipeline.topics import topic_name
from pipeline.transactions import drop, transact

# Just below the 1 MiB that a topic takes unless told otherwise.
_BATCH_BYTES = 1_000_000
# A transaction takes a fraction of a second. One that a killed watcher left open holds up every read_committed
# reader until this has passed (or until we start again), so it is half of Kafka's default.
_TRANSACTION_MS = 30_000
_PATIENCE_SECONDS = 20.0
_STOP_SECONDS = 3.0


class Publisher:
    """One watcher's hold on one inbox. `owner` is this watcher's name, `label` the inbox's."""

    def __init__(self, settings: Settings, label: str, owner: str) -> None:
        self._settings = settings
        self._label = label
        self._owner = owner
        self._raw, self._rejected, self._files = (
            topic_name(settings.prefix, name) for name in ("raw", "rejected", "files")
        )
        self._producer: Any = None
        self._lost = False

    async def open(self) -> Ledger:
        """Take the inbox over and return its ledger. Raises KafkaError, OSError or TimeoutError."""
        self._producer = AIOKafkaProducer(
            **client_options(self._settings),
            transactional_id=f"{self._settings.group}-watch-{self._label}",
            transaction_timeout_ms=_TRANSACTION_MS,
            max_batch_size=_BATCH_BYTES,
            max_request_size=max_record_bytes(self._settings),
            # The first send after a commit is often told to try again at once.
            retry_backoff_ms=5,
        )
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self._producer.start()
        await self._transact([(self._files, Ledger(self._label).owner_key, self._owner.encode(), [])])
        return await read_ledger(self._settings, self._label, self._owner)

    async def limits(self) -> Limits:
        """What is too much, by the settings and by what the topics take. Raises KafkaError or OSError."""
        raw, rejected = await record_limits(self._settings, self._raw, self._rejected)
        return Limits(
            article_bytes=min(self._settings.max_article_bytes, raw),
            file_bytes=self._settings.max_file_bytes,
            kept_bytes=min(2 * self._settings.max_article_bytes, rejected),
            ratio=self._settings.max_unpacked_ratio,
            unpacked_bytes=self._settings.max_unpacked_bytes,
        )

    async def commit(self, run: Run, time: str) -> None:
        """Publish the run, whole or not at all. `time` (RFC 3339) goes into the ledger.

        Raises aiokafka's ProducerFenced where another producer took over, else KafkaError, OSError or TimeoutError.
        """
        key = Ledger(self._label).key
        await self._transact(
            [
                *((self._raw, raw.id.encode(), raw.content, raw.headers()) for raw in run.raw),
                *((self._rejected, bad.key.encode(), bad.content, bad.headers()) for bad in run.rejected),
                *((self._files, key(look.path), known.to_json(time), []) for look, known in run.ledger),
            ]
        )

    async def close(self) -> None:
        """Disconnect; what was not committed is aborted, at the latest by whoever opens next. Never hangs."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        if not self._lost:
            # An open transaction would hold up every reader. Where it was the commit that failed, this does nothing.
            with suppress(Exception):
                async with asyncio.timeout(_STOP_SECONDS):
                    await producer.abort_transaction()
        await drop(producer)

    async def _transact(self, records: Iterable[_Record]) -> None:
        """One transaction; a producer that failed in one is lost."""
        try:
            await transact(self._producer, self._begin_send_commit(records))
        except (KafkaError, OSError, TimeoutError):
            self._lost = True
            raise

    async def _begin_send_commit(self, records: Iterable[_Record]) -> None:
        await self._producer.begin_transaction()
        await self._send(records)
        await self._producer.commit_transaction()

    async def _send(self, records: Iterable[_Record]) -> None:
        """Send all records, a batch a partition; return once the broker has them."""
        counts = {topic: len(await self._producer.partitions_for(topic)) for topic in (self._raw, self._rejected)}
        # The order of the ledger is what counts, so it lives on one partition whatever the topic has.
        counts[self._files] = 1
        batches: dict[tuple[str, int], Any] = {}
        sent: list[asyncio.Future[Any]] = []
        for topic, key, value, headers in records:
            # Any even hash will do, as nothing relies on where a key lies; aiokafka's murmur2 in Python costs 12 µs.
            place = (topic, zlib.crc32(key) % counts[topic])
            batch = batches.get(place)
            if batch is not None and batch.append(timestamp=None, key=key, value=value, headers=headers):
                continue
            if batch is not None:
                sent.append(await self._submit(batch, *place))
            batches[place] = batch = self._producer.create_batch()
            batch.append(timestamp=None, key=key, value=value, headers=headers)
        for place, batch in batches.items():
            sent.append(await self._submit(batch, *place))
        await asyncio.gather(*sent)

    async def _submit(self, batch: Any, topic: str, partition: int) -> asyncio.Future[Any]:
        outcome: asyncio.Future[Any] = await self._producer.send_batch(batch, topic, partition=partition)
        # The first failure is raised; those after it are read here, or asyncio would complain about each.
        outcome.add_done_callback(lambda done: done.cancelled() or done.exception())
        return outcome


_Record = tuple[str, bytes, bytes, list[tuple[str, bytes]]]
