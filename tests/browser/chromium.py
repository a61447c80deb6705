"""Drives a headless Chromium over its DevTools protocol: open, look, press keys, take pictures.

No driver package: the protocol is JSON on a WebSocket, and aiohttp, which we serve the page with, speaks that.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--hide-scrollbars", "--remote-debugging-port=0", "--remote-allow-origins=*",
)  # fmt: skip
_START_SECONDS, _WAIT_SECONDS = 40.0, 30.0


def executable() -> str:
    """Path of Chromium. Raises AssertionError, which fails the test, where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "there is no Chromium here: apt-get install chromium"
    return found


class Tab:
    """One tab. `events` are all that the browser said about it: exceptions, dialogs, log entries, requests."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.events: list[tuple[str, dict[str, Any]]] = []

    async def listen(self) -> None:
        """Take in what the browser says, until the tab closes."""
        async for message in self._socket:
            said = message.json()
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            else:
                self.events.append((said["method"], said["params"]))
                if said["method"] == "Page.javascriptDialogOpening":
                    await self._socket.send_json(
                        {"id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
                    )
                    self._answers[0] = asyncio.get_running_loop().create_future()

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """One command and its result."""
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        async with asyncio.timeout(_WAIT_SECONDS):
            said = await answer
        assert "error" not in said, (method, said)
        result: dict[str, Any] = said["result"]
        return result

    async def open(self, url: str) -> None:
        """Go there and wait until its scripts have run."""
        said = await self.call("Page.navigate", url=url)
        assert "errorText" not in said, (url, said)
        await self.wait(f"location.href.startsWith({url!r}) && document.readyState === 'complete'", f"{url} to load")

    async def look(self, width: int = 1280, height: int = 900, *, dark: bool = False, scale: float = 1) -> None:
        """Be a screen of that size, in light or dark."""
        mobile = width < 600
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile
        )
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.call("Emulation.setEmulatedMedia", features=features)

    async def run(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page; our own hand, so no policy of the page applies."""
        said = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    async def wait(self, expression: str, what: str) -> None:
        """Poll until `expression` is truthy; names `what` it waited for where that takes too long."""
        for _ in range(int(_WAIT_SECONDS / 0.1)):
            if await self.run(f"Boolean({expression})"):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"waited {_WAIT_SECONDS:.0f} s in vain for {what}; the page says\n{await self.text()}")

    async def text(self) -> str:
        """All visible text."""
        return str(await self.run("document.body.innerText"))

    async def key(self, key: str) -> None:
        """Press and let go of one key."""
        typed = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **typed)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def type(self, text: str) -> None:
        """Type into what has the focus."""
        await self.call("Input.insertText", text=text)

    async def picture(self, path: Path, *, whole: bool = False) -> None:
        """Save a PNG of what is seen, or of the whole page."""
        shot = await self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def tab(profile: Path, url: str = "about:blank") -> AsyncIterator[Tab]:
    """A tab of a Chromium of its own, on `url`; `profile` is a new folder. Nothing is left running."""
    process = await asyncio.create_subprocess_exec(
        executable(), *_FLAGS, f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        port = await _port(profile)
        async with ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                target = next(found for found in await answer.json() if found["type"] == "page")
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                opened = Tab(socket)
                listener = asyncio.create_task(opened.listen())
                for domain in ("Page", "Runtime", "Log", "Network"):
                    await opened.call(f"{domain}.enable")
                await opened.look()
                await opened.open(url)
                yield opened
                listener.cancel()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _port(profile: Path) -> int:
    said = profile / "DevToolsActivePort"
    for _ in range(int(_START_SECONDS / 0.1)):
        if said.exists() and (lines := said.read_text().splitlines()):
            return int(lines[0])
        await asyncio.sleep(0.1)
    raise AssertionError(f"waited {_START_SECONDS:.0f} s in vain for Chromium to start")
