"""`copydesk run` with its own broker: killed in the middle of the work, and out of disk; nothing is lost or doubled."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.faults.whole import Whole, whole

Small = Callable[[Path], AbstractContextManager[Callable[[], None] | None]]
_DISK_MB = 32
_ENDS_SECONDS = 120.0


def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    with whole(tmp_path, seed=21) as made:
        made.load.burst(700)
        made.start()
        made.until_settled(100)
        made.kill()
        made.load.burst(100)
        made.start()
        verdict = made.finish()
    assert verdict.sound, verdict


@contextmanager
def _tmpfs(folder: Path) -> Iterator[Callable[[], None] | None]:
    """A disk of its own for the data, as only root may make one."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "copydesk", folder], check=True)
    try:
        yield None
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def _limit(folder: Path) -> Iterator[Callable[[], None] | None]:
    """No file may grow beyond so much: the nearest to a full disk that anybody may have."""
    # Just above what Kafka sets aside for an index.
    size = 11 << 20

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    yield limit


def _enlarge(folder: Path) -> None:
    if folder.is_mount():
        subprocess.run(["mount", "-o", f"remount,size={20 * _DISK_MB}m", folder], check=True)


@pytest.mark.parametrize("small", [_tmpfs] if os.geteuid() == 0 else [_limit])
def test_a_full_disk_ends_it_with_a_word_and_loses_nothing(tmp_path: Path, small: Small) -> None:
    with whole(tmp_path, seed=22) as made, small(made.data) as limit:
        made.start(limit=limit)
        made.load.burst(100)
        made.until_settled(50)
        _fill(made)
        assert made.process
        assert made.process.wait(_ENDS_SECONDS) in (1, 2), made.words
        assert "the embedded Kafka ended by itself" in made.words
        _enlarge(made.data)
        made.start()
        verdict = made.finish()
    assert verdict.sound, verdict


def _fill(made: Whole) -> None:
    """Drop nearly twice as much as the disk takes, unless that ends it before."""
    for _ in range(25):
        made.load.big(10, 200_000)
        time.sleep(0.1)
