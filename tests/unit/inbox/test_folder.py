"""The bookkeeping between looks and the queue: what waits and why, and when nothing does."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.inbox.folder import Folder, survey
from pipeline.inbox.ledger import Known, Ledger


class Desk:
    """A folder on disk under a ledger, looked at by hand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ledger = Ledger("in")
        self.folder = Folder(0.4)

    def look(self, at: float, *only: bytes) -> list[bytes]:
        found = survey(os.fsencode(self.root), self.ledger, only or None, want_published=True)
        self.published = [look.path for look in found.published]
        return [look.path for look in self.folder.see(found, at)]

    def publish(self, path: bytes) -> None:
        there = os.stat(os.path.join(os.fsencode(self.root), path))
        known = Known(size=there.st_size, mtime_ns=there.st_mtime_ns, ctime_ns=there.st_ctime_ns, published=1)
        self.ledger.put(path, replace(known, state="published"))
        self.folder.done(path)

    @property
    def waiting(self) -> dict[bytes, str]:
        return {path: reason for path, reason, _ in self.folder.waiting()}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_from_first_sight_to_published(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("one")
    assert desk.look(0.0) == []
    assert (desk.waiting, desk.folder.discovered, desk.folder.idle) == ({b"a.txt": "unstable"}, 1, False)
    assert desk.look(0.5, b"a.txt") == [b"a.txt"]
    assert (desk.waiting, desk.folder.idle) == ({b"a.txt": "backpressure"}, False)
    assert desk.look(0.9) == []
    desk.publish(b"a.txt")
    assert (desk.look(1.4), desk.waiting, desk.folder.idle, desk.folder.discovered) == ([], {}, True, 1)
    assert desk.published == [b"a.txt"]


def test_nothing_is_idle_before_a_full_look(desk: Desk) -> None:
    desk.look(0.0, b"a.txt")
    assert not desk.folder.idle
    desk.look(0.1)
    assert desk.folder.idle
    desk.folder.restart()
    assert not desk.folder.idle


def test_a_file_of_no_known_format_is_shown_and_does_not_hold_up_the_end(desk: Desk) -> None:
    (desk.root / "notes.doc").write_text("x")
    desk.look(0.0)
    assert (desk.waiting, desk.folder.idle) == ({b"notes.doc": "unknown-format"}, True)
    (desk.root / "notes.doc").unlink()
    desk.look(1.0)
    assert desk.waiting == {}


def test_what_is_gone_is_forgotten(desk: Desk) -> None:
    for name in ("a.txt", "b.txt"):
        (desk.root / name).write_text("x")
    desk.look(0.0)
    (desk.root / "a.txt").unlink()
    desk.look(0.1, b"a.txt")
    assert set(desk.waiting) == {b"b.txt"}
    (desk.root / "b.txt").unlink()
    desk.look(0.2)
    assert desk.waiting == {}


def test_what_the_system_fails_to_read_is_tried_again_at_the_next_full_look(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("x")
    desk.look(0.0)
    desk.look(0.5)
    desk.folder.failed(b"a.txt", 0.5)
    assert desk.waiting == {b"a.txt": "unreadable"}
    assert desk.look(2.0, b"a.txt") == []
    desk.look(3.0)
    assert desk.look(3.5) == [b"a.txt"]


def test_a_link_is_handed_out_once(desk: Desk) -> None:
    (desk.root / "link").symlink_to("/etc/hostname")
    assert desk.look(0.0) == [b"link"]
    assert desk.look(1.0) == []
    there = os.lstat(desk.root / "link")
    desk.ledger.put(b"link", Known(size=there.st_size, mtime_ns=there.st_mtime_ns, ctime_ns=there.st_ctime_ns,
                                   state="rejected"))  # fmt: skip
    desk.folder.done(b"link")
    assert desk.look(2.0) == []


def test_an_unfinished_name_is_remembered_for_its_rename(desk: Desk) -> None:
    (desk.root / "a.txt.part").write_text("x")
    desk.look(0.0)
    assert desk.waiting == {}
    os.utime(desk.root / "a.txt.part", (1, 1))
    (desk.root / "a.txt.part").rename(desk.root / "a.txt")
    assert desk.look(0.1) == [b"a.txt"]


def test_counts_and_the_oldest(desk: Desk) -> None:
    assert desk.folder.oldest() is None
    (desk.root / "a.txt").write_text("x")
    desk.look(1.0)
    desk.folder.failed(b"b.txt", 0.5)
    assert desk.folder.oldest() == 0.5
    assert desk.folder.counts() == {"unreadable": 1, "unstable": 1, "backpressure": 0, "unknown-format": 0}
