"""Which source runs here: as an image says, as Git has it, or unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.monitor.revision import UNKNOWN, revision

COMMIT, OTHER = "c" * 40, "d" * 40


@pytest.fixture(autouse=True)
def unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COPYDESK_REVISION", raising=False)
    revision.cache_clear()


def git(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / ".git" / name.replace("__", "/").replace("_", "-")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_branch(tmp_path: Path) -> None:
    assert revision(git(tmp_path, HEAD="ref: refs/heads/main\n", refs__heads__main=COMMIT + "\n")) == COMMIT


def test_a_branch_that_git_has_packed(tmp_path: Path) -> None:
    packed = f"# pack-refs with: peeled\n{OTHER} refs/heads/a\n{COMMIT} refs/heads/main\n^{OTHER}\n"
    assert revision(git(tmp_path, HEAD="ref: refs/heads/main\n", packed_refs=packed)) == COMMIT


def test_a_commit_alone(tmp_path: Path) -> None:
    assert revision(git(tmp_path, HEAD=COMMIT + "\n")) == COMMIT


def test_nobody_says(tmp_path: Path) -> None:
    assert revision(tmp_path) == UNKNOWN
    assert revision(git(tmp_path / "new", HEAD="ref: refs/heads/main\n")) == UNKNOWN


def test_the_image_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_REVISION", OTHER)
    assert revision(git(tmp_path, HEAD=COMMIT)) == OTHER
