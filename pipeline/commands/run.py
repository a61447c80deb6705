"""`copydesk run`: everything on this machine. Starts the broker and the roles, looks at the books, shows them.

broker ─▶ topics ─▶ watcher + workers (children) ─▶ books, endpoint, view ─▶ … ─▶ children stop ─▶ broker stops
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.broker import EmbeddedBroker
from pipeline.broker.place import Lock
from pipeline.clock import SystemClock
from pipeline.commands.children import Children
from pipeline.commands.view import View
from pipeline.errors import BrokerUnreachableError, FolderError
from pipeline.kafka import check_reachable, ensure_topics
from pipeline.monitor.board import Note, board_in
from pipeline.monitor.report import STORIES, WATCHER, Report
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.metrics import Meter
    from pipeline.monitor.books import Books
    from pipeline.monitor.snapshot import Snapshot

_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 2.0
_IDLE_LOOKS = 2
_LEAK_LOOKS = 20
LOCK_FILE = "run.lock"
METRICS_FOLDER = "metrics"
LOG_FILE = "run.log"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments beside the settings."""
    parser.add_argument(
        "--until-idle",
        action="store_true",
        help="end when all that is in the inboxes has come out: 0 if the books balance",
    )


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Run until a signal, or until idle; 0 when well, 1 when the books do not balance."""
    data_dir = Path(settings.data_dir)
    for inbox in settings.inbox:
        if not Path(inbox).is_dir():
            raise FolderError(f"there is no folder {inbox}; make it (mkdir -p {inbox}) or name another with --inbox")
    with _owned(data_dir):
        _merge_metrics_in(data_dir / METRICS_FOLDER)
        return asyncio.run(_run(settings, args.until_idle))


@contextmanager
def _owned(data_dir: Path) -> Iterator[None]:
    """Hold `data_dir` alone: board, metrics and log are of one `run`. Raises FolderError."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = Lock(data_dir / LOCK_FILE)
    except OSError as error:
        raise FolderError(f"cannot write in {data_dir} ({error.strerror}); choose another --data-dir") from error
    with lock:
        if not lock.take():
            raise FolderError(
                f"{data_dir} is in use by another copydesk (process {lock.holder()});"
                " stop that one, or choose another --data-dir"
            )
        lock.write_holder(os.getpid())
        yield


def _merge_metrics_in(folder: Path) -> None:
    """Let all our processes count into files there, so that one endpoint shows their sum.

    Must happen before prometheus_client is imported, which is why this module imports `metrics` late.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


async def _run(settings: Settings, until_idle: bool) -> int:
    from pipeline.commands.roles import stop_on_signals
    from pipeline.metrics import Meter, forget_process, open_labels
    from pipeline.monitor.books import Books
    from pipeline.monitor.pulse import pulse

    stop = stop_on_signals(settings.drain_seconds + 20)
    async with AsyncExitStack() as stack:
        settings, check_broker = await _broker(settings, stack)
        if stop.is_set():
            return 0
        await ensure_topics(settings)
        log = stack.enter_context((Path(settings.data_dir) / LOG_FILE).open("ab"))
        board = board_in(settings.data_dir)
        children = Children(settings, SystemClock(), log, _say, forget_process)
        stack.push_async_callback(children.stop)
        meter = Meter(open_labels=open_labels(settings), role="run")
        heart = asyncio.create_task(pulse(meter, "run", SystemClock()), name="pulse")
        stack.callback(heart.cancel)
        books = Books(settings, meter)
        stack.push_async_callback(books.stop)
        before = (await books.refresh()).received
        children.start("watch")
        for _ in range(settings.workers or os.cpu_count() or 1):
            children.start("worker")
        children.start("stories")

        def check() -> None:
            check_broker()
            children.check()

        def notes() -> list[Note]:
            # A run that was killed leaves children behind for a moment; what they say is not about this one.
            return [note for note in board.read() if note["pid"] in children.pids]

        metrics, page, status = await _open_endpoints(settings, stack, meter, children, notes)
        status["processes"] = len(children.children)
        view = stack.enter_context(View(settings, metrics, page))
        return await _look(view, books, notes, status, check, stop, Idle(before) if until_idle else None)


async def _broker(settings: Settings, stack: AsyncExitStack) -> tuple[Settings, Callable[[], None]]:
    """Settings with an address, and a check that raises where our own broker has died."""
    if settings.broker:
        await check_reachable(settings)
        return settings, lambda: None
    embedded = EmbeddedBroker(Path(settings.data_dir), settings.broker_port, _say)
    stack.callback(embedded.stop)
    await asyncio.to_thread(embedded.start)
    return replace(settings, broker=embedded.bootstrap), embedded.check


async def _look(
    view: View,
    books: Books,
    notes: Callable[[], list[Note]],
    status: dict[str, Any],
    check: Callable[[], None],
    stop: asyncio.Event,
    idle: Idle | None,
) -> int:
    """Look at the books over and over, show them, and decide when it is over. `check` raises where something died."""

    def meanwhile() -> None:
        check()
        view.show(view.report.books, notes())
        status.update(view.report.as_json())

    while not stop.is_set():
        check()
        try:
            view.show(await patiently(books.refresh(), meanwhile), notes())
        except BrokerUnreachableError as error:
            # A cluster may be away for a while; the roles wait for it too. Our own broker is looked after by `check`.
            view.show(view.report.books, [{"role": "run", "pid": os.getpid(), "why": str(error)}])
        status.update(view.report.as_json())
        if idle and idle.reached(view.report):
            break
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await stop.wait()
    view.summary(view.report.books, view.report.notes)
    return exit_code(view.report, until_idle=idle is not None)


async def patiently(
    look: Coroutine[Any, Any, Snapshot], meanwhile: Callable[[], None], seconds: float = _PATIENCE_SECONDS
) -> Snapshot:
    """What `look` comes to; each time `seconds` pass without it, `meanwhile` is called, and what it raises ends it.

    A client waits up to 40 s for a Kafka that is gone. The roles tell of it at once, and so does a broker of our own.
    """
    task = asyncio.create_task(look, name="look at the books")
    try:
        while not (await asyncio.wait({task}, timeout=seconds))[0]:
            meanwhile()
        return await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def exit_code(report: Report, *, until_idle: bool) -> int:
    """0 when well; 1 where all was to come out and the books do not balance."""
    return 1 if until_idle and not report.books.balanced else 0


class Idle:
    """Decides when everything in the inboxes has come out. `before`: articles received before the watcher started."""

    def __init__(self, before: int) -> None:
        self._before = before
        self._looks = 0

    def reached(self, report: Report) -> bool:
        """Whether `report` and the one before both say so: a commit shows a moment after it is acknowledged.

        Books that do not balance although nothing is left to do get ten seconds to change before it is over.
        """
        published = sum(int(note.get("published", 0)) for note in report.notes_of(WATCHER))
        arrived = report.books.received >= self._before + published
        self._looks = self._looks + 1 if is_idle(report) and arrived else 0
        return self._looks >= (_IDLE_LOOKS if report.books.balanced else _LEAK_LOOKS)


async def _open_endpoints(
    settings: Settings, stack: AsyncExitStack, meter: Meter, children: Children, notes: Callable[[], list[Note]]
) -> tuple[str, str, dict[str, Any]]:
    """Serve all roles' metrics and the live page; returns their addresses and the dictionary behind both."""
    from pipeline.monitor.access import access_of
    from pipeline.monitor.endpoint import Endpoint
    from pipeline.monitor.web.server import Page

    status: dict[str, Any] = {}
    endpoint = Endpoint(
        meter.registry,
        host=settings.metrics_host,
        port=settings.metrics_port,
        reasons=lambda: not_ready(notes(), len(children.children)),
        status=lambda: status,
        access=access_of(settings),
    )
    await endpoint.start()
    stack.push_async_callback(endpoint.stop)
    page = Page(settings, lambda: status)
    # News matters more than the page about it, and two runs on one machine are nothing odd: any other port will do.
    await page.start(elsewhere=True)
    stack.push_async_callback(page.stop)
    _say(f"Kafka at {settings.broker}; metrics on {endpoint.address}")
    moved = f" (port {settings.page_port} is taken)" if settings.page_port not in (0, page.port) else ""
    _say(f"Live page: {page.address}{moved}")
    return endpoint.address, page.address, status


def is_idle(report: Report) -> bool:
    """Whether nothing is left to do: for the watcher to find, the workers to read, the stories to count."""
    watched, told = (any(note.get("idle") for note in report.notes_of(role)) for role in (WATCHER, STORIES))
    return watched and told and not report.books.lag_messages


def not_ready(notes: Sequence[Mapping[str, Any]], children: int) -> list[str]:
    """Why the whole is not ready; empty when it is."""
    reasons = [f"{note['role']} {note['pid']}: {note['why']}" for note in notes if not note.get("ready", True)]
    missing = children - len(notes)
    return reasons + ([f"{missing} of {children} processes have not reported yet"] if missing > 0 else [])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
