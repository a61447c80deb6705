"""A stranger's walk, with pictures: start it, drop files, see the page move, kill a worker, see the alert come and go.

    make walk        about six minutes; pictures go into build/walk

First `make run` as it is, but for ports and folders of its own. Then the roles apart, as docker-compose.yml starts
them, since `run` starts a killed worker again before anybody could be alarmed: a real Prometheus watches them with the
shipped configuration and rules, only its targets are others, so every alert waits as long as it does in production.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.broker import EmbeddedBroker
from pipeline.generate import articles
from tests import oracle, prometheus
from tests.browser.chromium import Tab, tab
from tests.compose import ROOT, Deployment, free_ports
from tests.compose import deployed as deployed_roles

ENRICHED = "Number(document.querySelector('.wide [data-count=enriched]').textContent.replace(/,/g, ''))"
DROP_SECONDS = 3.0
DROPPED = 40
SCREENS = {"light": (1280, 900), "dark": (1280, 900), "phone": (390, 844)}


@dataclass
class Diary:
    """Says what happens, and when, in seconds since the walk began."""

    pictures: Path
    began: float = field(default_factory=time.monotonic)

    def say(self, words: str) -> None:
        """One line."""
        print(f"{time.monotonic() - self.began:6.1f} s  {words}", flush=True)

    async def picture(self, seen: Tab, name: str, *, whole: bool = False) -> None:
        """What the tab shows now."""
        await seen.picture(self.pictures / f"{name}.png", whole=whole)
        self.say(f"picture {name}.png")


@dataclass
class Newsroom:
    """Drops generated articles into an inbox, a file of some every few seconds, while something else is waited for."""

    inbox: Path
    files: int = 0

    @property
    def articles(self) -> int:
        """Dropped so far."""
        return self.files * DROPPED

    def drop(self) -> None:
        """One more file, as a careful writer does it."""
        self.files += 1
        draft = self.inbox / f".{self.files}.jsonl"
        draft.write_bytes(b"\n".join(one.line for one in articles(DROPPED, seed=1000 + self.files)))
        draft.rename(self.inbox / f"news-{self.files:04}.jsonl")

    async def until(self, done: Callable[[], Awaitable[object]], what: str, seconds: float) -> float:
        """Drop until `done()`; how long that took. Fails after `seconds`."""
        began = due = time.monotonic()
        while not await done():
            assert time.monotonic() - began < seconds, f"waited {seconds:.0f} s in vain for {what}"
            if time.monotonic() >= due:
                self.drop()
                due += DROP_SECONDS
            await asyncio.sleep(0.5)
        return time.monotonic() - began


# --- the first half: make run -------------------------------------------------------------------


@contextmanager
def make_run(folder: Path, inbox: Path) -> Iterator[Path]:
    """`make run` on seeds and `inbox`; yields its log. Ended by Ctrl-C, as a person does it."""
    log = folder / "make-run.log"
    settings = {"DATA_DIR": str(folder / "data"), "BROKER_PORT": "0", "METRICS_PORT": "0", "PAGE_PORT": "0"}
    environment = {**os.environ, **{f"COPYDESK_{name}": value for name, value in settings.items()}}
    with log.open("wb") as words:
        process = subprocess.Popen(
            ["make", "run", f"ARGS=--inbox seeds --inbox {inbox} --workers 2"],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True,
        )  # fmt: skip
    try:
        yield log
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


async def said(log: Path, pattern: str) -> str:
    """What a process wrote that matches `pattern` (its first group), once it has."""
    for _ in range(1200):
        if found := re.search(pattern, log.read_text(errors="replace")):
            return found[1]
        await asyncio.sleep(0.1)
    raise AssertionError(f"waited in vain for {pattern}:\n{log.read_text(errors='replace')}")


def workers_of(data: Path) -> list[int]:
    """Process numbers of the workers that `run` keeps, by the notes they leave."""
    return sorted(int(path.stem.partition("-")[2]) for path in (data / "run").glob("worker-*.json"))


async def enriched(seen: Tab) -> int:
    return int(await seen.run(ENRICHED) or 0)


async def walk_through_run(diary: Diary, folder: Path) -> None:
    inbox = folder / "my-inbox"
    inbox.mkdir()
    with make_run(folder, inbox) as log:
        async with tab(folder / "profile-run", await said(log, r"Live page: (http\S+)")) as seen:
            diary.say("make run: the page is there")
            await seen.wait(f"{ENRICHED} > 20", "the seeds on the last arrow")
            before, room = await enriched(seen), Newsroom(inbox)
            diary.say(f"the seeds are out: {before} enriched")
            await diary.picture(seen, "0-run-seeds")
            took = await room.until(lambda: _more(seen, before + DROPPED // 2), "the page to move", 60)
            diary.say(f"files dropped, and the page moved within {took:.1f} s")
            for name, (width, height) in SCREENS.items():
                await seen.look(width, height, dark=name == "dark")
                await asyncio.sleep(0.5)
                await diary.picture(seen, f"1-run-{name}")
            await seen.look(1280, 900)
            victim, *_ = workers_of(folder / "data")
            os.kill(victim, signal.SIGKILL)
            diary.say(f"kill -9 {victim}, one of two workers of run")
            told = "document.getElementById('state-text').textContent.includes('processes ready')"
            await seen.wait(told, "the page to say that a process is missing")
            await diary.picture(seen, "2-run-without-a-worker")

            async def another() -> bool:
                return len(set(workers_of(folder / "data")) - {victim}) == 2

            took = await room.until(another, "another worker in its place", 60)
            diary.say(f"run has started another one after {took:.1f} s")
            before = await enriched(seen)
            took = await room.until(lambda: _more(seen, before + DROPPED), "the flow to go on", 60)
            diary.say(f"articles come out, {took:.1f} s later")
            await diary.picture(seen, "3-run-after-the-kill")
    printed = [line for line in log.read_text().splitlines() if line.strip() and not line.startswith("make")]
    diary.say(f"Ctrl-C; last words: {printed[-1]}")


async def _more(seen: Tab, count: int) -> bool:
    return await enriched(seen) >= count


# --- the second half: the roles apart, and the alert --------------------------------------------


@contextmanager
def roles(folder: Path, broker: str, prefix: str) -> Iterator[Deployment]:
    """Watcher, two workers and monitor, by the command lines and environment of docker-compose.yml."""
    with deployed_roles(broker, prefix, folder) as deployment:
        deployment.ports["worker-2"] = free_ports(1)[0]
        deployment.start("worker-2")
        yield deployment


async def walk_with_alert(diary: Diary, folder: Path, server: prometheus.Prometheus, desk: Deployment) -> int:
    """Kill a worker, see the alert fire, start the worker again, see it clear. Returns how many were dropped."""
    room = Newsroom(desk.inbox)
    page = await said(desk.log("monitor"), r"live page on (http\S+)")
    async with tab(folder / "profile-page", page) as live, tab(folder / "profile-alerts") as rules:

        async def healthy() -> bool:
            states = [target["health"] for target in server.get("targets")["activeTargets"]]
            return len(states) == 5 and set(states) == {"up"} and await enriched(live) > DROPPED

        await room.until(healthy, "all targets to be up, and articles to come out", 120)
        assert not server.firing(), server.firing()
        diary.say("watcher, two workers and monitor are up; Prometheus sees all; no alert")
        await look_at_alerts(diary, rules, server, "4-no-alert")
        await kill_and_mend(diary, server, desk, room, live, rules)
    return room.articles


async def kill_and_mend(
    diary: Diary, server: prometheus.Prometheus, desk: Deployment, room: Newsroom, live: Tab, rules: Tab
) -> None:
    victim = desk.processes["worker-2"]
    victim.kill()
    victim.wait()
    killed, before = time.monotonic(), await enriched(live)
    diary.say(f"kill -9 {victim.pid}, the second worker")
    await room.until(lambda: _more(live, before + 2 * DROPPED), "the other worker to go on", 90)
    diary.say("the other worker has its partitions and goes on")
    await diary.picture(live, "5-page-while-one-worker-is-dead")

    async def is_state(state: str) -> bool:
        return any(found["labels"]["alertname"] == "CopydeskDown" and found["state"] == state
                   for found in server.get("alerts")["alerts"])  # fmt: skip

    await room.until(lambda: is_state("firing"), "the alert to fire", 240)
    diary.say(
        f"CopydeskDown fires, {time.monotonic() - killed:.0f} s after the kill; firing: {sorted(server.firing())}"
    )
    await look_at_alerts(diary, rules, server, "6-alert-fires")
    desk.start("worker-2")

    async def cleared() -> bool:
        return "CopydeskDown" not in server.firing()

    took = await room.until(cleared, "the alert to clear", 120)
    diary.say(
        f"the worker was started again; CopydeskDown cleared {took:.0f} s later; firing: {sorted(server.firing())}"
    )
    await look_at_alerts(diary, rules, server, "7-alert-cleared")
    await diary.picture(live, "8-page-at-the-end")


async def look_at_alerts(diary: Diary, rules: Tab, server: prometheus.Prometheus, name: str) -> None:
    # Debian's package has the plain pages alone.
    await rules.open(f"{server.url}/classic/alerts")
    await rules.wait("document.body.innerText.includes('CopydeskDown')", "Prometheus' page of alerts")
    await diary.picture(rules, name)


async def check_books(server: prometheus.Prometheus, dropped: int) -> None:
    """Wait until all is settled, by the metrics."""
    for _ in range(240):
        if server.query("sum(copydesk_ledger_settled)") == [({}, dropped)]:
            return
        await asyncio.sleep(0.5)
    raise AssertionError(f"{dropped} dropped, settled: {server.query('sum(copydesk_ledger_settled)')}")


async def walk_apart(diary: Diary, folder: Path) -> None:
    prefix = "walk"
    with EmbeddedBroker(folder / "kafka", 0, diary.say) as broker, roles(folder, broker.bootstrap, prefix) as desk:
        (port,) = free_ports(1)
        with prometheus.running(folder / "prometheus", desk.ports, port, interval="") as server:
            dropped = await walk_with_alert(diary, folder, server, desk)
            await check_books(server, dropped)
        desk.stop()
        topics = oracle.read(broker.bootstrap, prefix)
        assert topics.faults() == []
        assert topics.raw.total() == dropped
        diary.say(f"{dropped} articles dropped, each out exactly once: {settled_as_words(topics.settled)}")


def settled_as_words(settled: Mapping[str, int]) -> str:
    return f"{sum(settled.values())} settled"


async def walk(diary: Diary, folder: Path) -> None:
    await walk_through_run(diary, folder)
    apart = folder / "apart"
    apart.mkdir()
    await walk_apart(diary, apart)


def main(arguments: list[str]) -> int:
    """Walk; 0, or an error where a step is not as it should be."""
    pictures = Path(arguments[0]) if arguments else Path(tempfile.mkdtemp(prefix="copydesk-walk-"))
    with tempfile.TemporaryDirectory(prefix="copydesk-walk-") as folder:
        asyncio.run(walk(Diary(pictures), Path(folder)))
    print(f"Pictures are in {pictures}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
