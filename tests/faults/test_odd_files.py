"""Files that change, vanish or fail between being seen and being read: no article in part, and each once in the end."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.inbox import files, taking
from pipeline.inbox.feeder import Feeder
from pipeline.inbox.ledger import Ledger
from pipeline.inbox.scan import scan
from pipeline.inbox.splitters import Limits
from pipeline.inbox.taking import Run

TIME = "2025-03-18T09:00:00.000Z"
LIMITS = Limits(article_bytes=1 << 20, file_bytes=8 << 20, kept_bytes=1 << 20, ratio=200)
OLD = b"".join(b'{"n": %d, "pad": "%s"}\n' % (number, b"x" * 9000) for number in range(600))
NEW = OLD.replace(b"x", b"y")


class Desk:
    """One inbox with one file, seen before it is read; runs are committed to a ledger in memory."""

    def __init__(self, root: Path) -> None:
        self.root, self.path = os.fsencode(root), root / "a.jsonl"
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
    # No kernel gives EIO on demand, so the one call that reads does.
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


def test_a_file_that_we_may_not_read_is_set_aside_and_comes_once_we_may(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may read whatever the mode says, so the refusal is made up.
    def refuse(root: bytes, path: bytes) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(files, "_open_below", refuse)
        run = desk.see().fill(TIME)
    desk.commit(run)
    assert [(bad.reason, bad.stage) for bad in run.rejected] == [("unreadable", "watch")]
    desk.path.chmod(0o640)
    desk.finish()
    assert desk.contents(0) == OLD
