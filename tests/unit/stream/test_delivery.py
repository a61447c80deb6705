"""Batch delivery: how records are cut into numbered batches, and how the size follows the cost."""

from __future__ import annotations

from aiokafka import ConsumerRecord, TopicPartition

from pipeline.stream.delivery import Deliveries, Pace

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
