"""One role in one process: `watch`, `worker`, `stories`, `monitor`. As children of `run` they report to its board
instead of serving endpoints of their own, and end when `run` is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

import uvloop

from pipeline.clock import SystemClock
from pipeline.commands import with_broker
from pipeline.errors import AccessRefusedError, BrokerUnreachableError, CopydeskError, OutageError, StreamError
from pipeline.kafka import ensure_topics
from pipeline.metrics import Meter, open_labels
from pipeline.monitor.access import access_of
from pipeline.monitor.board import Board, board_in
from pipeline.monitor.books import Books
from pipeline.monitor.endpoint import Endpoint
from pipeline.monitor.pulse import pulse
from pipeline.monitor.report import Report
from pipeline.monitor.web.server import Page
from pipeline.settings import Settings
from pipeline.stream.pulse import felt, until_felt

State = dict[str, Any]
Body = Callable[[Meter, Callable[[Mapping[str, Any]], None], asyncio.Event], Awaitable[None]]

_BOOKS_SECONDS = 2.0
_ANEW = "--anew"
# What libraries may take to end once nothing of ours is in flight; after that the process ends without them.
_LIBRARIES_SECONDS = 7.0


def add_child_argument(parser: argparse.ArgumentParser) -> None:
    """The hidden flags with which `run` starts its children, and a worker itself."""
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(_ANEW, dest="anew", action="store_true", help=argparse.SUPPRESS)


def run_watch(settings: Settings, args: argparse.Namespace) -> int:
    """`copydesk watch`."""
    from pipeline.inbox.watch import watch

    settings = with_broker(settings)

    async def body(meter: Meter, report: Callable[[Mapping[str, Any]], None], stop: asyncio.Event) -> None:
        await ensure_topics(settings)
        async with felt(settings) as why:
            # One that has nothing to publish would not notice that the broker is gone.
            await watch(settings, SystemClock(), meter, lambda found: report(with_reason(found, why())), stop)

    return _run(settings, "watcher", body, child=args.child)


def run_worker(settings: Settings, args: argparse.Namespace) -> int:
    """`copydesk worker`. Where Kafka goes away in the middle of its work, it becomes a fresh one that waits for it."""
    from pipeline.stream.worker import work

    settings = with_broker(settings)
    # Faust's consumer lives in a thread with a loop of its own, which it takes from the policy.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

    async def body(meter: Meter, report: Callable[[Mapping[str, Any]], None], stop: asyncio.Event) -> None:
        def settle(error: CopydeskError | None) -> None:
            anew = isinstance(error, OutageError) and not stop.is_set()
            _end_soon(error, partial(_begin_anew, settings) if anew else None)

        if args.anew:
            await until_felt(settings, report, stop)
        if stop.is_set():
            return
        try:
            await work(settings, SystemClock(), meter, report, stop, settle)
        except AccessRefusedError:
            raise
        except BrokerUnreachableError as error:
            # Of one that was at work, or whose owner reached Kafka, this is an outage.
            raise OutageError(str(error)) if args.anew or args.child else error from error
        except OutageError as error:
            raise StreamError(str(error)) if stop.is_set() else error from error

    try:
        return _run(settings, "worker", body, child=args.child)
    except OutageError as error:
        _say(error)
        _begin_anew(settings)


def run_stories(settings: Settings, args: argparse.Namespace) -> int:
    """`copydesk stories`: what each story has come to, on a topic of its own."""
    from pipeline.stories.telling import tell

    settings = with_broker(settings)

    async def body(meter: Meter, report: Callable[[Mapping[str, Any]], None], stop: asyncio.Event) -> None:
        await ensure_topics(settings)
        await tell(settings, SystemClock(), meter, report, stop)

    return _run(settings, "stories", body, child=args.child)


def run_monitor(settings: Settings, args: argparse.Namespace) -> int:
    """`copydesk monitor`: lag and books as metrics and on the live page, where each role has a process of its own."""
    settings = with_broker(settings)

    async def body(meter: Meter, report: Callable[[Mapping[str, Any]], None], stop: asyncio.Event) -> None:
        await ensure_topics(settings)
        books = Books(settings, meter)
        await books.start()
        try:
            while not stop.is_set():
                # Of watcher and workers only those that share our data directory are known.
                found = Report(settings.broker, await books.refresh(), notes=board_in(settings.data_dir).read())
                report({"ready": True, **found.as_json()})
                with suppress(TimeoutError):
                    async with asyncio.timeout(_BOOKS_SECONDS):
                        await stop.wait()
        finally:
            await books.stop()

    return _run(settings, "monitor", body, child=False)


def _run(settings: Settings, role: str, body: Body, *, child: bool) -> int:
    try:
        uvloop.run(_serve(settings, role, body, child))
    except BrokerUnreachableError as error:
        if not child or isinstance(error, AccessRefusedError):
            raise
        # `run` reached the broker before it started us, so this is an outage: it starts us again, ever more slowly.
        raise StreamError(str(error)) from error
    return 0


async def _serve(settings: Settings, role: str, body: Body, child: bool) -> None:
    stop = stop_on_signals(settings.drain_seconds)
    if child:
        _stop_with_owner()
    meter = Meter(open_labels=open_labels(settings), role=role)
    state: State = {"ready": False, "why": "starting"}
    board = board_in(settings.data_dir) if child else None
    endpoint = Endpoint(
        meter.registry,
        host=settings.metrics_host,
        port=settings.metrics_port,
        reasons=lambda: [] if state.get("ready", True) else [f"{role}: {state.get('why') or 'starting'}"],
        status=lambda: state,
        access=access_of(settings),
    )
    page = Page(settings, lambda: state) if role == "monitor" else None
    if not child:
        await endpoint.start()
        print(f"{role}: metrics on {endpoint.address}", file=sys.stderr)
    heart = asyncio.create_task(pulse(meter, role, SystemClock()), name="pulse")
    try:
        if page:
            await page.start()
            print(f"{role}: live page on {page.address}", file=sys.stderr)
        await body(meter, partial(_take_note, role, state, board), stop)
    finally:
        heart.cancel()
        if board:
            board.clear(role)
        if page:
            await page.stop()
        await endpoint.stop()


def _take_note(role: str, state: State, board: Board | None, found: Mapping[str, Any]) -> None:
    state.clear()
    state.update(found, cpu_seconds=round(time.process_time(), 3))
    if board:
        # A note is not worth ending over, on a full disk say.
        with suppress(OSError):
            board.write(role, state)


def stop_on_signals(drain_seconds: float) -> asyncio.Event:
    """An event that SIGINT and SIGTERM set; the second signal ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()
        # Whatever hangs must not keep the process: what is not committed is read again.
        guard = threading.Timer(drain_seconds + _LIBRARIES_SECONDS + 1, os._exit, (1,))
        guard.daemon = True
        guard.start()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    return stop


def with_reason(found: Mapping[str, Any], why: str) -> Mapping[str, Any]:
    """A role's report with one reason more, where there is one and it has none of its own."""
    return {**found, "ready": False, "why": why} if why and found["ready"] else found


def _end_soon(error: CopydeskError | None, instead: Callable[[], None] | None) -> None:
    """Nothing of ours is in flight any more: end for certain, or do something `instead` that never returns.

    Even where a library's thread never ends.
    """

    def end() -> None:
        if error:
            _say(error)
        if instead:
            instead()
        os._exit(1 if error else 0)

    guard = threading.Timer(_LIBRARIES_SECONDS, end)
    guard.daemon = True
    guard.start()


def _begin_anew(settings: Settings) -> NoReturn:
    """Become a fresh process under the same number, and so the same child of whoever started us.

    What the libraries still hold after an outage goes with the old one; signals and our owner's pipe stay as they are.
    """
    os.environ["COPYDESK_BROKER"] = settings.broker
    arguments = [*sys.orig_argv[1:], *([] if _ANEW in sys.orig_argv else [_ANEW])]
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606


def _say(error: CopydeskError) -> None:
    print(f"copydesk: {error}", file=sys.stderr, flush=True)


def _stop_with_owner() -> None:
    """End when the owner, who holds the other end of our stdin, is gone: even a SIGKILL closes the pipe."""

    def wait_for_end() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_end, name="owner watch", daemon=True).start()
