"""What a look through an inbox reports, and what it never enters."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.inbox.scan import is_hidden, look_at, scan
from pipeline.records import inbox_label


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    inbox = tmp_path / "inbox"
    (inbox / "deep" / "er").mkdir(parents=True)
    (inbox / ".git").mkdir()
    (inbox / "a.txt").write_text("one")
    (inbox / "deep" / "er" / "b.json").write_text("{}")
    (inbox / ".git" / "config.txt").write_text("no")
    (inbox / "c.txt.part").write_text("half")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    (inbox / "link").symlink_to(tmp_path / "outside")
    os.mkfifo(inbox / "pipe.txt")
    Path(os.fsdecode(os.fsencode(inbox) + b"/caf\xe9.txt")).write_text("latin")
    return os.fsencode(inbox)


def test_each_entry_is_reported_once_with_its_kind(root: bytes) -> None:
    assert {look.path: look.kind for look in scan(root)} == {
        b"a.txt": "file",
        b"deep/er/b.json": "file",
        b"caf\xe9.txt": "file",
        b"c.txt.part": "hidden",
        b"link": "symlink",
        b"pipe.txt": "special",
    }


def test_a_look_carries_size_times_and_inode(root: bytes) -> None:
    (look,) = look_at(root, b"a.txt")
    found = os.stat(root + b"/a.txt")
    assert look == (b"a.txt", "file", 3, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def test_looking_at_a_folder_gives_what_is_below_it(root: bytes) -> None:
    assert [look.path for look in look_at(root, b"deep")] == [b"deep/er/b.json"]


@pytest.mark.parametrize("path", [b"gone.txt", b"link/secret.txt", b".git/config.txt", b".git", b"a.txt/x"])
def test_nothing_is_seen_where_a_scan_would_not_get(root: bytes, path: bytes) -> None:
    assert list(look_at(root, path)) == []


def test_a_missing_folder_is_an_empty_one(tmp_path: Path) -> None:
    assert list(scan(os.fsencode(tmp_path / "none"))) == []


@pytest.mark.parametrize("name", [b".x.txt", b"x.txt~", b"x.TMP", b"x.part", b"x.txt.crdownload"])
def test_unfinished_names_are_hidden(name: bytes) -> None:
    assert is_hidden(name)


def test_a_folder_that_fails_in_the_middle_is_unreadable_and_the_rest_is_seen(tmp_path: Path) -> None:
    # A process that ended and was not yet asked how: Linux opens its folder of the network and then does not read it.
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        (folder,) = scan(b"/proc/%d" % ended.pid, b"net")
    assert (folder.path, folder.kind) == (b"net", "unreadable")


def test_the_label_is_the_name_as_given(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "wire").symlink_to(tmp_path / "real")
    assert inbox_label(f"{tmp_path}/wire/") == "wire"
    assert inbox_label("in box/é") == "%C3%A9"
