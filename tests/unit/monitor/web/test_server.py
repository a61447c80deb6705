"""The page over HTTP, without Kafka: headers, events, questions, doors."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import ClientSession, encode_basic_auth

from pipeline.errors import PortTakenError
from pipeline.monitor.web.server import Page
from pipeline.settings import Settings

STATIC = Path(__file__).parents[4] / "pipeline" / "monitor" / "web" / "static"
SETTINGS = Settings(broker="127.0.0.1:1", page_port=0, metrics_port=0)
STATUS = {
    "broker": "b:1",
    "files": {"published": 2, "rejected": 0, "waiting_total": 0, "waiting": []},
    "ledger": {"received": 5, "enriched": 3, "duplicates": 1, "rejected": 1, "in_flight": 0},
    "lag": {"messages": 0, "seconds": 0.0},
    "watchers": [],
    "problems": [],
}


def on_page(check: Callable[[ClientSession, str], Awaitable[None]], settings: Settings = SETTINGS) -> None:
    async def body() -> None:
        page = Page(settings, lambda: STATUS)
        await page.start()
        try:
            async with ClientSession() as session:
                await check(session, page.address)
        finally:
            await page.stop()

    asyncio.run(body())


def test_every_file_comes_with_a_policy_that_lets_no_string_become_code() -> None:
    async def check(session: ClientSession, address: str) -> None:
        for path, kind in (("", "text/html"), ("app.js", "text/javascript"), ("draw.js", "text/javascript"),
                           ("style.css", "text/css"), ("icon.svg", "image/svg+xml")):  # fmt: skip
            async with session.get(address + path) as answer:
                assert answer.status == 200
                assert answer.content_type == kind
                policy = answer.headers["Content-Security-Policy"]
                assert "unsafe" not in policy
                for part in ("default-src 'none'", "require-trusted-types-for 'script'", "frame-ancestors 'none'"):
                    assert part in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with session.get(address + "../settings.py") as answer:
            assert answer.status == 404

    on_page(check)


def test_events_say_how_things_stand() -> None:
    async def check(session: ClientSession, address: str) -> None:
        async with session.get(address + "events") as answer:
            assert answer.content_type == "text/event-stream"
            line = await answer.content.readline()
            state = json.loads(line.removeprefix(b"data: "))
            assert state["status"] == STATUS
            assert state["series"]["throughput"][0][1:] == [0.0, 0.0]
            assert await answer.content.readline() == b"\n"

    on_page(check)


def test_questions_are_answered_and_nonsense_is_not() -> None:
    async def check(session: ClientSession, address: str) -> None:
        async with session.get(address + "articles", params={"words": "x" * 9_000, "tag": "<b>"}) as answer:
            assert (answer.status, answer.content_type) in {(200, "application/json"), (400, "text/plain")}
        async with session.get(address + "articles", params={"words": "<b>"}) as answer:
            assert (await answer.json())["articles"] == []
        async with session.get(address + "letters") as answer:
            assert await answer.json() == {"letters": []}
        for path in ("letters/x/1", "letters/1/-1", "letters/1/1/bites"):
            async with session.get(address + path) as answer:
                assert answer.status == 404, path
        async with session.post(address + "articles") as answer:
            assert answer.status == 405

    on_page(check)


def test_a_foreign_name_for_our_address_is_refused() -> None:
    async def check(session: ClientSession, address: str) -> None:
        async with session.get(address, headers={"Host": "evil.example"}) as answer:
            assert answer.status == 421
            assert "<html" not in await answer.text()

    on_page(check)


def test_a_password_guards_everything_on_the_page() -> None:
    async def check(session: ClientSession, address: str) -> None:
        for path in ("", "app.js", "events", "articles", "letters"):
            async with session.get(address + path) as answer:
                assert answer.status == 401, path
                assert "Basic" in answer.headers["WWW-Authenticate"]
        async with session.get(address, headers={"Authorization": encode_basic_auth("desk", "s3cret")}) as answer:
            assert answer.status == 200

    on_page(check, Settings(broker="127.0.0.1:1", page_port=0, http_username="desk", http_password="s3cret"))


def test_a_taken_port_is_one_line_or_another_port() -> None:
    async def body(taken: int) -> None:
        page = Page(Settings(broker="127.0.0.1:1", page_port=taken), lambda: STATUS)
        with pytest.raises(PortTakenError, match=rf"live page on 127.0.0.1:{taken} .*--page-port"):
            await page.start()
        await page.start(elsewhere=True)
        assert page.port not in (0, taken)
        await page.stop()
        await page.stop()

    with socket.create_server(("127.0.0.1", 0)) as held:
        asyncio.run(body(held.getsockname()[1]))


def test_the_page_brings_no_way_to_make_code_of_text_and_nothing_from_outside() -> None:
    for script in ("app.js", "draw.js"):
        text = (STATIC / script).read_text()
        assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text) == []
    page = (STATIC / "index.html").read_text()
    assert re.findall(r"\son\w+=|<style|style=|<script(?! type=\"module\" src=\"app.js\"></script>)", page) == []
    for path in STATIC.iterdir():
        assert set(re.findall(r"https?://[^\s\"')]+", path.read_text())) <= {"http://www.w3.org/2000/svg"}, path
