"""Which folders may be watched together, checked before anything is read."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import FolderError
from pipeline.inbox.after import after_dir
from pipeline.records import inbox_label
from pipeline.settings import Settings


def check_inboxes(settings: Settings) -> None:
    """Raises FolderError where an inbox is missing, unreadable, given twice, or overlaps with another folder."""
    roots: dict[Path, str] = {}
    labels: dict[str, str] = {}
    for inbox in settings.inbox:
        root = _usable(inbox)
        for other, name in roots.items():
            if root.is_relative_to(other) or other.is_relative_to(root):
                raise FolderError(f"{inbox} and {name} overlap, so files would come twice; give only one of them")
        twin = labels.setdefault(inbox_label(inbox), inbox)
        if twin is not inbox:
            raise FolderError(f"{inbox} and {twin} have one name, which the ledger goes by; rename one of them")
        roots[root] = inbox
    if settings.after == "move":
        _check_targets(settings, roots)


def _usable(inbox: str) -> Path:
    path = Path(inbox)
    if not path.exists():
        raise FolderError(f"there is no folder {inbox}; make it (mkdir -p {inbox}) or name another with --inbox")
    if not path.is_dir():
        raise FolderError(f"{inbox} is no folder; name the folder that holds the files with --inbox")
    if not os.access(path, os.R_OK | os.X_OK):
        raise FolderError(f"{inbox} cannot be read; give this user the right to (chmod u+rx {inbox})")
    return path.resolve()


def _check_targets(settings: Settings, roots: dict[Path, str]) -> None:
    for inbox in settings.inbox:
        target = Path(os.fsdecode(after_dir(settings, inbox))).resolve()
        if target.exists() and not target.is_dir():
            raise FolderError(f"{target} is no folder, so files cannot be moved into it; set --after-dir to one")
        if any(target.is_relative_to(root) for root in roots):
            raise FolderError(f"{target} lies in an inbox, so moved files would come again; set --after-dir elsewhere")
