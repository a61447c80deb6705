"""Which ready file goes into which run: small files first, so that a huge one never keeps them waiting."""

from __future__ import annotations

from collections import deque

from pipeline.formats import Format, promised
from pipeline.inbox.files import FileMoved
from pipeline.inbox.ledger import Ledger
from pipeline.inbox.scan import Look
from pipeline.inbox.splitters import Limits
from pipeline.inbox.taking import Origin, Run, Taker

_SMALL_BYTES = 1 << 20
# Links, FIFOs and sockets have no format; they are opened as any file is, and refused there.
_ANY = Format("any", "application/octet-stream", (), "none of ours")


class Feeder:
    """The queue of ready files. `add` on the event loop, `fill` in a thread, one at a time."""

    def __init__(self, root: bytes, label: str, ledger: Ledger, limits: Limits) -> None:
        self._root = root
        self._label = label
        self._ledger = ledger
        self._limits = limits
        self._small: deque[Look] = deque()
        self._large: deque[Look] = deque()
        self._open: deque[Taker] = deque()

    def __len__(self) -> int:
        return len(self._small) + len(self._large) + len(self._open)

    def add(self, look: Look) -> None:
        """Put a ready file into the queue."""
        (self._small if look.size <= _SMALL_BYTES else self._large).append(look)

    def fill(self, received: str) -> Run:
        """One transaction's worth of articles; empty when nothing is ready. `received`: RFC 3339 UTC."""
        run, origin = Run(), Origin(self._label, received)
        share = 0.5 if self._large or self._open else 1.0
        while self._small and run.fullness < share:
            self._take(self._taker(self._small.popleft()), run, origin)
        while (self._open or self._large) and run.fullness < 1:
            self._take(self._open.popleft() if self._open else self._taker(self._large.popleft()), run, origin)
        return run

    def close(self) -> None:
        """Let go of every file."""
        while self._open:
            self._open.popleft().close()

    def _taker(self, look: Look) -> Taker:
        form = promised(look.path) if look.kind == "file" else None
        return Taker(self._root, look, form or _ANY, self._ledger.get(look.path), self._limits)

    def _take(self, taker: Taker, run: Run, origin: Origin) -> None:
        try:
            done = taker.fill(run, origin)
        except FileMoved:
            run.moved.append(taker.look)
        except OSError:
            run.unreadable.append(taker.look)
        else:
            if not done:
                self._open.append(taker)
                return
        taker.close()
