"""One inbox, watched: looks find what is ready, runs publish it, the ledger remembers."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from aiokafka.errors import KafkaError, ProducerFenced

from pipeline.clock import Clock, rfc3339
from pipeline.errors import FencedError
from pipeline.inbox.after import after_dir, put_away
from pipeline.inbox.feeder import Feeder
from pipeline.inbox.folder import Folder, Survey, survey
from pipeline.inbox.hints import Hints
from pipeline.inbox.ledger import Known, Ledger
from pipeline.inbox.publisher import Publisher, read_ledger
from pipeline.inbox.scan import Look, inbox_label
from pipeline.inbox.taking import Run
from pipeline.metrics import Meter
from pipeline.records import source_name
from pipeline.settings import Settings
from pipeline.topics import topic_name

log = logging.getLogger(__name__)

T = TypeVar("T")
_RETRY_SECONDS = 1.0
# The one that took over needs a moment to sign the ledger.
_HANDOVER_SECONDS = 2.0
# A huge inbox is scanned less often: a look may take a tenth of the time at most.
_SCAN_SHARE = 0.1
_FAILURES = (KafkaError, OSError, TimeoutError)


@dataclass(slots=True)
class Session:
    """What lasts from one connection to its failure."""

    publisher: Publisher
    ledger: Ledger
    feeder: Feeder


class InboxWatcher:
    """Watches one inbox until `stop`. `changed` is called whenever the counts or the waiting files may differ."""

    def __init__(self, settings: Settings, inbox: str, clock: Clock, meter: Meter, changed: Callable[[], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._meter = meter
        self._changed = changed
        self._root = os.fsencode(os.path.abspath(inbox))
        self.label = inbox_label(inbox)
        self._source = Path(inbox).resolve().name
        self._target = after_dir(settings, inbox) if settings.after == "move" else None
        self._owner = f"{os.uname().nodename}:{os.getpid()}:{uuid4().hex[:8]}"
        self._hints = Hints(self._root)
        self._session: Session | None = None
        self._connected = asyncio.Event()
        self._work = asyncio.Event()
        # Looking and reading side by side, one thread each; never two of a kind at once.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix=f"inbox {self.label}")
        self.folder = Folder(settings.settle_seconds)
        self.published = 0
        self.rejected = 0
        self.scanned = ""
        self.why = "connecting to Kafka"

    @property
    def idle(self) -> bool:
        """Whether everything that can be published is, by a full look since the ledger was read."""
        return self._session is not None and self.folder.idle and not self._hints

    async def run(self, stop: asyncio.Event) -> None:
        """Raises FencedError where another watcher took the inbox over."""
        try:
            await together(
                stop, {"hints": self._hints.follow(self._lost), "looks": self._look_on(), "runs": self._publish_on()}
            )
        finally:
            if self._session:
                self._session.feeder.close()
                await self._session.publisher.close()
            self._threads.shutdown(wait=False, cancel_futures=True)

    def waiting(self) -> Iterable[tuple[str, str, str]]:
        """Source, reason, and since when (RFC 3339) for every file that waits."""
        for path, reason, since in self.folder.waiting():
            yield source_name(path), reason, self._at(since)

    def set_gauges(self) -> None:
        """Bring the gauges of the waiting files up to date."""
        for reason, number in self.folder.counts().items():
            self._meter.set("files_waiting", number, source=self._source, waiting=reason)
        oldest = self.folder.oldest()
        age = 0.0 if oldest is None else self._clock.monotonic() - oldest
        self._meter.set("oldest_waiting_file_seconds", age, source=self._source)

    def _at(self, monotonic: float) -> str:
        return rfc3339(self._clock.now() - timedelta(seconds=self._clock.monotonic() - monotonic))

    def _now(self) -> str:
        return rfc3339(self._clock.now())

    def _lost(self) -> None:
        self._meter.add("watch_events_lost_total", source=self._source)

    async def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    # --- looks ---

    async def _look_on(self) -> None:
        next_scan = self._clock.monotonic()
        while True:
            await self._connected.wait()
            at = self._clock.monotonic()
            complete = at >= next_scan or self._hints.overflow or not self.folder.scanned
            await self._look(complete)
            if complete:
                took = self._clock.monotonic() - at
                next_scan = at + max(self._settings.scan_seconds, took / _SCAN_SHARE)
            await self._pause(next_scan)

    async def _look(self, complete: bool) -> None:
        session = self._session
        if session is None:
            return
        paths = self._hints.take() | {path for path, _ in self.folder.sightings.waiting()}
        begun = self._clock.monotonic()
        found = await self._in_thread(
            survey, self._root, session.ledger, None if complete else paths, self._settings.after != "keep"
        )
        # The ledger was replaced while we looked: what it did not know, the next look decides.
        if session is not self._session:
            return
        self._take_in(found, begun, session.feeder)
        for look in found.published:
            await self._put_away(look)

    def _take_in(self, found: Survey, begun: float, feeder: Feeder) -> None:
        before = self.folder.discovered
        # `begun`, not the end: a file stood still at least until it was looked at.
        for look in self.folder.see(found, begun):
            feeder.add(look)
            self._meter.observe("file_size_bytes", look.size, source=self._source)
        self._meter.add("files_discovered_total", self.folder.discovered - before, source=self._source)
        if found.complete:
            self.scanned = self._now()
            took = self._clock.monotonic() - begun
            self._meter.observe("scan_duration_seconds", took, source=self._source)
            self._meter.set("scan_last_success_timestamp_seconds", self._clock.now().timestamp(), source=self._source)
        if feeder:
            self._work.set()
        self._changed()

    async def _pause(self, next_scan: float) -> None:
        """Until something is to be looked at: a hint, a file that may have settled, or the next full scan."""
        due = self.folder.sightings.next_look()
        until = next_scan if due is None else min(next_scan, due)
        # A little late rather than a little early: an early look would have to be repeated.
        seconds = until - self._clock.monotonic() + 0.005
        # Not wait_for(): in Python 3.11 it may swallow a cancellation that comes together with the hint.
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0.02)):
                await self._hints.arrived.wait()

    # --- runs ---

    async def _publish_on(self) -> None:
        while True:
            try:
                await self._connect()
                await self._publish()
            except ProducerFenced as error:
                await self._check_ownership(error)
            except _FAILURES as error:
                self.why = f"Kafka at {self._settings.broker} fails ({error or type(error).__name__}); trying again"
                log.warning("inbox %s: %s", self.label, self.why)
            await self._disconnect()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _connect(self) -> None:
        publisher = Publisher(self._settings, self.label, self._owner)
        try:
            ledger = await publisher.open()
            feeder = Feeder(self._root, self.label, ledger, await publisher.limits())
        except BaseException:
            await publisher.close()
            raise
        self._session = Session(publisher, ledger, feeder)
        self.folder.restart()
        self.why = ""
        self._connected.set()
        self._changed()

    async def _disconnect(self) -> None:
        session, self._session = self._session, None
        self._connected.clear()
        self.folder.restart()
        self._changed()
        if session:
            session.feeder.close()
            await session.publisher.close()

    async def _publish(self) -> None:
        """Publish run after run, the next one read while the last one is committed, until something fails."""
        session = self._session
        assert session  # noqa: S101  # just connected
        ahead = self._read_ahead(session)
        try:
            while True:
                run = await ahead
                self._set_aside(run)
                if not run.ledger:
                    await self._work.wait()
                self._work.clear()
                ahead = self._read_ahead(session)
                if run.ledger:
                    await self._commit(session, run)
        finally:
            # The thread must have let go of the feeder before anyone closes it.
            with suppress(Exception):
                await ahead

    def _read_ahead(self, session: Session) -> asyncio.Task[Run]:
        return asyncio.create_task(self._in_thread(session.feeder.fill, self._now()), name="next run")

    def _set_aside(self, run: Run) -> None:
        for look in run.moved:
            self.folder.done(look.path)
            self._hints.add(look.path)
        for look in run.unreadable:
            self.folder.failed(look.path, self._clock.monotonic())

    async def _commit(self, session: Session, run: Run) -> None:
        begun = self._clock.monotonic()
        await session.publisher.commit(run, self._now())
        self._meter.observe("kafka_produce_seconds", self._clock.monotonic() - begun)
        self._count(run)
        for look, known in run.ledger:
            session.ledger.put(look.path, known)
            if known.state != "publishing":
                self.folder.done(look.path)
                await self._finish(look, known)
        self._changed()

    async def _finish(self, look: Look, known: Known) -> None:
        if known.state == "published":
            self._meter.add("files_published_total", source=self._source)
            if self._settings.after != "keep":
                await self._put_away(look)

    def _count(self, run: Run) -> None:
        self.published += len(run.raw)
        self.rejected += len(run.rejected)
        self._meter.add("articles_published_total", len(run.raw), source=self._source)
        self._meter.add("file_read_bytes_total", run.size, source=self._source)
        for bad in run.rejected:
            self._meter.add("files_rejected_total", source=self._source, reason=bad.reason)
        for name, records in (("raw", run.raw), ("rejected", run.rejected), ("files", run.ledger)):
            self._meter.add("kafka_produced_total", len(records), topic=topic_name(self._settings.prefix, name))

    async def _put_away(self, look: Look) -> None:
        try:
            await self._in_thread(put_away, self._root, look, self._target)
        except OSError as error:
            log.warning("cannot put away %s: %s; it is published and stays", source_name(look.path), error)

    async def _check_ownership(self, error: ProducerFenced) -> None:
        """A fenced producer has a rival, or its transaction outlived its time: the ledger's signature tells."""
        await asyncio.sleep(_HANDOVER_SECONDS)
        with suppress(*_FAILURES):
            owner = (await read_ledger(self._settings, self.label)).owner
            if owner != self._owner:
                raise FencedError(
                    f"another watcher ({owner}) took over the inbox named {self.label}; stop one of the two, or"
                    " rename one folder if they are different inboxes"
                ) from error


async def together(stop: asyncio.Event, parts: Mapping[str, Coroutine[Any, Any, None]]) -> None:
    """Run all until `stop` or the first failure, which is raised; then end them all."""
    tasks = [asyncio.create_task(part, name=name) for name, part in {**parts, "stop": _wait(stop)}.items()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
