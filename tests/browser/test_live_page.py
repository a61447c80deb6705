"""The live page in a real browser: hostile news does nothing, the flow shows, hands find their way."""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from pipeline.broker import EmbeddedBroker
from pipeline.kafka import client_options
from pipeline.settings import Settings
from tests.browser.chromium import Tab, tab
from tests.rig import Rig, rig

SEEDS = Path(__file__).parents[2] / "seeds"
PICTURES = Path(os.environ.get("COPYDESK_PICTURES") or tempfile.mkdtemp(prefix="copydesk-pictures-"))
EVIL = [
    "<script>window.owned = 1</script>",
    '"><img src=x onerror="window.owned = 2">',
    "<svg onload=window.owned=3>",
    "javascript:window.owned=4",
    "<details open ontoggle=window.owned=5>",
    "<iframe srcdoc='<script>parent.owned = 6</script>'></iframe>",
    "</textarea></style></script><script>window.owned = 7</script>",
    "{{constructor.constructor('window.owned = 8')()}}\u2028\u202e\x1b[2J",
]
ALL_EVIL = " ".join(EVIL)


def address(running: Rig) -> str:
    """Where the page of what runs is."""

    def found() -> str:
        said = re.search(r"[Ll]ive page(?: on|:) (http\S+)", running.words())
        return said[1] if said else ""

    running.wait(found, "the address of the live page")
    return found()


def record(number: int, **ours: Any) -> bytes:
    """An enriched or duplicate record that is hostile in every text."""
    return json.dumps(
        {
            "language": "en\"><script>owned=1</script>",
            "headlines": [{"role": "main", "value": ALL_EVIL}],
            "by": EVIL[1],
            "located": EVIL[2],
            "infoSources": [{"name": EVIL[4]}],
            "firstCreated": "2025-03-18T09:00:00Z",
            "contentCreated": EVIL[0],
            "bodies": [{"value": ALL_EVIL + "\n\n" + ALL_EVIL, "wordCount": "<b>9</b>"}],
            "subjects": [{"name": name} for name in EVIL],
            "people": [{"name": name} for name in EVIL],
            "organisations": [{"name": name} for name in EVIL],
            "places": [{"name": name} for name in EVIL],
            "x_copydesk": {
                "id": f"{EVIL[0]}{number}", "source": EVIL[1], "keywords": EVIL, "warnings": EVIL,
                "revision": {"number": 3, "of": EVIL[2]}, **ours,
            },
        }
    ).encode()  # fmt: skip


async def write_evil(settings: Settings) -> None:
    async with AIOKafkaProducer(**client_options(settings)) as producer:
        for number in range(3):
            await producer.send_and_wait(f"{settings.prefix}.enriched", record(number, story=EVIL[4] if number else ""))
        seen = {"first_seen": EVIL[0], "last_seen": EVIL[1], "languages": dict.fromkeys(EVIL, 1)}
        story = {"story": EVIL[4], "size": 40, "duplicates": 3, "headline": ALL_EVIL, **seen}
        await producer.send_and_wait(f"{settings.prefix}.stories", json.dumps(story).encode(), key=b"k")
        copied = {"of": f"{EVIL[0]}0", "method": EVIL[1], "similarity": 0.9}
        await producer.send_and_wait(f"{settings.prefix}.duplicates", record(9, duplicate=copied))
        headers = [(name, ALL_EVIL.encode()) for name in ("reason", "error", "stage", "source", "position", "attempts")]
        await producer.send_and_wait(f"{settings.prefix}.rejected", ALL_EVIL.encode(), headers=headers)
        await producer.send_and_wait(f"{settings.prefix}.rejected", b"\xff\x00" + ALL_EVIL.encode(), headers=headers)
        # Foreign, and of the wrong shape: passed over.
        for value in (b"[]", b"{", b'{"x_copydesk": 3}', b'{"x_copydesk": {"id": "x", "keywords": {"a": 1}}}'):
            await producer.send_and_wait(f"{settings.prefix}.enriched", value)


def faults(seen: Tab) -> list[Any]:
    """Exceptions, errors (refusals by the policy are among them), dialogs, and requests to anywhere else."""
    found: list[Any] = []
    for name, said in seen.events:
        if name in ("Runtime.exceptionThrown", "Page.javascriptDialogOpening", "Page.windowOpen"):
            found.append((name, said))
        if name == "Log.entryAdded" and said["entry"]["level"] == "error":
            found.append(said["entry"]["text"])
        if name == "Network.requestWillBeSent" and "://127.0.0.1:" not in said["request"]["url"]:
            found.append(said["request"]["url"])
    return [one for one in found if one != "about:blank"]


def test_hostile_news_is_shown_and_does_nothing(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> None:
    with rig(broker.bootstrap, prefix, tmp_path) as running:
        running.start("monitor")
        asyncio.run(write_evil(running.settings))

        async def look() -> None:
            async with tab(tmp_path / "profile", address(running)) as seen:
                await seen.wait("document.querySelectorAll('.card').length === 4", "the four articles")
                await seen.wait("document.querySelectorAll('.letter').length === 2", "the dead letters")
                await seen.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
                await seen.wait("document.querySelectorAll('pre').length === 2", "the original bytes")
                await seen.wait("document.querySelector('.copies li')", "the duplicate under its original")
                # A story is a button that shows its articles alone, at the story and at each of its articles.
                await seen.wait("document.querySelectorAll('.card .story').length === 2", "the articles of the story")
                assert await seen.run("document.querySelector('.card .story').textContent") == "Story of 37 articles"
                for button in (".card .story", "#stories button"):
                    await seen.run(f"document.querySelector('{button}').click()")
                    await seen.wait("document.querySelectorAll('.card').length === 2", "the story alone")
                    await seen.picture(PICTURES / "hostile-story.png")
                    await seen.run("document.getElementById('all-stories').click()")
                    await seen.wait("document.querySelectorAll('.card').length === 4", "all articles again")
                # Every tag is a button that looks for it.
                await seen.run("document.querySelectorAll('.tag')[1].click()")
                await seen.wait("document.getElementById('tag').value.includes('<')", "the tag to be looked for")
                await asyncio.sleep(1)
                text = await seen.text()
                for evil in EVIL[:6]:
                    assert evil in text, evil
                assert "\\u202e" in text  # the mark that would turn the line round is shown, not obeyed
                assert await seen.run("window.owned") is None
                foreign = "script:not([src='app.js']), iframe, img, [onload], [onerror], [ontoggle]"
                assert await seen.run(f'document.querySelectorAll("{foreign}").length') == 0
                assert faults(seen) == []
                await seen.picture(PICTURES / "hostile.png", whole=True)

        asyncio.run(look())


def test_the_policy_itself_stops_what_a_slip_would_let_in(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> None:
    with rig(broker.bootstrap, prefix, tmp_path) as running:
        running.start("monitor")

        async def look() -> None:
            async with tab(tmp_path / "profile", address(running)) as seen:
                await seen.wait("document.getElementById('articles')", "the page")
                slip = (
                    "try { document.body.innerHTML = '<img src=x onerror=window.owned=1>'; 'set' } catch (e) { e.name }"
                )
                assert await seen.run(slip) == "TypeError"
                inline = (
                    "s = document.createElement('style'); s.textContent = 'body{color:red}'; document.head.append(s)"
                )
                await seen.run(f"{inline}; undefined")
                assert await seen.run("getComputedStyle(document.body).color") != "rgb(255, 0, 0)"
                assert await seen.run("fetch('https://example.com/').then(() => 'went', () => 'stayed')") == "stayed"

        asyncio.run(look())


def test_a_real_run_on_the_page(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> None:
    with rig(broker.bootstrap, prefix, tmp_path, workers=1) as running:
        for path in sorted(SEEDS.rglob("*")):
            if path.is_file():
                running.drop(str(path.relative_to(SEEDS)), path.read_bytes())
        running.start("run")

        async def look() -> None:
            async with tab(tmp_path / "profile", address(running)) as seen:
                await look_at(seen, running)

        asyncio.run(look())
        running.stop()
        assert running.topics().faults() == []


async def look_at(seen: Tab, running: Rig) -> None:
    enriched = "Number(document.querySelector('.wide [data-count=enriched]').textContent)"
    await seen.wait(f"{enriched} >= 40", "articles on the last arrow")
    await seen.wait("document.querySelectorAll('.copies').length > 0", "duplicates under their original")
    await seen.wait("document.querySelectorAll('#stories li').length > 0", "the stories with several articles")
    state = "document.getElementById('state-text').textContent"
    await seen.wait(f"!{state}.includes('processes ready')", "all processes to be ready")
    # The page shows the newest sixty, and the seeds are more by now: this one comes after them.
    evil = "<img src=x onerror=window.owned=1>.txt"
    running.drop(evil, f"{EVIL[0]} opens bridge\n\n{ALL_EVIL} and more was said in Lisbon on Monday.".encode())
    for words in ("unknown-format", evil):
        await seen.wait(f"document.body.innerText.includes({json.dumps(words)})", f"{words} on the page")
    # The keyboard: search, leave, step, open.
    await seen.key("/")
    assert await seen.run("document.activeElement.id") == "words"
    await seen.type("lisbon ferry")
    await seen.wait("document.getElementById('found').textContent.includes(' of ')", "the search to narrow the list")
    assert "lisbon" in (await seen.run("document.querySelector('.card').textContent")).lower()
    await seen.key("Escape")
    await seen.wait("document.getElementById('found').textContent.includes('window')", "the search to be over")
    await seen.key("j")
    await seen.key("j")
    await seen.key("k")
    assert await seen.run("document.activeElement === document.querySelectorAll('.card')[0]")
    await seen.key("Enter")
    assert await seen.run("document.activeElement.querySelector('details').open")
    await seen.key("p")
    assert await seen.run("document.getElementById('pause').getAttribute('aria-pressed')") == "true"
    screens = {"light": (1280, 900), "dark": (1280, 900), "phone": (390, 844), "phone-dark": (390, 844)}
    for name, (width, height) in screens.items():
        await seen.look(width, height, dark="dark" in name)
        await asyncio.sleep(0.3)
        assert await seen.run("document.documentElement.scrollWidth <= window.innerWidth"), f"{name}: scrolls sideways"
        await seen.picture(PICTURES / f"{name}.png", whole=width < 600)
    assert await seen.run("window.owned") is None
    assert faults(seen) == []
