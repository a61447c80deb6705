"""What became of articles: adding up, and travelling as offset metadata."""

from __future__ import annotations

import pytest

from pipeline.settled import Settled


def test_counts_add_up_topic_by_topic() -> None:
    found = Settled(5, 2, 1).plus(["enriched", "duplicates", "enriched"])
    assert found == Settled(7, 3, 1)
    assert found.total == 11
    assert found.plus([]) == found
    assert sum([Settled(1), Settled(0, 1), Settled(0, 0, 1)], Settled()) == Settled(1, 1, 1)


def test_an_iterator_of_topics_is_counted_whole() -> None:
    assert Settled().plus(iter(["rejected", "enriched", "rejected"])) == Settled(1, 0, 2)


@pytest.mark.parametrize("found", [Settled(), Settled(1, 2, 3), Settled(10**12, 0, 7)])
def test_metadata_round_trip(found: Settled) -> None:
    assert Settled.decode(found.encode()) == found
    # Kafka's default limit for offset metadata.
    assert len(found.encode().encode()) < 4096


@pytest.mark.parametrize("foreign", ["", "faust", "[1,2]", '"x"', "null", '{"enriched":"many"}', '{"enriched":null}'])
def test_what_others_committed_counts_as_nothing(foreign: str) -> None:
    assert Settled.decode(foreign) == Settled()


def test_counts_of_a_later_release_do_not_disturb() -> None:
    assert Settled.decode('{"enriched":4,"postponed":9}') == Settled(4)
