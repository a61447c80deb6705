"""When an empty file may be read: not before it stood long enough, and then for certain, whatever the looks."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from pipeline.inbox.readiness import Sightings
from pipeline.inbox.scan import Look

EMPTY_SECONDS = 5.0
pauses = st.lists(st.floats(0.001, 3.0), min_size=1, max_size=40)
settles = st.floats(0.0, 2.0)


def _look(size: int, mtime_ns: int = 0) -> Look:
    return Look(b"a.txt", "file", size, mtime_ns, mtime_ns, 7)


@given(pauses, settles)
def test_an_empty_file_is_ready_once_it_stood_for_its_time_and_not_before(pauses: list[float], settle: float) -> None:
    sightings = Sightings(settle)
    for at in accumulate(pauses, initial=0.0):
        if sightings.ready(_look(0), at):
            assert at >= settle + EMPTY_SECONDS
            return
        # Whoever waits for all to be settled looks again then, so this comes to an end.
        assert sightings.next_look() == settle + EMPTY_SECONDS
        assert at < settle + EMPTY_SECONDS


@given(pauses, settles, st.floats(0.0, EMPTY_SECONDS, exclude_max=True))
def test_a_file_that_is_written_to_in_that_time_was_never_ready_while_it_was_empty(
    pauses: list[float], settle: float, written: float
) -> None:
    sightings = Sightings(settle)
    for at in accumulate(pauses, initial=0.0):
        empty = at < written
        if sightings.ready(_look(0 if empty else 9, 0 if empty else 1), at):
            assert not empty
            return
