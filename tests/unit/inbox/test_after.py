"""Putting published files away: never another file, never over another name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.inbox.after import after_dir, put_away
from pipeline.inbox.scan import Look, look_at
from pipeline.settings import Settings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.txt").write_text("one")
    return folder


@pytest.fixture
def done(tmp_path: Path) -> Path:
    return tmp_path / "inbox.done"


def seen(root: Path) -> Look:
    (look,) = look_at(os.fsencode(root), b"deep/a.txt")
    return look


def test_the_folder_is_beside_the_inbox_unless_told(root: Path) -> None:
    assert after_dir(Settings(), f"{root}/") == os.fsencode(root) + b".done"
    assert after_dir(Settings(after_dir="/there"), str(root)) == b"/there"


def test_a_moved_file_keeps_its_path(root: Path, done: Path) -> None:
    assert put_away(os.fsencode(root), seen(root), os.fsencode(done))
    assert (done / "deep" / "a.txt").read_text() == "one"
    assert not (root / "deep" / "a.txt").exists()


def test_no_name_is_overwritten(root: Path, done: Path) -> None:
    (done / "deep").mkdir(parents=True)
    (done / "deep" / "a.txt").write_text("earlier")
    (done / "deep" / "a.txt.1").write_text("later")
    assert put_away(os.fsencode(root), seen(root), os.fsencode(done))
    assert [(done / "deep" / name).read_text() for name in ("a.txt", "a.txt.1", "a.txt.2")] == [
        "earlier",
        "later",
        "one",
    ]


@pytest.mark.parametrize("move", [True, False])
def test_a_file_that_changed_meanwhile_stays(root: Path, done: Path, move: bool) -> None:
    look = seen(root)
    (root / "deep" / "a.txt").write_text("another")
    assert not put_away(os.fsencode(root), look, os.fsencode(done) if move else None)
    assert (root / "deep" / "a.txt").read_text() == "another"


def test_deleted_and_already_gone(root: Path) -> None:
    look = seen(root)
    assert put_away(os.fsencode(root), look, None)
    assert not put_away(os.fsencode(root), look, None)
