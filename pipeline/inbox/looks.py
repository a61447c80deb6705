"""The looking half of a watcher: full scans for the truth, looks at what events hint at in between."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from pipeline.inbox.after import put_away
from pipeline.inbox.folder import Survey, survey
from pipeline.inbox.scan import Look
from pipeline.inbox.state import Inbox, Session
from pipeline.records import source_name

log = logging.getLogger(__name__)

# A huge inbox is scanned less often: looking may take a tenth of the time at most.
_SCAN_SHARE = 0.1
_SHORTEST_PAUSE_SECONDS = 0.02
_REPEAT_SECONDS = 60.0


async def look_on(inbox: Inbox) -> None:
    """Look whenever something may be ready, until cancelled. What is ready goes to the session's feeder."""
    next_scan = inbox.clock.monotonic()
    while True:
        await inbox.connected.wait()
        begun = inbox.clock.monotonic()
        complete = begun >= next_scan or inbox.hints.overflow or not inbox.folder.scanned
        await _look(inbox, complete, begun)
        if complete:
            took = inbox.clock.monotonic() - begun
            next_scan = begun + max(inbox.settings.scan_seconds, took / _SCAN_SHARE)
        await _pause(inbox, next_scan)


async def dispose(inbox: Inbox, look: Look) -> None:
    """Do with a published file what `after` says. A failure is logged: the file is published and stays."""
    if inbox.settings.after == "keep":
        return
    try:
        await inbox.in_thread(put_away, inbox.root, look, inbox.target)
    except OSError as error:
        _say_kept(inbox, look, error)


def _say_kept(inbox: Inbox, look: Look, error: OSError) -> None:
    """One line a minute: where one file cannot be put away, thousands cannot, and every full look tries again."""
    now = inbox.clock.monotonic()
    if now < inbox.kept_due:
        inbox.kept += 1
        return
    more = f" (and {inbox.kept} more times since this was last said)" if inbox.kept else ""
    log.warning("cannot put away %s: %s; it is published and stays%s", source_name(look.path), error, more)
    inbox.kept, inbox.kept_due = 0, now + _REPEAT_SECONDS


async def _look(inbox: Inbox, complete: bool, begun: float) -> None:
    session = inbox.session
    if session is None:
        return
    paths = inbox.hints.take() | {path for path, _ in inbox.folder.sightings.waiting()}
    found = await inbox.in_thread(
        survey, inbox.root, session.ledger, None if complete else paths, inbox.settings.after != "keep"
    )
    # A ledger that was replaced while we looked may know more; the next look asks it.
    if session is not inbox.session:
        return
    # `begun`, not now: a file stood still at least until it was looked at.
    _take_in(inbox, session, found, begun)
    for look in found.published:
        await dispose(inbox, look)


def _take_in(inbox: Inbox, session: Session, found: Survey, begun: float) -> None:
    # What was committed while we looked is settled by now.
    found.files = [look for look in found.files if not session.ledger.settled(look)]
    found.odd = [look for look in found.odd if not session.ledger.settled(look)]
    before = inbox.folder.discovered
    for look in inbox.folder.see(found, begun):
        session.feeder.add(look)
        inbox.meter.observe("file_size_bytes", look.size, source=inbox.source)
    inbox.count("files_discovered_total", inbox.folder.discovered - before)
    if found.complete:
        inbox.scanned = inbox.now()
        took = inbox.clock.monotonic() - begun
        inbox.meter.observe("scan_duration_seconds", took, source=inbox.source)
        inbox.meter.set("scan_last_success_timestamp_seconds", inbox.clock.now().timestamp(), source=inbox.source)
    if session.feeder:
        inbox.work.set()
    inbox.changed()


async def _pause(inbox: Inbox, next_scan: float) -> None:
    """Until something is to be looked at: a hint, a file that may have settled, or the next full scan."""
    due = inbox.folder.sightings.next_look()
    until = next_scan if due is None else min(next_scan, due)
    # A little late rather than a little early: an early look would have to be repeated.
    seconds = until - inbox.clock.monotonic() + 0.005
    # Not wait_for(): in Python 3.11 it may swallow a cancellation that comes together with the hint.
    with suppress(TimeoutError):
        async with asyncio.timeout(max(seconds, _SHORTEST_PAUSE_SECONDS)):
            await inbox.hints.arrived.wait()
