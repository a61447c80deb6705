"""What the looks and the runs of one inbox share. Everything here belongs to the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from pipeline.clock import Clock, rfc3339
from pipeline.inbox.after import after_dir
from pipeline.inbox.feeder import Feeder
from pipeline.inbox.folder import Folder
from pipeline.inbox.hints import Hints
from pipeline.inbox.ledger import Ledger
from pipeline.inbox.publisher import Publisher
from pipeline.inbox.scan import Look
from pipeline.metrics import Meter
from pipeline.records import inbox_label
from pipeline.settings import Settings

T = TypeVar("T")


@dataclass(slots=True)
class Session:
    """What lasts from one connection to its failure."""

    publisher: Publisher
    ledger: Ledger
    feeder: Feeder


class Inbox:
    """One watched folder. `changed` is called whenever the counts or the waiting files may differ."""

    def __init__(
        self, settings: Settings, folder: str, clock: Clock, meter: Meter, changed: Callable[[], None]
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.meter = meter
        self.changed = changed
        self.root = os.fsencode(os.path.abspath(folder))
        self.label = inbox_label(folder)
        self.source = self.label
        """The metric label."""
        self.target = after_dir(settings, folder) if settings.after == "move" else None
        self.hints = Hints(self.root)
        self.folder = Folder(settings.settle_seconds)
        self.session: Session | None = None
        self.connected = asyncio.Event()
        self.work = asyncio.Event()
        """Something is ready to be published."""
        self.published = 0
        self.rejected = 0
        self.scanned = ""
        """When the last full look ended, RFC 3339."""
        self.why = "connecting to Kafka"
        """Why nothing is published at present; empty: all is well."""
        self.kept = 0
        """How often a file could not be put away since that was last logged."""
        self.kept_due = 0.0
        """When it may be logged again, monotonic seconds."""
        # Looking and reading side by side, one thread each; never two of a kind at once.
        self.threads = ThreadPoolExecutor(2, thread_name_prefix=f"inbox {self.label}")

    @property
    def idle(self) -> bool:
        """Whether everything that can be published is, by a full look since the ledger was read."""
        return self.session is not None and self.folder.idle and not self.hints

    async def in_thread(self, work: Callable[..., T], *args: Any) -> T:
        """Do blocking work beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work, *args)

    def now(self) -> str:
        """The present moment, RFC 3339."""
        return rfc3339(self.clock.now())

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Raise one of this inbox's counters."""
        self.meter.add(name, amount, source=self.source, **labels)

    def put_aside(self, look: Look) -> None:
        """Look at this file again soon, as if for the first time."""
        self.folder.done(look.path)
        self.hints.add(look.path)
