"""File system events as hints where to look at once. They may come late, twice or never: the scan is the truth."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

from watchfiles import awatch

log = logging.getLogger(__name__)

# Beyond this many paths a full scan is quicker than looking at each.
_MOST = 1000
_RESTART_SECONDS = 2.0


class Hints:
    """Paths to look at, gathered between two looks."""

    def __init__(self, root: bytes) -> None:
        self._root = os.path.realpath(root)
        self._paths: set[bytes] = set()
        self.overflow = False
        """Too many to keep, or events were lost: look at everything."""
        self.arrived = asyncio.Event()

    def __len__(self) -> int:
        return len(self._paths) + self.overflow

    def add(self, path: bytes) -> None:
        """Look at this inbox-relative path soon."""
        self._paths.add(path)
        if len(self._paths) > _MOST:
            self.overflow = True
            self._paths.clear()
        self.arrived.set()

    def add_all(self) -> None:
        """Look at everything soon."""
        self.overflow = True
        self.arrived.set()

    def take(self) -> set[bytes]:
        """The paths so far; the gathering starts anew."""
        paths, self._paths = self._paths, set()
        self.overflow = False
        self.arrived.clear()
        return paths

    async def follow(self, lost: Callable[[], None]) -> None:
        """Gather events until cancelled. `lost` is called each time the event watch broke.

        One file name that is no UTF-8 ends a watchfiles watch, hence the restarts, each with a full look.
        """
        while True:
            try:
                # watchfiles sets its stop event when cancelled, so it gets one of its own.
                async for changes in awatch(
                    os.fsdecode(self._root), watch_filter=None, debounce=200, stop_event=asyncio.Event()
                ):
                    for _, path in changes:
                        self._add_event(os.fsencode(path))
            except Exception as error:
                log.info("the event watch on %r broke (%s); scanning goes on", self._root, error)
            lost()
            self.add_all()
            await asyncio.sleep(_RESTART_SECONDS)

    def _add_event(self, path: bytes) -> None:
        inside = self._root.rstrip(b"/") + b"/"
        if path.startswith(inside):
            self.add(path[len(inside) :])
