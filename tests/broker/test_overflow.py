"""Events that the kernel dropped: the watcher stands still while more happens than its queue holds, then finds all."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.broker import EmbeddedBroker
from tests.rig import Rig, rig

LIMIT = Path("/proc/sys/fs/inotify/max_queued_events")
MODIFY, CLOSE_WRITE, CREATE, OVERFLOW = 0x2, 0x8, 0x100, 0x4000
LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def desk(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> Iterator[Rig]:
    with rig(broker.bootstrap, prefix, tmp_path, scan_seconds=1.0) as made:
        yield made


@contextmanager
def a_queue_nobody_reads(folder: Path) -> Iterator[int]:
    """An inotify queue on `folder`, of the kernel's size as the watcher's is."""
    queue = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert queue >= 0
    assert LIBC.inotify_add_watch(queue, os.fsencode(folder), MODIFY | CLOSE_WRITE | CREATE) >= 0
    try:
        yield queue
    finally:
        os.close(queue)


def overflowed(queue: int) -> bool:
    try:
        while read := os.read(queue, 1 << 16):
            at = 0
            while at < len(read):
                _, mask, _, name = struct.unpack_from("iIII", read, at)
                if mask & OVERFLOW:
                    return True
                at += 16 + name
    except BlockingIOError:
        pass
    return False


def test_what_the_queue_of_events_could_not_hold_is_found_by_the_scan(desk: Rig) -> None:
    watcher = desk.start("watch")
    (desk.inbox / "first.txt").write_text("one")
    desk.wait(lambda: desk.settled() or desk.received, "the first file")
    # Each file makes three events or more: created, written, closed.
    files = int(LIMIT.read_text()) // 3 + 100
    with a_queue_nobody_reads(desk.inbox) as queue:
        watcher.send_signal(signal.SIGSTOP)
        for number in range(files):
            (desk.inbox / f"{number}.txt").write_text(str(number))
        watcher.send_signal(signal.SIGCONT)
        assert overflowed(queue)
    desk.wait(lambda: desk.settled() or desk.received > files, f"{files + 1} files", 120)
    assert desk.stop() == [0]
    assert desk.received == files + 1
    raw = desk.topics().records["raw"]
    assert {record.headers["source"] for record in raw} == {"first.txt", *(f"{number}.txt" for number in range(files))}
