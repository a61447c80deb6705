"""One worker process: start the app, run until told to stop or until something breaks, end within the drain time."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka.errors import KafkaError

from pipeline.clock import Clock
from pipeline.cluster import check_rights
from pipeline.errors import CopydeskError, OutageError, StreamError
from pipeline.kafka import ensure_topics, refused
from pipeline.metrics import Meter
from pipeline.settings import Settings
from pipeline.stream import app as stream_app
from pipeline.stream.flow import Flow
from pipeline.stream.pulse import Pulse
from pipeline.transactions import failure

logger = logging.getLogger(__name__)

Report = Callable[[Mapping[str, Any]], None]
_REPORT_SECONDS = 1.0
_GC_ALLOCATIONS = 10_000
Settle = Callable[[CopydeskError | None], None]
_LIBRARIES_SECONDS = 5.0
# Of this machine, not of the way to Kafka.
_LOCAL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE)


async def work(
    settings: Settings, clock: Clock, meter: Meter, report: Report, stop: asyncio.Event, settle: Settle
) -> None:
    """Run a worker until `stop` is set; `report` is called about once a second with its state.

    `settle` is called once, when all that was in flight has been finished or given up: with None where that went well,
    else with the error that will be raised. From then on the process may be ended at any moment, should a library hang.
    Raises whatever broke the stream, wrapped in StreamError where it is not ours, in OutageError where Kafka was gone:
    nothing was lost, since offsets are committed with the outcomes; starting the worker again carries on.
    """
    await ensure_topics(settings)
    await check_rights(settings, clock)
    broken: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def fail(error: BaseException) -> None:
        if not broken.done():
            broken.set_result(error)

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            fail(task.exception() or StreamError("nobody reports on the worker any more"))

    flow = Flow(settings, clock, meter, fail)
    app = stream_app.build(flow, fail)
    pulse = Pulse(settings)
    reporter = asyncio.create_task(_report(flow, pulse, report), name="worker report")
    reporter.add_done_callback(ended)
    try:
        await _first(broken, stop, app)
    finally:
        reporter.cancel()
        # What breaks from here on breaks because we let go of it.
        error = _ours(settings, broken.result()) if broken.done() else None
        error = await _let_go(flow, settings.drain_seconds) or error
        settle(error)
        await _shut_down(app)
        await pulse.close()
    if error:
        raise error


def _settle_memory() -> None:
    """Spare the garbage collector what lives as long as the process, and many short walks that find next to nothing.

    A tenth of the CPU that moving an article takes. Reference counts free nearly everything here; cycles only wait a
    little longer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_ALLOCATIONS)


async def _first(broken: asyncio.Future[BaseException], stop: asyncio.Event, app: Any) -> None:
    """Start the app, then wait for whichever comes first; a crash of Faust itself counts as broken."""
    stopped: asyncio.Future[Any] = asyncio.create_task(stop.wait(), name="stop asked for")
    running: asyncio.Future[Any] = asyncio.create_task(_run(app), name="run Faust")
    await asyncio.wait({stopped, running, broken}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    running.cancel()
    if running.done() and not broken.done():
        crash = app._crash_reason if app.crashed else running.exception()
        broken.set_result(crash or StreamError("the stream stopped by itself"))


async def _run(app: Any) -> None:
    await app.start()
    _settle_memory()
    await app.wait_until_stopped()


async def _let_go(flow: Flow, seconds: float) -> StreamError | None:
    """End what is in flight: a commit under way may finish, all else is read again by the next owner.

    The error where that takes too long.
    """
    letting_go = asyncio.create_task(flow.stop(), name="let go")
    done, _ = await asyncio.wait([letting_go], timeout=seconds)
    if not done:
        letting_go.cancel()
        return StreamError(f"could not let go of everything within drain_seconds ({seconds:g}); nothing is lost")
    return None


async def _shut_down(app: Any) -> None:
    """Stop Faust, which may hang. Nothing of ours depends on it any more."""
    stopping = asyncio.create_task(app.stop(), name="stop Faust")
    done, _ = await asyncio.wait([stopping], timeout=_LIBRARIES_SECONDS)
    if not done:
        logger.warning("Faust did not stop within %.0f s; all that it held is let go of", _LIBRARIES_SECONDS)
    elif stopping.cancelled() or stopping.exception():
        logger.warning("Faust did not stop in order; all that it held is let go of")


async def _report(flow: Flow, pulse: Pulse, report: Report) -> None:
    """Say about once a second how the worker is, and what it waits for."""
    while True:
        flow.follow_terms()
        why = "; ".join(filter(None, [await pulse.feel(), *flow.waits]))
        spent = round(flow.stages_cpu_seconds, 3)
        report({"assigned": flow.sink.partitions, "ready": not why, "why": why, "stages_cpu_seconds": spent})
        await asyncio.sleep(_REPORT_SECONDS)


def _ours(settings: Settings, error: BaseException) -> CopydeskError:
    if isinstance(error, CopydeskError):
        return error
    what = f"the stream broke ({type(error).__name__}: {error})"
    if is_outage(error):
        return refused(settings, error) or OutageError(f"{what}; beginning anew once Kafka answers, nothing is lost")
    return refused(settings, error) or StreamError(f"{what}; start the worker again, nothing is lost")


def is_outage(error: BaseException) -> bool:
    """Whether Kafka, or the way to it, was gone for longer than its clients wait."""
    if isinstance(error, OSError) and error.errno in _LOCAL:
        return False
    # Errors from the broker have a class of their own; this one is aiokafka's where it finds none to ask.
    unanswered = type(error) is KafkaError
    return unanswered or failure(error) in ("connection", "timeout") or bool(getattr(error, "retriable", False))
