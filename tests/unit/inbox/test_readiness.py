"""When a file counts as complete, told as a list of looks."""

from __future__ import annotations

import pytest

from pipeline.inbox.readiness import Sightings
from pipeline.inbox.scan import Look

SETTLE = 0.4
SECOND = 1_000_000_000


def _look(size: int = 10, mtime: float = 100, ctime: float | None = None, inode: int = 7, path: bytes = b"a") -> Look:
    changed = mtime if ctime is None else ctime
    return Look(path, "file", size, int(mtime * SECOND), int(changed * SECOND), inode)


@pytest.mark.parametrize(
    ("looks", "ready"),
    [
        ([(0.0, _look())], [False]),
        ([(0.0, _look()), (0.3, _look())], [False, False]),
        ([(0.0, _look()), (0.4, _look())], [False, True]),
        ([(0.0, _look()), (0.3, _look(size=11, mtime=101)), (0.5, _look(size=11, mtime=101))], [False, False, False]),
        ([(0.0, _look()), (0.5, _look(mtime=101))], [False, False]),
        ([(0.0, _look()), (0.5, _look(inode=8))], [False, False]),
        ([(0.0, _look(size=0)), (5.3, _look(size=0)), (5.4, _look(size=0))], [False, False, True]),
        ([(0.0, _look(size=0)), (5.3, _look(mtime=105)), (5.7, _look(mtime=105))], [False, False, True]),
    ],
    ids=["one look", "too soon", "stood still", "grew", "touched", "replaced", "empty", "written at last"],
)
def test_two_looks_apart(looks: list[tuple[float, Look]], ready: list[bool]) -> None:
    sightings = Sightings(SETTLE)
    assert [sightings.ready(look, at) for at, look in looks] == ready


def test_no_settle_time_still_takes_two_looks() -> None:
    sightings = Sightings(0.0)
    assert [sightings.ready(_look(), 0.0), sightings.ready(_look(), 0.0)] == [False, True]


def test_renamed_from_an_unfinished_name_is_ready_at_once() -> None:
    sightings = Sightings(SETTLE)
    sightings.unfinished(Look(b"a.tmp", "hidden", 10, 0, 0, 7))
    assert sightings.ready(_look(mtime=100, ctime=100.01), 0.0)


def test_a_reused_inode_that_is_still_written_is_not() -> None:
    sightings = Sightings(SETTLE)
    sightings.unfinished(Look(b"a.tmp", "hidden", 10, 0, 0, 7))
    assert not sightings.ready(_look(mtime=100, ctime=100), 0.0)


def test_moved_in_after_standing_still_elsewhere_is_ready_at_once() -> None:
    assert Sightings(SETTLE).ready(_look(mtime=50, ctime=100), 0.0)
    assert not Sightings(SETTLE).ready(_look(mtime=99.7, ctime=100), 0.0)


def test_an_old_mtime_alone_is_no_testimony() -> None:
    assert not Sightings(SETTLE).ready(_look(mtime=1, ctime=1), 0.0)


def test_a_ready_file_is_forgotten_and_waiting_ones_keep_their_first_sight() -> None:
    sightings = Sightings(SETTLE)
    sightings.ready(_look(path=b"a"), 0.0)
    sightings.ready(_look(path=b"b"), 0.1)
    sightings.ready(_look(path=b"b", size=12), 0.4)
    assert sightings.next_look() == SETTLE
    assert sightings.ready(_look(path=b"a"), 0.4)
    assert list(sightings.waiting()) == [(b"b", 0.1)]
    assert sightings.next_look() == pytest.approx(0.8)


def test_a_full_scan_forgets_what_it_did_not_meet() -> None:
    sightings = Sightings(SETTLE)
    sightings.ready(_look(path=b"a"), 0.0)
    sightings.keep_only(set(), set())
    assert len(sightings) == 0
    assert sightings.next_look() is None
