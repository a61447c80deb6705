"""The live page on HTTP: static files, one stream of events, and questions about the recent window.

GET /                          the page           GET /articles?words=&tag=&source=&language=&story=
GET /events                    server-sent        GET /letters, /letters/PARTITION/OFFSET[/bytes]
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from aiohttp import web
from aiokafka.errors import KafkaError

from pipeline.clock import Clock, SystemClock, rfc3339
from pipeline.errors import PortTakenError
from pipeline.monitor.access import Access, access_of, guard, own_names
from pipeline.monitor.listener import Listener
from pipeline.monitor.web.follow import Follower
from pipeline.monitor.web.preview import preview
from pipeline.monitor.web.series import STEP_SECONDS, Series
from pipeline.monitor.web.window import Query, Window
from pipeline.settings import Settings

_MOST_VIEWERS = 32
_MOST_QUERY = 200
_FILES = {
    "/": ("index.html", "text/html"),
    "/app.js": ("app.js", "text/javascript"),
    "/draw.js": ("draw.js", "text/javascript"),
    "/style.css": ("style.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
# Scripts and styles from files of ours alone, and no way to make either (or markup) out of a string.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Server": "copydesk",
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Status = Callable[[], Mapping[str, Any]]


class Page:
    """The live page of one process. `status` gives what /status gives, for every event, and must not block.

    Memory is bounded by `Window` and `Series`; Kafka is read only while somebody looks.
    """

    def __init__(self, settings: Settings, status: Status, clock: Clock | None = None) -> None:
        self._settings, self._status = settings, status
        self._clock = clock or SystemClock()
        self._access: Access = access_of(settings)
        self._window, self._series = Window(), Series()
        self._follower = Follower(settings, self._window, self._series, self._clock)
        self._event = b""
        self._viewers = 0
        self._ticked = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._listener: Listener | None = None
        self.port = settings.page_port

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        host = self._settings.page_host
        return f"{self._access.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/"

    async def start(self, *, elsewhere: bool = False) -> None:
        """Listen; afterwards `port` is the real one. `elsewhere`: on a free port where that one is taken.

        Raises PortTakenError, or SettingError on a foreign address.
        """
        try:
            self._listener = await self._listen(self._settings.page_port)
        except PortTakenError:
            if not elsewhere:
                raise
            self._listener = await self._listen(0)
        self._tasks = [
            asyncio.create_task(self._tick(), name="page clock"),
            asyncio.create_task(self._follower.run(), name="page follower"),
        ]

    async def stop(self) -> None:
        """Stop listening and reading; may be called twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        listener, self._listener = self._listener, None
        # Streams of events end by themselves once they see that.
        self._ticked.set()
        if listener:
            await listener.stop()

    async def _listen(self, port: int) -> Listener:
        host = self._settings.page_host
        listener = Listener(self.application(), host, port, self._access, what="the live page", setting="page")
        self.port = await listener.start()
        return listener

    def application(self) -> web.Application:
        """The page as an aiohttp application."""
        application = web.Application(middlewares=[own_names(self._settings.page_host), guard(self._access)])
        application.on_response_prepare.append(_add_headers)
        for path in _FILES:
            application.router.add_get(path, _file)
        for path, handler in (
            ("/events", self._events),
            ("/articles", self._articles),
            ("/letters", self._letters),
            (r"/letters/{partition:\d{1,9}}/{offset:\d{1,18}}", self._preview),
            (r"/letters/{partition:\d{1,9}}/{offset:\d{1,18}}/bytes", self._original),
        ):
            application.router.add_get(path, handler)
        return application

    async def _tick(self) -> None:
        while True:
            now = self._clock.now().timestamp()
            self._series.look(now, self._status())
            if self._viewers:
                self._event = self._state(now)
            self._ticked.set()
            self._ticked.clear()
            await asyncio.sleep(STEP_SECONDS)

    def _state(self, now: float) -> bytes:
        state = {
            "time": rfc3339(self._clock.now()),
            "status": self._status(),
            "rates": self._series.rates,
            "series": self._series.as_json(now),
            "version": self._window.version,
            "why": self._follower.why,
        }
        # The standard library's json escapes line breaks and what is not ASCII, so that an event is one line.
        return b"data: " + json.dumps(state).encode() + b"\n\n"

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self._viewers >= _MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text=f"copydesk: {_MOST_VIEWERS} are looking already\n")
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        self._viewers += 1
        try:
            await answer.prepare(request)
            self._follower.looked()
            await answer.write(self._state(self._clock.now().timestamp()))
            while self._listener:
                await self._ticked.wait()
                self._follower.looked()
                # Waits where a browser is slow: it then misses events, and nothing piles up here.
                await answer.write(self._event)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._viewers -= 1
        return answer

    async def _articles(self, request: web.Request) -> web.Response:
        self._follower.looked()
        asked = {name: request.query.get(name, "")[:_MOST_QUERY] for name in Query.__slots__}
        return _json(self._window.find(Query(**asked)))

    async def _letters(self, request: web.Request) -> web.Response:
        self._follower.looked()
        return _json({"letters": self._window.letters()})

    async def _preview(self, request: web.Request) -> web.Response:
        return _json(preview(await self._bytes(request)))

    async def _original(self, request: web.Request) -> web.Response:
        name = "rejected-{partition}-{offset}.bin".format(**request.match_info)
        found = await self._bytes(request)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=found, content_type="application/octet-stream", headers=headers)

    async def _bytes(self, request: web.Request) -> bytes:
        partition, offset = int(request.match_info["partition"]), int(request.match_info["offset"])
        try:
            found = await self._follower.original(partition, offset)
        except (KafkaError, OSError) as error:
            raise web.HTTPBadGateway(text="copydesk: Kafka does not answer\n") from error
        if found is None:
            raise web.HTTPNotFound(text="copydesk: that record is gone; its retention is over\n")
        return found


async def _file(request: web.Request) -> web.Response:
    name, kind = _FILES[request.path]
    body = resources.files(__package__).joinpath("static", name).read_bytes()
    return web.Response(body=body, content_type=kind, charset="utf-8")


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def _json(value: Mapping[str, Any]) -> web.Response:
    return web.Response(text=json.dumps(value), content_type="application/json")
