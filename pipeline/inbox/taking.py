"""From a ready file to runs: what one transaction publishes, together with the ledger records that say so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from pipeline.errors import BadInput, StageFault
from pipeline.formats import Format
from pipeline.inbox.archives import window
from pipeline.inbox.files import FileMoved, InboxFile, open_file
from pipeline.inbox.ledger import Known, Plan, State, plan
from pipeline.inbox.scan import Look
from pipeline.inbox.splitters import Entry, Limits, format_found, split
from pipeline.records import RawArticle, Rejected, article_id, source_name

STAGE = "watch"
# A transaction of this size takes a fraction of a second and a few dozen megabytes, on both sides.
RUN_BYTES = 4 << 20
RUN_RECORDS = 2000


class Mark(NamedTuple):
    """How much a run held at one moment."""

    raw: int
    rejected: int
    size: int


@dataclass(slots=True)
class Run:
    """What goes into one transaction."""

    raw: list[RawArticle] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    ledger: list[tuple[Look, Known]] = field(default_factory=list)
    size: int = 0
    """Bytes of content."""

    moved: list[Look] = field(default_factory=list)
    """Files that changed while they were read."""
    unreadable: list[Look] = field(default_factory=list)
    """Files that the system failed to read."""

    @property
    def fullness(self) -> float:
        """1.0 and above: nothing more should go in."""
        records = len(self.raw) + len(self.rejected) + len(self.ledger)
        return max(self.size / RUN_BYTES, records / RUN_RECORDS)

    def mark(self) -> Mark:
        """A point to `rollback` to."""
        return Mark(len(self.raw), len(self.rejected), self.size)

    def rollback(self, mark: Mark) -> None:
        """Forget the articles that came in after the mark."""
        del self.raw[mark.raw :], self.rejected[mark.rejected :]
        self.size = mark.size


@dataclass(frozen=True, slots=True)
class Origin:
    """What every article of an inbox is stamped with."""

    label: str
    received: str
    """RFC 3339 UTC."""


class Taker:
    """Takes one ready file, over as many runs as it needs. Blocking: for a thread.

    Opening, planning and reading happen in `fill`, so its errors are the file's. Call `close` when done with it.
    """

    def __init__(self, root: bytes, look: Look, form: Format, known: Known | None, limits: Limits) -> None:
        self.look = look
        self._root = root
        self._form = form
        self._limits = limits
        self._known = known or Known()
        self._first = known is None
        self._noted = False
        self._position = 0
        self._source = source_name(look.path)
        self._file: InboxFile | None = None
        self._entries: Iterator[Entry] | None = None

    def fill(self, run: Run, origin: Origin) -> bool:
        """Add articles and one ledger record to `run` until it is full; True once the file is done.

        Raises FileMoved, or OSError where the system could not read; then the run is as it was before.
        """
        mark = run.mark()
        try:
            state = self._take(run, origin)
            if self._file:
                self._file.check_still()
        except (FileMoved, OSError):
            run.rollback(mark)
            raise
        self._note(run, mark, state)
        return state != "publishing"

    def close(self) -> None:
        """Give the file back; safe to call twice."""
        if self._file:
            self._file.close()

    def _take(self, run: Run, origin: Origin) -> State:
        try:
            if self._entries is None:
                self._entries = self._open()
            for entry in self._entries:
                self._add(run, entry, origin)
                if run.fullness >= 1:
                    return "publishing"
        except BadInput as fault:
            return self._give_up(run, fault)
        except (FileMoved, OSError):
            raise
        except Exception as error:
            # A fault of ours costs this file, never the watcher.
            return self._give_up(run, StageFault(f"split failed unexpectedly: {type(error).__name__}: {error}"))
        return self._known.state if self._noted else "published"

    def _give_up(self, run: Run, fault: BadInput) -> State:
        """Set the file aside. What stood before the fault is in the run and stays there."""
        self._reject(run, Entry(self._position, self._head(), self._position, fault=fault))
        return "rejected"

    def _open(self) -> Iterator[Entry]:
        file = self._file = open_file(self._root, self.look.path)
        if (file.opened.st_size, file.opened.st_mtime_ns) != (self.look.size, self.look.mtime_ns):
            raise FileMoved
        known = self._known
        same = self._first or file.starts_with(known.sha256, known.hashed)
        what = plan(None if self._first else known, file.opened.st_size, same, not self._first and self._grows(file))
        if what is Plan.NOTE:
            self._noted, self._position = True, known.position
            return iter(())
        if what is not Plan.GO_ON:
            self._known = replace(known, position=0, version=known.version + (what is Plan.REPLACE))
        self._position = self._known.position
        whole = partial(window, file.read_at, file.opened.st_size)
        return split(file.read, self._source, self._form, self._limits, self._position, whole)

    def _grows(self, file: InboxFile) -> bool:
        return format_found(file.peek(), self._source, self._form, self._limits).grows

    def _add(self, run: Run, entry: Entry, origin: Origin) -> None:
        if entry.fault:
            self._reject(run, entry)
        else:
            run.raw.append(self._article(entry, origin))
            run.size += len(entry.content)
        self._position = entry.next_position

    def _article(self, entry: Entry, origin: Origin) -> RawArticle:
        sha256 = hashlib.sha256(entry.content).hexdigest()
        version, source = self._known.version, self._source + entry.member
        return RawArticle(
            id=article_id(f"{origin.label}/{source}", entry.position, sha256, version),
            source=source,
            position=entry.position,
            media_type=entry.media_type,
            received=origin.received,
            sha256=sha256,
            content=entry.content,
            version=version,
            single=entry.single,
            inbox=origin.label,
            context=entry.context or {},
        )

    def _reject(self, run: Run, entry: Entry) -> None:
        assert entry.fault  # noqa: S101  # the callers' business
        record = Rejected(
            key=self._source + entry.member,
            content=entry.content,
            reason=entry.fault.reason,
            error=str(entry.fault),
            stage=STAGE,
            source=self._source + entry.member,
            position=entry.position,
        )
        run.rejected.append(record)
        run.size += len(entry.content)

    def _head(self) -> bytes:
        return self._file.head(self._limits.kept_bytes) if self._file else b""

    def _note(self, run: Run, mark: Mark, state: State) -> None:
        """Put the ledger record into the run that says what the run holds of this file."""
        known = replace(
            self._known,
            size=self.look.size,
            mtime_ns=self.look.mtime_ns,
            ctime_ns=self.look.ctime_ns,
            position=self._position,
            published=self._known.published + len(run.raw) - mark.raw,
            rejected=self._known.rejected + len(run.rejected) - mark.rejected,
            state=state,
        )
        if self._file and not self._noted:
            known = replace(known, sha256=self._file.sha256, hashed=self._file.hashed)
        self._known = known
        run.ledger.append((self.look, known))
