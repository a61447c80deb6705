"""The publishing half of a watcher: run after run, each one transaction, over any number of connections."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from uuid import uuid4

from aiokafka.errors import KafkaError, ProducerFenced

from pipeline.errors import FencedError
from pipeline.inbox.feeder import Feeder
from pipeline.inbox.looks import dispose
from pipeline.inbox.publisher import Publisher
from pipeline.inbox.reading import read_ledger
from pipeline.inbox.state import Inbox, Session
from pipeline.inbox.taking import Run
from pipeline.kafka import refused
from pipeline.topics import topic_name
from pipeline.transactions import failure

log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
# The one that took over needs a moment to sign the ledger.
_HANDOVER_SECONDS = 2.0
_FAILURES = (KafkaError, OSError, TimeoutError)


async def publish_on(inbox: Inbox) -> None:
    """Publish what is ready until cancelled; wait where Kafka does not answer.

    After any failure the outcome of the last transaction is open, so everything starts over from the ledger.
    Raises FencedError where another watcher took the inbox over, AccessRefusedError where Kafka does not let us.
    """
    owner = f"{os.uname().nodename}:{os.getpid()}:{uuid4().hex[:8]}"
    try:
        while True:
            try:
                await _publish(inbox, await _connect(inbox, owner))
            except ProducerFenced as error:
                await _check_ownership(inbox, owner, error)
            except _FAILURES as error:
                denied = refused(inbox.settings, error)
                if denied:
                    raise denied from error
                inbox.why = f"Kafka at {inbox.settings.broker}: {error or type(error).__name__}; trying again"
                log.warning("inbox %s: %s", inbox.label, inbox.why)
            await _disconnect(inbox)
            await asyncio.sleep(_RETRY_SECONDS)
    finally:
        await _disconnect(inbox)


async def _connect(inbox: Inbox, owner: str) -> Session:
    publisher = Publisher(inbox.settings, inbox.label, owner)
    try:
        ledger = await publisher.open()
        feeder = Feeder(inbox.root, inbox.label, ledger, await publisher.limits())
    except BaseException:
        await publisher.close()
        raise
    inbox.session = session = Session(publisher, ledger, feeder)
    inbox.folder.restart()
    inbox.why = ""
    inbox.connected.set()
    inbox.changed()
    return session


async def _disconnect(inbox: Inbox) -> None:
    session, inbox.session = inbox.session, None
    inbox.connected.clear()
    inbox.folder.restart()
    inbox.changed()
    if session:
        session.feeder.close()
        await session.publisher.close()


async def _publish(inbox: Inbox, session: Session) -> None:
    """Publish run after run, the next one read while the last one is committed, until something fails."""
    ahead = _read_ahead(inbox, session)
    try:
        while True:
            run = await ahead
            _set_aside(inbox, run)
            if not run.ledger:
                await inbox.work.wait()
            inbox.work.clear()
            ahead = _read_ahead(inbox, session)
            if run.ledger:
                await _commit(inbox, session, run)
    finally:
        # The thread must have let go of the feeder before anyone closes it.
        with suppress(Exception):
            await ahead


def _read_ahead(inbox: Inbox, session: Session) -> asyncio.Task[Run]:
    return asyncio.create_task(inbox.in_thread(session.feeder.fill, inbox.now()), name="next run")


def _set_aside(inbox: Inbox, run: Run) -> None:
    for look in run.moved:
        inbox.put_aside(look)
    for look in run.unreadable:
        inbox.folder.failed(look.path, inbox.clock.monotonic())


async def _commit(inbox: Inbox, session: Session, run: Run) -> None:
    begun = inbox.clock.monotonic()
    try:
        await session.publisher.commit(run, inbox.now())
    except _FAILURES as error:
        inbox.meter.add("kafka_produce_errors_total", role="watcher", error_type=failure(error))
        raise
    inbox.meter.observe("kafka_produce_seconds", inbox.clock.monotonic() - begun, role="watcher")
    _count(inbox, run)
    done = [(look, known) for look, known in run.ledger if known.state != "publishing"]
    for look, known in run.ledger:
        session.ledger.put(look.path, known)
    for look, _ in done:
        inbox.folder.done(look.path)
    inbox.changed()
    for look, known in done:
        if known.state == "published":
            await dispose(inbox, look)


def _count(inbox: Inbox, run: Run) -> None:
    inbox.published += len(run.raw)
    inbox.rejected += len(run.rejected)
    inbox.count("articles_published_total", len(run.raw))
    inbox.count("files_published_total", sum(known.state == "published" for _, known in run.ledger))
    inbox.count("file_read_bytes_total", run.size)
    for bad in run.rejected:
        inbox.count("files_rejected_total", reason=bad.reason)
    for name, records in (("raw", run.raw), ("rejected", run.rejected), ("files", run.ledger)):
        inbox.meter.add("kafka_produced_total", len(records), topic=topic_name(inbox.settings.prefix, name))


async def _check_ownership(inbox: Inbox, owner: str, error: ProducerFenced) -> None:
    """A fenced producer has a rival, or its transaction outlived its time: the ledger's signature tells."""
    await asyncio.sleep(_HANDOVER_SECONDS)
    with suppress(*_FAILURES):
        other = (await read_ledger(inbox.settings, inbox.label)).owner
        if other != owner:
            raise FencedError(
                f"another watcher ({other}) took over the inbox named {inbox.label}; stop one of the two, or"
                " rename one folder if they are different inboxes"
            ) from error
