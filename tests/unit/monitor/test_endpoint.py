import asyncio
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from pipeline import __version__
from pipeline.errors import PortTakenError, SettingError
from pipeline.metrics import Meter
from pipeline.monitor.endpoint import Endpoint
from pipeline.testing import FakeClock

Get = Callable[[str], Awaitable[aiohttp.ClientResponse]]


def serve(check: Callable[[Get], Awaitable[None]], **options: Any) -> None:
    """Run `check` against an endpoint on a free port."""

    async def body() -> None:
        endpoint = Endpoint(options.pop("registry", CollectorRegistry()), **options)
        await endpoint.start()
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{endpoint.port}") as session:
                await check(session.get)
        finally:
            await endpoint.stop()
            await endpoint.stop()

    asyncio.run(body())


def test_metrics_are_those_of_the_registry_and_what_runs() -> None:
    meter = Meter(open_labels={"source": ["inbox"]})
    meter.add("files_published_total", 3, source="inbox")

    async def check(get: Get) -> None:
        answer = await get("/metrics")
        text = await answer.text()
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert 'copydesk_files_published_total{source="inbox"} 3.0' in text
        assert f'copydesk_build_info{{python="' in text  # noqa: F541
        assert f'version="{__version__}"' in text

    serve(check, registry=meter.registry)


def test_live_while_the_loop_beats() -> None:
    clock = FakeClock()

    async def check(get: Get) -> None:
        assert (await get("/livez")).status == 200
        clock.advance(29)
        assert (await get("/livez")).status == 200
        clock.advance(2)
        answer = await get("/livez")
        assert answer.status == 503
        assert await answer.json() == {"live": False}

    serve(check, clock=clock, beat_seconds=3600)


def test_the_heart_beats_again_and_again() -> None:
    clock = FakeClock()

    async def check(get: Get) -> None:
        clock.advance(31)
        while (await get("/livez")).status != 200:
            pass

    serve(check, clock=clock, beat_seconds=0)


def test_ready_once_there_is_no_reason_against_it() -> None:
    reasons = ["worker 7: replaying"]

    async def check(get: Get) -> None:
        answer = await get("/readyz")
        assert answer.status == 503
        assert await answer.json() == {"ready": False, "reasons": ["worker 7: replaying"]}
        assert "copydesk_ready 0.0" in await (await get("/metrics")).text()
        reasons.clear()
        answer = await get("/readyz")
        assert answer.status == 200
        assert await answer.json() == {"ready": True, "reasons": []}
        assert "copydesk_ready 1.0" in await (await get("/metrics")).text()

    serve(check, reasons=lambda: list(reasons))


def test_status_and_version_are_json_whatever_the_file_names() -> None:
    async def check(get: Get) -> None:
        answer = await get("/status")
        assert answer.headers["Content-Type"].startswith("application/json")
        assert (await answer.text()).isascii()
        assert await answer.json() == {"waiting": "caf\udce9 <b>"}
        assert (await (await get("/version")).json())["version"] == __version__

    serve(check, status=lambda: {"waiting": "caf\udce9 <b>"})


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/nothing", "/"])
def test_every_answer_tells_browsers_to_keep_off_and_hides_what_serves_it(path: str) -> None:
    async def check(get: Get) -> None:
        answer = await get(path)
        assert answer.status == (200 if path in ("/metrics", "/livez") else 404)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Server"] == "copydesk"

    serve(check)


def test_a_taken_port_is_one_line_that_says_what_to_do() -> None:
    async def body() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            with pytest.raises(PortTakenError, match="--metrics-port") as caught:
                await Endpoint(CollectorRegistry(), port=taken.getsockname()[1]).start()
            assert "\n" not in str(caught.value)

    asyncio.run(body())


@pytest.mark.parametrize(
    "sent", [b"GET /" + b"a" * 9000 + b" HTTP/1.1", b"GET / HTTP/1.1\r\nno header", b"\x16\3\1 \xff"]
)
def test_what_is_no_http_is_answered_and_not_logged(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> bytes:
        endpoint = Endpoint(CollectorRegistry())
        await endpoint.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
        writer.write(sent + b"\r\n\r\n")
        answer = await reader.readline()
        writer.close()
        await endpoint.stop()
        return answer

    assert b" 400 " in asyncio.run(body())
    assert caplog.messages == []


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b", "\u202e"])
def test_a_foreign_address_is_a_bad_setting(host: str) -> None:
    async def body() -> None:
        with pytest.raises(SettingError, match="metrics_host"):
            await Endpoint(CollectorRegistry(), host=host).start()

    asyncio.run(body())


_CHILD = """
import sys
from pipeline.metrics import Meter
Meter(open_labels={"source": ["inbox"]}).add("files_published_total", int(sys.argv[1]), source="inbox")
"""
_SERVER = """
import asyncio, urllib.request
from pipeline.metrics import Meter
from pipeline.monitor.endpoint import Endpoint

async def main():
    meter = Meter(open_labels={"source": ["inbox"]})
    endpoint = Endpoint(meter.registry)
    await endpoint.start()
    url = f"http://127.0.0.1:{endpoint.port}/metrics"
    print((await asyncio.to_thread(lambda: urllib.request.urlopen(url).read())).decode())
    await endpoint.stop()

asyncio.run(main())
"""


def test_processes_that_share_a_folder_are_shown_as_one(tmp_path: Path) -> None:
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PATH": ""}
    for count in ("2", "5"):
        subprocess.run([sys.executable, "-c", _CHILD, count], env=environment, check=True)
    shown = subprocess.run([sys.executable, "-c", _SERVER], env=environment, check=True, capture_output=True, text=True)
    assert 'copydesk_files_published_total{source="inbox"} 7.0' in shown.stdout
    assert "copydesk_build_info{" in shown.stdout
