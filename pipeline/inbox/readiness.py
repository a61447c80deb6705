"""When is a file complete? Pure: it is told what was seen and when, and says ready or waiting.

A file is ready when it stood still (size, mtime, inode) over two looks at least `settle_seconds` apart, an empty one
five seconds more. Two exceptions need no second look, because the file system itself testifies that nobody writes
any more. Both rest on a write setting mtime and ctime alike, while a rename moves ctime alone:

- it was seen before under an unfinished name (`story.txt.tmp`) and was renamed since its last write;
- it was renamed (or linked) at least `settle_seconds` after its last write: it stood still elsewhere.

An old mtime by the wall clock is no such testimony: clocks of file servers are wrong, and a writer may pause.
What no rule of this kind can see is a writer that pauses for longer than `settle_seconds`, or one that writes
through a memory map; what they add later is published as an addition or a new version.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.inbox.scan import Look

# An empty file is most often one whose writer has only opened it, and on a busy machine seconds may pass before the
# first byte. Waiting costs nobody anything; a dead letter is something that a person has to look at.
_EMPTY_SECONDS = 5.0


@dataclass(slots=True)
class _Sighting:
    look: Look
    first: float
    still_since: float


class Sightings:
    """The files that are seen but not ready, and since when. Times are monotonic seconds."""

    def __init__(self, settle_seconds: float) -> None:
        self._settle = settle_seconds
        self._seen: dict[bytes, _Sighting] = {}
        self._unfinished: set[int] = set()

    def __len__(self) -> int:
        return len(self._seen)

    def __contains__(self, path: bytes) -> bool:
        return path in self._seen

    def ready(self, look: Look, at: float) -> bool:
        """Take note of one look at a regular file; True when it may be read. A ready file is forgotten."""
        before = self._seen.get(look.path)
        if before is None and self._renamed_into_place(look):
            self._unfinished.discard(look.inode)
            return True
        if before is None or _standing(before.look) != _standing(look):
            self._seen[look.path] = _Sighting(look, before.first if before else at, at)
            # Even a settle time of nothing asks for two looks.
            return False
        if at - before.still_since < self._settle_for(look):
            return False
        del self._seen[look.path]
        return True

    def unfinished(self, look: Look) -> None:
        """Take note of a file under a name that we leave alone, to know it again after its rename."""
        self._unfinished.add(look.inode)

    def forget(self, path: bytes) -> None:
        """The file is gone, or somebody else's business now."""
        self._seen.pop(path, None)

    def keep_only(self, paths: set[bytes], unfinished: set[int]) -> None:
        """After a full scan: forget what it did not meet."""
        for path in self._seen.keys() - paths:
            del self._seen[path]
        self._unfinished &= unfinished

    def waiting(self) -> Iterator[tuple[bytes, float]]:
        """Path and monotonic time of first sight of every waiting file, in the order of that time."""
        return ((path, seen.first) for path, seen in self._seen.items())

    def next_look(self) -> float | None:
        """When the first of the waiting files can become ready; None: nothing waits."""
        return min((seen.still_since + self._settle_for(seen.look) for seen in self._seen.values()), default=None)

    def _settle_for(self, look: Look) -> float:
        return self._settle if look.size else self._settle + _EMPTY_SECONDS

    def _renamed_into_place(self, look: Look) -> bool:
        stood_ns = look.ctime_ns - look.mtime_ns
        if look.size == 0 or stood_ns <= 0:
            return False
        # A freed inode number may come back at once with another file, hence ctime is asked in both cases.
        return look.inode in self._unfinished or (stood_ns >= self._settle * 1e9 and self._settle > 0)


def _standing(look: Look) -> tuple[int, int, int]:
    return look.size, look.mtime_ns, look.inode
