"""What a watcher knows about its inbox at this moment: who waits and why, what is in line, what was counted.

Pure bookkeeping between a look (`Survey`) and a queue of ready files; no I/O save in `survey`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import chain

from pipeline.formats import promised
from pipeline.inbox.ledger import Ledger
from pipeline.inbox.readiness import Sightings
from pipeline.inbox.scan import Look, look_at, scan


@dataclass(slots=True)
class Survey:
    """The outcome of one look, without the files that need nothing."""

    complete: bool
    """Whether everything was looked at, so that what is missing here is gone."""
    files: list[Look] = field(default_factory=list)
    """Regular files of our formats that are new or changed."""
    odd: list[Look] = field(default_factory=list)
    """Links, FIFOs, sockets and devices that were not reported yet."""
    hidden: list[Look] = field(default_factory=list)
    unreadable: list[bytes] = field(default_factory=list)
    unknown: list[bytes] = field(default_factory=list)
    published: list[Look] = field(default_factory=list)
    """Known to be published (only if asked for)."""
    gone: list[bytes] = field(default_factory=list)
    """Asked for by name and not there."""


def survey(root: bytes, ledger: Ledger, only: Collection[bytes] | None, want_published: bool) -> Survey:
    """Look at the whole inbox, or at the paths of `only`. Blocking: for a thread."""
    found = Survey(complete=only is None)
    if only is None:
        for look in scan(root):
            _sort(found, look, ledger, want_published)
        return found
    for path in only:
        there = False
        for look in look_at(root, path):
            there = True
            _sort(found, look, ledger, want_published)
        if not there:
            found.gone.append(path)
    return found


def _sort(found: Survey, look: Look, ledger: Ledger, want_published: bool) -> None:
    if look.kind == "unreadable":
        found.unreadable.append(look.path)
    elif look.kind == "hidden":
        found.hidden.append(look)
    elif look.kind == "file" and promised(look.path) is None:
        found.unknown.append(look.path)
    elif (known := ledger.get(look.path)) is not None and known.settled(look):
        if want_published and known.state == "published":
            found.published.append(look)
    else:
        (found.files if look.kind == "file" else found.odd).append(look)


class Folder:
    """The waiting files of one inbox. Times are monotonic seconds."""

    def __init__(self, settle_seconds: float) -> None:
        self.sightings = Sightings(settle_seconds)
        self.discovered = 0
        self.scanned = False
        """Whether everything was looked at since the ledger was read."""
        self._in_line: dict[bytes, float] = {}
        self._unreadable: dict[bytes, float] = {}
        self._unknown: dict[bytes, float] = {}

    def __len__(self) -> int:
        return sum(self.counts().values())

    @property
    def idle(self) -> bool:
        """Whether everything that can be published is published. Files of no known format do not count."""
        return self.scanned and not (self.sightings or self._in_line or self._unreadable)

    def see(self, found: Survey, at: float) -> list[Look]:
        """Take in one look; the files that are ready now, each handed out once until `done` with it."""
        if found.complete:
            self._forget_missing(found)
        for path in found.gone:
            self._forget(path)
        for look in found.hidden:
            self.sightings.unfinished(look)
        for path in found.unreadable:
            self._unreadable.setdefault(path, at)
        for path in found.unknown:
            self._unknown.setdefault(path, at)
        ready = [look for look in found.files if self._is_ready(look, at, found.complete)]
        ready += [look for look in found.odd if look.path not in self._in_line]
        self._in_line.update((look.path, at) for look in ready)
        return ready

    def done(self, path: bytes) -> None:
        """Published, rejected, or to be looked at afresh."""
        self._in_line.pop(path, None)

    def failed(self, path: bytes, at: float) -> None:
        """The system could not read it; the next full look tries again."""
        self.done(path)
        self._unreadable.setdefault(path, at)

    def restart(self) -> None:
        """What was in line is to be looked at afresh, since the ledger is."""
        self.scanned = False
        self._in_line.clear()

    def counts(self) -> dict[str, int]:
        """How many wait, by reason."""
        return {
            "unreadable": len(self._unreadable),
            "unstable": len(self.sightings),
            "backpressure": len(self._in_line),
            "unknown-format": len(self._unknown),
        }

    def oldest(self) -> float | None:
        """When the longest-waiting file was first seen, files of no known format aside."""
        line = chain(
            self._unreadable.values(), self._in_line.values(), (since for _, since in self.sightings.waiting())
        )
        return min(line, default=None)

    def waiting(self) -> Iterator[tuple[bytes, str, float]]:
        """Path, reason and time of first sight of everything seen and not published, by reason."""
        yield from ((path, "unreadable", since) for path, since in self._unreadable.items())
        yield from ((path, "unstable", since) for path, since in self.sightings.waiting())
        yield from ((path, "backpressure", since) for path, since in self._in_line.items())
        yield from ((path, "unknown-format", since) for path, since in self._unknown.items())

    def _is_ready(self, look: Look, at: float, complete: bool) -> bool:
        if look.path in self._in_line or (look.path in self._unreadable and not complete):
            return False
        known = look.path in self.sightings
        ready = self.sightings.ready(look, at)
        self.discovered += not known
        return ready

    def _forget(self, path: bytes) -> None:
        self.sightings.forget(path)
        self._unreadable.pop(path, None)
        self._unknown.pop(path, None)

    def _forget_missing(self, found: Survey) -> None:
        self.scanned = True
        self.sightings.keep_only({look.path for look in found.files}, {look.inode for look in found.hidden})
        unknown, unreadable = set(found.unknown), set(found.unreadable)
        self._unknown = {path: since for path, since in self._unknown.items() if path in unknown}
        self._unreadable = {path: since for path, since in self._unreadable.items() if path in unreadable}
