"""One worker process: start the app, run until told to stop or until something breaks, end within the drain time."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.clock import Clock
from pipeline.errors import CopydeskError, StreamError
from pipeline.kafka import ensure_topics, refused
from pipeline.metrics import Meter
from pipeline.settings import Settings
from pipeline.stream import app as stream_app
from pipeline.stream.flow import Flow
from pipeline.stream.pulse import Pulse

logger = logging.getLogger(__name__)

Report = Callable[[Mapping[str, Any]], None]
_REPORT_SECONDS = 1.0
_GC_ALLOCATIONS = 10_000


async def work(settings: Settings, clock: Clock, meter: Meter, report: Report, stop: asyncio.Event) -> None:
    """Run a worker until `stop` is set; `report` is called about once a second with its state.

    Raises whatever broke the stream, wrapped in StreamError where it is not ours: nothing was lost, since offsets are
    committed with the outcomes; starting the worker again carries on.
    """
    await ensure_topics(settings)
    broken: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def fail(error: BaseException) -> None:
        if not broken.done():
            broken.set_result(error)

    def ended(reporter: asyncio.Task[None]) -> None:
        if not reporter.cancelled():
            fail(reporter.exception() or StreamError("nobody reports on the worker any more"))

    flow = Flow(settings, clock, meter, fail)
    app = stream_app.build(flow, fail)
    pulse = Pulse(settings)
    reporter = asyncio.create_task(_report(flow, pulse, report), name="worker report")
    reporter.add_done_callback(ended)
    try:
        await app.start()
        _settle_memory()
        await _first(broken, stop, app)
    finally:
        reporter.cancel()
        await _shut_down(app, settings.drain_seconds)
        await pulse.close()
    if broken.done():
        raise _ours(settings, broken.result())


def _settle_memory() -> None:
    """Spare the garbage collector what lives as long as the process, and many short walks that find next to nothing.

    A tenth of the CPU that moving an article takes. Reference counts free nearly everything here; cycles only wait a
    little longer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_ALLOCATIONS)


async def _first(broken: asyncio.Future[BaseException], stop: asyncio.Event, app: Any) -> None:
    """Wait for whichever comes first; a crash of Faust itself counts as broken."""
    waits = {asyncio.ensure_future(stop.wait()), asyncio.ensure_future(app.wait_until_stopped())}
    await asyncio.wait({*waits, broken}, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    if app.crashed and not broken.done():
        broken.set_result(app._crash_reason or StreamError("the stream stopped by itself"))


async def _shut_down(app: Any, seconds: float) -> None:
    """Stop in order, but never hang: what is not committed by then is read again by the next owner."""
    try:
        async with asyncio.timeout(seconds):
            await app.stop()
    except TimeoutError:
        logger.warning("worker did not stop within %.0f s; leaving what it held to the next one", seconds)


async def _report(flow: Flow, pulse: Pulse, report: Report) -> None:
    """Say about once a second how the worker is, and what it waits for."""
    while True:
        why = "; ".join(filter(None, [await pulse.feel(), *flow.waits]))
        spent = round(flow.stages_cpu_seconds, 3)
        report({"assigned": flow.sink.partitions, "ready": not why, "why": why, "stages_cpu_seconds": spent})
        await asyncio.sleep(_REPORT_SECONDS)


def _ours(settings: Settings, error: BaseException) -> CopydeskError:
    if isinstance(error, CopydeskError):
        return error
    return refused(settings, error) or StreamError(
        f"the stream broke ({type(error).__name__}: {error}); start the worker again, nothing is lost"
    )
