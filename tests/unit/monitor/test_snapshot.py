import pytest

from pipeline.monitor.snapshot import Entry, Lag, LedgerSums, Received, Snapshot
from pipeline.settled import Settled


def test_a_later_record_of_a_file_takes_the_place_of_the_earlier_one() -> None:
    sums = LedgerSums()
    sums.apply(b"inbox/a.jsonl", Entry(500, 1, False))
    sums.apply(b"inbox/b.txt", Entry(1, 0, True))
    assert sums.received == Received(articles=501, rejected=1, files=1)
    sums.apply(b"inbox/a.jsonl", Entry(1200, 3, True))
    assert sums.received == Received(articles=1201, rejected=3, files=2)


def test_a_file_that_is_read_again_is_not_published_until_it_is_done_again() -> None:
    sums = LedgerSums()
    sums.apply(b"inbox/a.txt", Entry(1, 0, True))
    sums.apply(b"inbox/a.txt", Entry(1, 0, False))
    assert sums.received == Received(articles=1, rejected=0, files=0)


@pytest.mark.parametrize(
    ("metadata", "settled"),
    [
        ('{"enriched": 7, "duplicates": 2, "rejected": 1}', Settled(7, 2, 1)),
        ('{"enriched": 7}', Settled(7, 0, 0)),
        ("", Settled()),
        ("somebody's note", Settled()),
        ("[1, 2]", Settled()),
        ('{"enriched": "many"}', Settled()),
        ('{"enriched": null}', Settled()),
    ],
)
def test_counts_come_from_the_metadata_of_the_offset(metadata: str, settled: Settled) -> None:
    assert Settled.decode(metadata) == settled


def test_what_came_in_and_not_out_is_in_flight() -> None:
    books = Snapshot(Received(10, 2, 3), Settled(5, 2, 1), {0: Lag(2, 4.0), 1: Lag(0, 0.0), 3: Lag(1, 9.5)})
    assert (books.received, books.enriched, books.duplicates, books.rejected) == (10, 5, 2, 1)
    assert (books.watch_rejected, books.files_published) == (2, 3)
    assert books.in_flight == 2
    assert not books.balanced
    assert (books.lag_messages, books.lag_seconds) == (3, 9.5)
    assert books.leak == 0


def test_books_balance_when_all_has_come_out() -> None:
    books = Snapshot(Received(10), Settled(7, 2, 1), {0: Lag()})
    assert books.balanced
    assert books.leak == 0
    assert books.as_dict()["balanced"] is True


def test_a_leak_is_what_is_in_flight_with_nothing_left_to_read() -> None:
    assert Snapshot(Received(10), Settled(7, 2, 0), {0: Lag()}).leak == 1


def test_what_came_out_twice_is_a_leak_at_any_time() -> None:
    assert Snapshot(Received(1), Settled(2, 0, 0), {0: Lag(1, 1.0)}).leak == -1


def test_empty_books_balance() -> None:
    assert Snapshot().balanced
    assert Snapshot().lag_seconds == 0.0
