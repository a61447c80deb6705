"""Folders that cannot be watched, or not together, are refused in one line that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import FolderError
from pipeline.inbox.inboxes import check_inboxes
from pipeline.settings import Settings


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for folder in ("a/in", "b/in", "a/in/deep", "c"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "file").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("inboxes", "complaint"),
    [
        (("none",), "there is no folder .*none; make it"),
        (("file",), "file is no folder"),
        (("a/in", "b/in"), "have one name"),
        (("a/in", "a/in/deep"), "overlap"),
        (("a/in/deep", "a/in"), "overlap"),
        (("c", "c"), "overlap"),
    ],
)
def test_refused(here: Path, inboxes: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(FolderError, match=complaint) as refusal:
        check_inboxes(Settings(inbox=tuple(str(here / name) for name in inboxes)))
    assert "\n" not in str(refusal.value)


def test_moved_files_must_not_come_again(here: Path) -> None:
    settings = Settings(inbox=(str(here / "c"),), after="move", after_dir=str(here / "c" / "done"))
    with pytest.raises(FolderError, match="lies in an inbox"):
        check_inboxes(settings)


def test_moved_files_need_a_folder(here: Path) -> None:
    (here / "taken").write_text("no folder")
    settings = Settings(inbox=(str(here / "c"),), after="move", after_dir=str(here / "taken"))
    with pytest.raises(FolderError, match=r"taken is no folder, .*--after-dir"):
        check_inboxes(settings)


def test_side_by_side_is_fine(here: Path) -> None:
    check_inboxes(Settings(inbox=(str(here / "a/in"), str(here / "c")), after="move"))
