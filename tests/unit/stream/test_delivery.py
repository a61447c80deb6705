"""Batch delivery: how records are cut into numbered batches, and how the size follows the cost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from pipeline.stream.delivery import BatchDelivery, Deliveries, Pace

TP = TopicPartition("articles.raw", 2)


def records(*offsets: int) -> list[ConsumerRecord]:
    return [ConsumerRecord(TP.topic, TP.partition, offset, 0, 0, b"k", b"v", None, 1, 1, ()) for offset in offsets]


def test_pace_begins_careful_and_grows_with_cheap_articles() -> None:
    pace = Pace(target_seconds=0.5, most=500)
    first = pace.size
    for _ in range(20):
        pace.observe(100, 0.02)
    assert (first, pace.size) == (50, 500)


def test_pace_never_goes_below_one_article() -> None:
    pace = Pace(target_seconds=0.5, most=500)
    for _ in range(20):
        pace.observe(1, 8.0)
    assert pace.size == 1


def test_pace_learns_nothing_from_an_empty_batch() -> None:
    pace = Pace(target_seconds=0.5, most=500)
    pace.observe(0, 3.0)
    assert pace.size == 50


def test_batches_carry_the_offset_of_their_last_record_and_count_up() -> None:
    deliveries = Deliveries()
    epoch = deliveries.begin_epoch()
    found = [
        *deliveries.batches(TP, records(7, 8, 9, 12, 13), lambda: 2),
        *deliveries.batches(TP, records(20), lambda: 2),
    ]
    assert [(b.origin.number, b.origin.last_offset, b.origin.size) for b in found] == [
        (0, 8, 2),
        (1, 12, 2),
        (2, 13, 1),
        (3, 20, 1),
    ]
    assert {b.origin.epoch for b in found} == {epoch}


def test_a_new_epoch_counts_from_zero_and_differs() -> None:
    deliveries = Deliveries()
    first = deliveries.begin_epoch()
    list(deliveries.batches(TP, records(1, 2), lambda: 1))
    second = deliveries.begin_epoch()
    (batch,) = deliveries.batches(TP, records(1), lambda: 1)
    assert second != first
    assert (batch.origin.epoch, batch.origin.number) == (second, 0)


class Faust:
    """What `on_buffer_drop` does there."""

    active: set[TopicPartition]
    _buffered_partitions: set[TopicPartition]

    def on_buffer_drop(self, tp: TopicPartition) -> None:
        self.active.add(tp)
        self._buffered_partitions.discard(tp)


class Consumer(BatchDelivery, Faust):
    """As much of Faust's consumer as `getmany` uses: it has fetched `records`, and may be told to hold still."""

    def __init__(self, fetched: Sequence[ConsumerRecord]) -> None:
        self.deliveries, self.pace = Deliveries(), Pace(0.5, 1)
        self.should_stop, self.flow_active = False, True
        self._fetched = fetched
        self._buffered_partitions, self.active = set[TopicPartition](), {TP}
        self.held, self.waited = 0, 0.0
        self.assigned = self.sought = 0
        self._thread = self

    async def call_thread(self, work: Any) -> None:
        assert work == self._seek
        self.sought += 1

    async def _wait_next_records(self, timeout: float) -> Any:
        for _ in range(self.assigned):
            self.deliveries.begin_epoch()
        assert self.active, "Faust would sleep for a second"
        self.waited = timeout
        return {TP: self._fetched}, None

    def _get_active_partitions(self) -> set[TopicPartition]:
        return self.active

    async def wait_first(self, freed: asyncio.Event, timeout: float) -> None:
        """The third time, the stage takes the batch that it had not taken yet."""
        assert not freed.is_set(), "a partition that is free already is waited for"
        self.held += 1
        if self.held == 3:
            self.on_buffer_drop(TP)
        assert self.held != 3 or freed.is_set()

    def _to_message(self, tp: TopicPartition, record: ConsumerRecord) -> Any:
        return type("Message", (), {"offset": record.offset})()

    def got(self) -> list[tuple[int, int]]:
        """Numbers and last offsets of what is handed on."""

        async def all_of_it() -> list[tuple[int, int]]:
            return [(m.value.origin.number, m.value.origin.last_offset) async for _, m in self.getmany(1.0)]

        return asyncio.run(all_of_it())


def test_what_is_fetched_while_the_flow_stands_still_uses_up_no_number() -> None:
    consumer = Consumer(records(7, 8))
    consumer.deliveries.begin_epoch()
    consumer.flow_active = False
    assert consumer.got() == []
    consumer.flow_active = True
    assert consumer.got() == [(0, 7), (1, 8)]


def test_a_partition_that_was_held_back_is_asked_for_as_soon_as_it_may_be() -> None:
    consumer = Consumer(records(7))
    consumer._buffered_partitions, consumer.active = {TP}, set()
    assert consumer.got() == [(0, 7)]
    assert (consumer.held, consumer.waited) == (3, 1.0)


def test_a_worker_that_stops_waits_for_no_partition() -> None:
    consumer = Consumer(records(7))
    consumer._buffered_partitions, consumer.active = {TP}, set()
    consumer.should_stop = True
    assert (consumer.got(), consumer.held) == ([], 0)


def test_a_fetch_that_leaves_a_partition_out_is_short() -> None:
    consumer = Consumer(records(7))
    consumer._buffered_partitions = {TP}
    consumer.got()
    assert consumer.waited < 0.05


def test_what_was_fetched_while_partitions_were_handed_out_is_read_again() -> None:
    consumer = Consumer(records(7, 8))
    consumer.assigned = 1
    assert (consumer.got(), consumer.sought) == ([], 1)
    consumer.assigned = 0
    assert (consumer.got(), consumer.sought) == ([(0, 7), (1, 8)], 1)


class Seeking(BatchDelivery):
    """As much of Faust's and aiokafka's consumers as seeking uses; the third partition has left meanwhile."""

    def __init__(self, committed: Mapping[TopicPartition, int]) -> None:
        self.deliveries, self.places = Deliveries(), dict[TopicPartition, int | None]()
        self._thread = self._consumer = self
        self._committed = committed

    async def fence(self, tps: set[TopicPartition], epoch: int) -> Mapping[TopicPartition, int]:
        return self._committed

    def assignment(self) -> set[TopicPartition]:
        return set(list(self._committed)[:2])

    async def call_thread(self, work: Any) -> None:
        await work()

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.places[tp] = offset

    async def seek_to_beginning(self, *tps: TopicPartition) -> None:
        self.places.update(dict.fromkeys(tps))


def test_partitions_are_read_from_where_the_fence_says() -> None:
    one, two, gone = (TopicPartition("articles.raw", number) for number in range(3))
    consumer = Seeking({one: 7, two: 0, gone: 9})
    assert asyncio.run(consumer.seek_to_committed()) == {one: 7, two: None, gone: 9}
    assert consumer.places == {one: 7, two: None}
