"""Files that change, vanish or fail between being seen and being read: no article in part, and each once in the end."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.inbox import files, taking
from pipeline.inbox.feeder import Feeder
from pipeline.inbox.ledger import Ledger
from pipeline.inbox.scan import Look, scan
from pipeline.inbox.splitters import Limits
from pipeline.inbox.taking import Run

_NOBODY = 65534
TIME = "2025-03-18T09:00:00.000Z"
LIMITS = Limits(article_bytes=1 << 20, file_bytes=8 << 20, kept_bytes=1 << 20, ratio=200)
OLD = b"".join(b'{"n": %d, "pad": "%s"}\n' % (number, b"x" * 9000) for number in range(600))
NEW = OLD.replace(b"x", b"y")


class Desk:
    """One inbox with one file, seen before it is read; runs are committed to a ledger in memory."""

    def __init__(self, root: Path, written: bool = False) -> None:
        self.root, self.path = os.fsencode(root), root / "a.jsonl"
        if not written:
            self.path.write_bytes(OLD)
        self.ledger = Ledger("in")
        self.articles: list[tuple[int, int, bytes]] = []

    def see(self) -> Feeder:
        feeder = Feeder(self.root, "in", self.ledger, LIMITS)
        for look in scan(self.root):
            if not self.ledger.settled(look):
                feeder.add(look)
        return feeder

    def commit(self, run: Run) -> None:
        for look, known in run.ledger:
            self.ledger.put(look.path, known)
        self.articles += [(raw.version, raw.position, raw.content) for raw in run.raw]

    def finish(self) -> None:
        feeder = self.see()
        while (run := feeder.fill(TIME)).ledger:
            self.commit(run)
        feeder.close()

    def contents(self, version: int) -> bytes:
        return b"".join(content + b"\n" for held, _, content in sorted(self.articles) if held == version)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def _vanish(desk: Desk) -> None:
    desk.path.unlink()


def _grow(desk: Desk) -> None:
    with desk.path.open("ab") as file:
        file.write(NEW[: NEW.index(b"\n", len(NEW) // 2) + 1])


def _truncate(desk: Desk) -> None:
    os.truncate(desk.path, OLD.index(b"\n", len(OLD) // 3) + 1)


def _rename_over(desk: Desk) -> None:
    other = desk.path.with_suffix(".part")
    other.write_bytes(NEW)
    other.rename(desk.path)


CHANGES = [_vanish, _grow, _truncate, _rename_over]


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changed_between_being_seen_and_opened_is_put_aside(
    desk: Desk, change: Callable[[Desk], None]
) -> None:
    feeder = desk.see()
    change(desk)
    run = feeder.fill(TIME)
    assert (run.raw, run.rejected, run.ledger, len(run.moved)) == ([], [], [], 1)
    desk.finish()
    assert desk.contents(0) == (desk.path.read_bytes() if desk.path.exists() else b"")


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_between_two_transactions_comes_whole_in_the_end(
    desk: Desk, change: Callable[[Desk], None]
) -> None:
    feeder = desk.see()
    desk.commit(feeder.fill(TIME))
    part = desk.contents(0)
    assert 0 < len(part) < len(OLD)
    change(desk)
    desk.commit(feeder.fill(TIME))
    feeder.close()
    desk.finish()
    versions = {version for version, _, _ in desk.articles}
    assert len(desk.articles) == len({(version, position) for version, position, _ in desk.articles})
    if desk.path.exists():
        assert desk.contents(max(versions)) == desk.path.read_bytes()


@pytest.mark.parametrize("first", [True, False], ids=["full before", "new"])
def test_an_empty_file_is_set_aside_and_comes_whole_once_it_is_written_to(desk: Desk, first: bool) -> None:
    if first:
        desk.finish()
    desk.path.write_bytes(b"")
    run = desk.see().fill(TIME)
    assert [(bad.reason, bad.content) for bad in run.rejected] == [("empty", b"")]
    desk.commit(run)
    assert desk.see().fill(TIME).ledger == []
    desk.path.write_bytes(NEW)
    desk.finish()
    assert desk.contents(2 if first else 0) == NEW


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.ESTALE])
def test_a_read_that_fails_leaves_nothing_of_that_stretch_and_is_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    # Only root can have a disk that fails in the middle of a file (below), so the one call that reads does.
    reads = iter([None, None, OSError(number, os.strerror(number))])

    class Failing(files.InboxFile):
        def read(self, size: int = files.CHUNK_BYTES) -> bytes:
            fault = next(reads, None)
            if fault:
                raise fault
            return super().read(size)

    def open_failing(root: bytes, path: bytes) -> files.InboxFile:
        sound = files.open_file(root, path)
        return Failing(sound._fd, sound.opened)

    with monkeypatch.context() as patched:
        patched.setattr(taking, "open_file", open_failing)
        run = desk.see().fill(TIME)
    assert (run.raw, run.rejected, run.ledger, len(run.unreadable)) == ([], [], [], 1)
    desk.finish()
    assert desk.contents(0) == OLD


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Without root's right to read whatever the mode says."""
    if os.geteuid():
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_we_may_not_read_is_set_aside_and_comes_once_we_may() -> None:
    # Not pytest's folder, which is closed to others.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        desk = Desk(Path(folder))
        desk.path.chmod(0)
        feeder = desk.see()
        with _as_nobody():
            run = feeder.fill(TIME)
        desk.commit(run)
        assert [(bad.reason, bad.stage) for bad in run.rejected] == [("unreadable", "watch")]
        desk.path.chmod(0o640)
        desk.finish()
        assert desk.contents(0) == OLD


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a file that fails on demand")
def test_a_file_on_which_the_kernel_reports_an_input_error_waits_and_is_not_set_aside() -> None:
    # Nothing is mapped at address 0 of any process, and the kernel answers EIO to whoever reads it there.
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            memory.read(1)
        seen = os.stat("/proc/self/mem")
        feeder = Feeder(b"/proc/self", "in", Ledger("in"), LIMITS)
        feeder.add(Look(b"mem", "file", seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino))
        run = feeder.fill(TIME)
    assert (run.raw, run.rejected, run.ledger, len(run.unreadable)) == ([], [], [], 1)


_IMAGE_MB = 32


@contextmanager
def _failing_disk(folder: Path) -> Iterator[tuple[Path, Callable[[], None], Callable[[], None]]]:
    """A small disk in a file, with a.jsonl on it; what makes the end of that fail, and what mends it."""
    image, sound, disk = folder / "disk.img", folder / "sound.img", folder / "disk"
    disk.mkdir()
    content = folder / "content"
    content.mkdir()
    (content / "a.jsonl").write_bytes(OLD)
    with sound.open("wb") as file:
        file.truncate(_IMAGE_MB << 20)
    subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", "-d", content, sound], check=True)
    # Where a read begins: of one that only reaches beyond, the kernel makes up the rest.
    failing = sound.read_bytes().index(OLD) + 5 * files.CHUNK_BYTES

    def mount() -> None:
        shutil.copy(sound, image)
        subprocess.run(["mount", "-o", "loop,ro", image, disk], check=True)

    def fail() -> None:
        os.truncate(image, failing)
        subprocess.run(["blockdev", "--flushbufs", _device(disk)], check=True)

    def mend() -> None:
        subprocess.run(["umount", disk], check=True)
        mount()

    mount()
    try:
        yield disk, fail, mend
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def _device(disk: Path) -> str:
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return next(device for device, where, *_ in mounts if where == str(disk))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk; above one is feigned")
def test_a_failing_disk_in_the_middle_of_a_file_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    with _failing_disk(tmp_path) as (disk, fail, mend):
        desk = Desk(disk, written=True)
        fail()
        feeder = desk.see()
        while not (run := feeder.fill(TIME)).unreadable:
            assert run.ledger
            desk.commit(run)
        desk.commit(run)
        feeder.close()
        part = desk.contents(0)
        assert 0 < len(part) < len(OLD)
        assert OLD.startswith(part)
        mend()
        desk.finish()
        assert desk.contents(0) == OLD
        assert len(desk.articles) == 600
