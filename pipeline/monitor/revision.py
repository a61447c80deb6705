"""Which state of the source runs here."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

UNKNOWN = "unknown"
_ROOT = Path(__file__).parents[2]
# An image has no history; what builds it hands the revision on.
_VARIABLE = "COPYDESK_REVISION"


@cache
def revision(root: Path = _ROOT) -> str:
    """The commit that is checked out at `root`, or what the image was built from; `unknown` where nobody says."""
    return os.environ.get(_VARIABLE) or _checked_out(root / ".git") or UNKNOWN


def _checked_out(git: Path) -> str:
    try:
        head = (git / "HEAD").read_text().strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head
        branch = git / name
        if branch.exists():
            return branch.read_text().strip()
        packed = (line.split() for line in (git / "packed-refs").read_text().splitlines() if line[:1] not in "#^")
        return next((found for found, ref in packed if ref == name), "")
    except (OSError, ValueError):
        return ""
