"""GET /metrics, /livez, /readyz, /version and /status, on 127.0.0.1 unless told otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from pipeline import __version__
from pipeline.catalogue import ALWAYS
from pipeline.clock import Clock, SystemClock
from pipeline.monitor.access import OPEN, Access, guard
from pipeline.monitor.listener import Listener
from pipeline.monitor.revision import revision

DEAD_AFTER_SECONDS = 30.0
BEAT_SECONDS = 1.0
# Nothing here is meant for a browser, so a browser is told to do nothing with it.
_HEADERS = {
    "Server": "copydesk",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def _nothing() -> list[str]:
    return []


def _empty() -> Mapping[str, Any]:
    return {}


class Endpoint:
    """The HTTP side of one role, served on the event loop that does the role's work.

    `registry` is shown unless prometheus_client runs in multiprocess mode, where the merged registry is.
    `reasons` says why the role is not ready (empty: ready); `status` gives the JSON of /status. Both are called
    for every request and must not block.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        reasons: Callable[[], list[str]] = _nothing,
        status: Callable[[], Mapping[str, Any]] = _empty,
        access: Access = OPEN,
        clock: Clock | None = None,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        self._registry, self._reasons, self._status = registry, reasons, status
        self._host, self.port = host, port
        self._clock = clock or SystemClock()
        self._beat_seconds = beat_seconds
        self._last_beat = self._clock.monotonic()
        self._access = access
        self._listener: Listener | None = None
        self._heart: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where /metrics is."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{self._access.scheme}://{host}:{self.port}/metrics"

    async def start(self) -> None:
        """Listen; afterwards `port` is the real one. Raises PortTakenError, or SettingError on a foreign address."""
        listener = Listener(self._application(), self._host, self.port, self._access, what="metrics", setting="metrics")
        self.port = await listener.start()
        self._listener = listener
        self._heart = asyncio.create_task(self._beat(), name="endpoint-heartbeat")

    async def stop(self) -> None:
        """Stop listening; may be called twice, or without a start."""
        if self._heart:
            self._heart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._heart
            self._heart = None
        if self._listener:
            await self._listener.stop()
            self._listener = None

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[guard(self._access)])
        application.on_response_prepare.append(_add_headers)
        for path, handler in (
            ("/metrics", self._metrics),
            ("/livez", self._livez),
            ("/readyz", self._readyz),
            ("/version", self._version),
            ("/status", self._show_status),
        ):
            application.router.add_get(path, handler)
        return application

    async def _beat(self) -> None:
        # Work that hogs the loop holds this up too, and that is what /livez tells.
        while True:
            self._last_beat = self._clock.monotonic()
            await asyncio.sleep(self._beat_seconds)

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(
            body=encode(shown_registry(self._registry, not self._reasons())), headers={"Content-Type": content_type}
        )

    async def _livez(self, request: web.Request) -> web.Response:
        silence = self._clock.monotonic() - self._last_beat
        return _json({"live": silence <= DEAD_AFTER_SECONDS}, 200 if silence <= DEAD_AFTER_SECONDS else 503)

    async def _readyz(self, request: web.Request) -> web.Response:
        reasons = self._reasons()
        return _json({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    async def _version(self, request: web.Request) -> web.Response:
        found = {"name": "copydesk", "version": __version__, "revision": revision()}
        return _json({**found, "python": platform.python_version()})

    async def _show_status(self, request: web.Request) -> web.Response:
        return _json(self._status())


class _Always(Collector):
    """What is made anew for each scrape: `catalogue.ALWAYS`."""

    def __init__(self, ready: bool) -> None:
        self._found: dict[str, tuple[tuple[str, ...], float]] = {
            "build_info": ((__version__, revision(), platform.python_version()), 1),
            "ready": ((), float(ready)),
        }

    def collect(self) -> Iterator[Metric]:
        for metric in ALWAYS:
            family = GaugeMetricFamily(metric.full_name, metric.help, labels=metric.labels)
            family.add_metric(*self._found[metric.name])
            yield family


class _Joined(Collector):
    """Everything that `source` collects, so that it can be shown together with others."""

    def __init__(self, source: CollectorRegistry) -> None:
        self._source = source

    def collect(self) -> Iterator[Metric]:
        yield from self._source.collect()


def shown_registry(registry: CollectorRegistry, ready: bool) -> CollectorRegistry:
    """What /metrics shows: what is always there, and `registry` or, in multiprocess mode, all processes merged."""
    shown = CollectorRegistry()
    shown.register(_Always(ready))
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(shown)  # type: ignore[no-untyped-call]  # the library types it not
    else:
        shown.register(_Joined(registry))
    return shown


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def _json(value: Mapping[str, Any], status: int = 200) -> web.Response:
    # The standard library's json escapes what is not ASCII, half surrogates of odd file names included.
    return web.Response(text=json.dumps(value) + "\n", status=status, content_type="application/json")
