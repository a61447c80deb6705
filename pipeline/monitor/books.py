"""Reads the books from Kafka: the ledger topic, the committed offsets with their counts, and the lag."""

from __future__ import annotations

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from pipeline.clock import Clock, SystemClock
from pipeline.cluster import committed_offsets, partitions_of
from pipeline.errors import BrokerUnreachableError
from pipeline.inbox.ledger import Known
from pipeline.kafka import asking, client_options
from pipeline.metrics import Meter
from pipeline.monitor.peek import Peek
from pipeline.monitor.snapshot import Entry, LedgerSums, Snapshot
from pipeline.reader import batches, reader
from pipeline.settings import Settings
from pipeline.settled import Settled
from pipeline.topics import OUTCOMES, topic_name
from pipeline.transactions import leave

_STALLED_SECONDS = 10.0


class Books:
    """Follows the books of one prefix. Call `refresh` as often as you like, then `stop`.

    The first refresh reads the whole ledger, later ones what is new in it. With a `meter` each refresh sets the
    gauges of the books and of the lag.
    """

    def __init__(self, settings: Settings, meter: Meter | None = None, clock: Clock | None = None) -> None:
        self._settings, self._meter = settings, meter
        self._clock = clock or SystemClock()
        self._raw = topic_name(settings.prefix, "raw")
        self._files = topic_name(settings.prefix, "files")
        self._admin = AIOKafkaAdminClient(**client_options(settings))
        self._ledger = reader(settings)
        self._peek = Peek(settings, self._clock)
        self._partitions: dict[str, list[TopicPartition]] = {}
        self._sums = LedgerSums()
        self._started = False

    async def start(self) -> None:
        """Connect, unless that is done; `refresh` does it too. Raises BrokerUnreachableError."""
        if self._started:
            return
        try:
            with asking(self._settings):
                await self._admin.start()
                await self._ledger.start()
                await self._peek.start()
            self._started = True
        except BrokerUnreachableError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Disconnect; may be called at any time."""
        await self._peek.stop()
        await leave(self._ledger)
        await self._admin.close()

    async def refresh(self) -> Snapshot:
        """The books now; a topic that is not there counts as empty. Raises BrokerUnreachableError."""
        await self.start()
        with asking(self._settings):
            await self._find_partitions()
            # Settled before received: in between more may come in, so nothing ever seems to come out of nowhere.
            offsets = await self._committed()
            await self._follow_ledger()
            lag = await self._peek.lag({tp: found.offset for tp, found in offsets.items()})
        settled = sum((Settled.decode(offset.metadata) for offset in offsets.values()), Settled())
        snapshot = Snapshot(self._sums.received, settled, lag)
        if self._meter:
            record(self._meter, self._settings, snapshot)
            self._meter.set("ledger_last_success_timestamp_seconds", self._clock.now().timestamp())
        return snapshot

    def _of(self, topic: str) -> list[TopicPartition]:
        return self._partitions.get(topic, [])

    async def _find_partitions(self) -> None:
        if self._of(self._raw) and self._of(self._files):
            return
        had_ledger = bool(self._of(self._files))
        self._partitions = await partitions_of(self._admin, (self._raw, self._files))
        if self._of(self._files) and not had_ledger:
            self._ledger.assign(self._of(self._files))
            await self._ledger.seek_to_beginning()

    async def _committed(self) -> dict[TopicPartition, OffsetAndMetadata]:
        raw = self._of(self._raw)
        return await committed_offsets(self._admin, self._settings.group, raw, self._clock) if raw else {}

    async def _follow_ledger(self) -> None:
        partitions = self._of(self._files)
        if not partitions:
            return
        ends = await self._ledger.end_offsets(partitions)
        async for records in batches(self._ledger, self._clock, ends, stalled_seconds=_STALLED_SECONDS):
            for found in records:
                entry = read_entry(found.key, found.value)
                if entry is not None:
                    self._sums.apply(found.key, entry)


def record(meter: Meter, settings: Settings, snapshot: Snapshot) -> None:
    """Set the gauges of the books and of the lag."""
    meter.set("ledger_received", snapshot.received)
    meter.set("ledger_watch_rejected", snapshot.watch_rejected)
    for outcome in OUTCOMES:
        meter.set("ledger_settled", getattr(snapshot.settled, outcome), outcome=outcome)
    raw = topic_name(settings.prefix, "raw")
    for partition, lag in snapshot.lag.items():
        labels = {"topic": raw, "partition": str(partition)}
        meter.set("consumer_lag_messages", lag.messages, **labels)
        meter.set("consumer_lag_seconds", lag.seconds, **labels)


def read_entry(key: bytes, value: bytes | None) -> Entry | None:
    """A ledger record as what it adds to the sums; None for those that speak of no file, and foreign ones."""
    if b"/" not in key or value is None:
        return None
    try:
        known = Known.from_json(value)
    except (ValueError, KeyError, TypeError):
        return None
    return Entry(known.published, known.rejected, known.state == "published")
