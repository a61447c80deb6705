"""The role `watch`: all inboxes of the settings, until told to stop, with a report about once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from itertools import chain, islice
from typing import Any

from pipeline.clock import Clock
from pipeline.inbox.inboxes import check_inboxes
from pipeline.inbox.watcher import InboxWatcher, together
from pipeline.metrics import Meter
from pipeline.settings import Settings

Report = Callable[[Mapping[str, Any]], None]

_REPORT_SECONDS = 1.0
# Changes come in bursts; between two reports this much time passes at least.
_BREATH_SECONDS = 0.1
_SHOWN = 100


async def watch(settings: Settings, clock: Clock, meter: Meter, report: Report, stop: asyncio.Event) -> None:
    """Publish what is and what comes into the inboxes until `stop` is set. The topics must exist.

    `report` is called on change and at least once a second with `ready`, `why` (not ready), `idle` (everything is
    published, by at least one full look), `published` and `rejected` (records so far), `discovered` (files so
    far), `scanned` (RFC 3339), `waiting_total` and `waiting`: up to 100 of `source`, `reason`, `since`.
    A broker that does not answer is waited for. Raises FolderError where an inbox cannot be watched, and FencedError
    where another watcher took one over.
    """
    check_inboxes(settings)
    changed = asyncio.Event()
    watchers = [InboxWatcher(settings, inbox, clock, meter, changed.set) for inbox in settings.inbox]
    parts: dict[str, Coroutine[Any, Any, None]] = {f"inbox {watcher.label}": watcher.run(stop) for watcher in watchers}
    await together(stop, {**parts, "report": _report_on(watchers, report, changed)})


async def _report_on(watchers: list[InboxWatcher], report: Report, changed: asyncio.Event) -> None:
    while True:
        changed.clear()
        for watcher in watchers:
            watcher.set_gauges()
        report(summary(watchers))
        await asyncio.sleep(_BREATH_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(_REPORT_SECONDS - _BREATH_SECONDS):
                await changed.wait()


def summary(watchers: list[InboxWatcher]) -> dict[str, Any]:
    """All inboxes as one report."""
    waiting = chain.from_iterable(watcher.waiting() for watcher in watchers)
    return {
        "ready": not any(watcher.why for watcher in watchers),
        "why": "; ".join(watcher.why for watcher in watchers if watcher.why),
        "idle": all(watcher.idle for watcher in watchers),
        "published": sum(watcher.published for watcher in watchers),
        "rejected": sum(watcher.rejected for watcher in watchers),
        "discovered": sum(watcher.folder.discovered for watcher in watchers),
        "scanned": min(watcher.scanned for watcher in watchers),
        "waiting_total": sum(len(watcher.folder) for watcher in watchers),
        "waiting": [
            {"source": source, "reason": reason, "since": since} for source, reason, since in islice(waiting, _SHOWN)
        ],
    }
