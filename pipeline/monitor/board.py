"""How the processes of `copydesk run` tell each other what they do: one small JSON file each.

A file is replaced in one step, so a reader sees the old note or the new one, never half of one. Losing a note costs
nothing: it is rewritten with the next change, and no promise rests on it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.clock import Clock, SystemClock, rfc3339

Note = dict[str, Any]


class Board:
    """Notes in `folder`, which is made on the first write. `role` is a slug such as `watcher` or `worker`."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._folder = folder
        self._clock = clock or SystemClock()

    def write(self, role: str, state: Mapping[str, Any]) -> None:
        """Replace this process's note. `role`, `pid` and `time` (RFC 3339) are added to `state`. Raises OSError."""
        note = {**state, "role": role, "pid": os.getpid(), "time": rfc3339(self._clock.now())}
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{role}-{os.getpid()}.json"
        draft = path.with_suffix(".tmp")
        # The standard library's json, since it alone can carry a file name whose bytes are not UTF-8.
        draft.write_text(json.dumps(note))
        draft.replace(path)

    def clear(self, role: str) -> None:
        """Take this process's note down; nothing happens where there is none."""
        (self._folder / f"{role}-{os.getpid()}.json").unlink(missing_ok=True)

    def read(self) -> list[Note]:
        """The notes of living processes, by role and pid. Notes of dead ones, and broken notes, are removed."""
        found = []
        for path in sorted(self._folder.glob("*-*.json")):
            note = _read(path)
            if note is not None and _alive(note["pid"]):
                found.append(note)
            else:
                path.unlink(missing_ok=True)
        return sorted(found, key=lambda note: (note["role"], note["pid"]))


def board_in(data_dir: str) -> Board:
    """The board of the processes that share `data_dir`."""
    return Board(Path(data_dir) / "run")


def _read(path: Path) -> Note | None:
    try:
        note = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    whole = isinstance(note, dict) and isinstance(note.get("role"), str) and isinstance(note.get("pid"), int)
    return note if whole else None


def _alive(pid: int) -> bool:
    """Whether a process of that number runs; one of another user counts."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # A child that ended but was not yet waited for still has its number, and answers to signal 0.
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True
