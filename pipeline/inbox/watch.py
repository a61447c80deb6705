"""The role `watch`: all inboxes of the settings, until told to stop, with a report about once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import chain, islice
from typing import Any

from pipeline.clock import Clock, rfc3339
from pipeline.inbox.inboxes import check_inboxes
from pipeline.inbox.looks import look_on
from pipeline.inbox.runs import publish_on
from pipeline.inbox.state import Inbox
from pipeline.metrics import Meter
from pipeline.records import source_name
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
    inboxes = [Inbox(settings, folder, clock, meter, changed.set) for folder in settings.inbox]
    parts: dict[str, Coroutine[Any, Any, None]] = {"report": _report_on(inboxes, report, changed)}
    for inbox in inboxes:
        parts[f"hints of {inbox.label}"] = inbox.hints.follow(partial(inbox.count, "watch_events_lost_total"))
        parts[f"looks at {inbox.label}"] = look_on(inbox)
        parts[f"runs of {inbox.label}"] = publish_on(inbox)
    try:
        await _until(stop, parts)
    finally:
        for inbox in inboxes:
            inbox.threads.shutdown(wait=False, cancel_futures=True)


async def _until(stop: asyncio.Event, parts: Mapping[str, Coroutine[Any, Any, None]]) -> None:
    """Run all parts until `stop` or the first failure, which is raised; then end them all."""
    waiter = asyncio.create_task(_set(stop), name="stop")
    tasks = [waiter, *(asyncio.create_task(part, name=name) for name, part in parts.items())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _set(event: asyncio.Event) -> None:
    await event.wait()


async def _report_on(inboxes: list[Inbox], report: Report, changed: asyncio.Event) -> None:
    while True:
        changed.clear()
        for inbox in inboxes:
            _set_gauges(inbox)
        report(_summary(inboxes))
        await asyncio.sleep(_BREATH_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(_REPORT_SECONDS - _BREATH_SECONDS):
                await changed.wait()


def _set_gauges(inbox: Inbox) -> None:
    for reason, number in inbox.folder.counts().items():
        inbox.meter.set("files_waiting", number, source=inbox.source, waiting=reason)
    oldest = inbox.folder.oldest()
    age = 0.0 if oldest is None else inbox.clock.monotonic() - oldest
    inbox.meter.set("oldest_waiting_file_seconds", age, source=inbox.source)


def _summary(inboxes: list[Inbox]) -> dict[str, Any]:
    return {
        "ready": not any(inbox.why for inbox in inboxes),
        "why": "; ".join(inbox.why for inbox in inboxes if inbox.why),
        "idle": all(inbox.idle for inbox in inboxes),
        "published": sum(inbox.published for inbox in inboxes),
        "rejected": sum(inbox.rejected for inbox in inboxes),
        "discovered": sum(inbox.folder.discovered for inbox in inboxes),
        "scanned": min(inbox.scanned for inbox in inboxes),
        "waiting_total": sum(len(inbox.folder) for inbox in inboxes),
        "waiting": list(islice(chain.from_iterable(_waiting(inbox) for inbox in inboxes), _SHOWN)),
    }


def _waiting(inbox: Inbox) -> Iterator[dict[str, str]]:
    now, monotonic = inbox.clock.now(), inbox.clock.monotonic()
    for path, reason, since in inbox.folder.waiting():
        moment = rfc3339(now - timedelta(seconds=monotonic - since))
        yield {"source": source_name(path), "reason": reason, "since": moment}
