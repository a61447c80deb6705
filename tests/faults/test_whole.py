"""`copydesk run` with its own broker: killed in the middle of the work, and out of disk; nothing is lost or doubled."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.whole import Whole, whole

_DISK_MB = 32
_INDEX_BYTES = 10 << 20
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
def _tmpfs(made: Whole) -> Iterator[None]:
    """A disk of its own for all data, as only root may make one."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "copydesk", made.data], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", made.data], check=True)


def _enlarge(made: Whole) -> None:
    subprocess.run(["mount", "-o", f"remount,size={20 * _DISK_MB}m", made.data], check=True)


def _quota(made: Whole) -> None:
    """No file of Kafka's may grow beyond what it sets aside for an index: a full disk as anybody may have it."""
    resource.prlimit(made.kafka, resource.RLIMIT_FSIZE, (_INDEX_BYTES, _INDEX_BYTES))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk; the test below needs none")
def test_a_full_disk_ends_it_with_a_word_and_loses_nothing(tmp_path: Path) -> None:
    with whole(tmp_path, seed=22) as made, _tmpfs(made):
        made.start()
        made.load.burst(100)
        made.until_settled(50)
        _fill(made)
        _ended_with_a_word(made)
        _enlarge(made)
        made.start()
        verdict = made.finish()
    assert verdict.sound, verdict


def test_a_full_disk_of_kafkas_alone_does_the_same(tmp_path: Path) -> None:
    with whole(tmp_path, seed=23) as made:
        made.start()
        made.load.burst(100)
        made.until_settled(50)
        _quota(made)
        _fill(made)
        _ended_with_a_word(made)
        made.start()
        verdict = made.finish()
    assert verdict.sound, verdict


def _ended_with_a_word(made: Whole) -> None:
    assert made.process
    assert made.process.wait(_ENDS_SECONDS) in (1, 2), made.words
    assert "the embedded Kafka ended by itself" in made.words


def _fill(made: Whole) -> None:
    """Drop nearly twice as much as the disk takes, unless that ends it before."""
    for _ in range(25):
        made.load.big(10, 200_000)
        time.sleep(0.1)
