"""A broker, a watcher and workers under load, struck by one fault after another; at the end an oracle judges.

    load ─▶ inbox ─▶ watcher ─▶ broker ◀─▶ workers          strike: kill, stop, scale, cut off … at a seeded moment

A crash is a token in a list: a schedule is a list of `Strike`, each with the load that comes before it.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.broker import EmbeddedBroker
from tests import oracle, replay
from tests.faults.load import Load
from tests.rig import Rig

SESSION_SECONDS = 6.0
_FENCED = 2
# The stream broke, or there was no broker when it started.
_BROKE = (1, 2)
_PATIENCE_SECONDS = 300.0
WORKER = ("-m", "pipeline", "worker")


@dataclass(frozen=True)
class Strike:
    """One fault: strike once `share` (0..1) of the `articles` that are dropped for it have come out."""

    kind: str
    articles: int
    share: float


@dataclass
class Verdict:
    """What a scene came to."""

    strikes: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    """SIGKILLs."""
    restarts: int = 0
    """Workers that ended by themselves, with a clear word, and were started again as `run` does."""
    pauses: dict[str, list[float]] = field(default_factory=dict)
    """Seconds from each strike to the next article that came out, by kind."""
    articles: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.lost or self.twice or self.other)

    def __str__(self) -> str:
        struck = ", ".join(f"{number} {kind}" for kind, number in sorted(self.strikes.items()))
        return (
            f"{struck}; {self.kills} SIGKILLs, {self.restarts} restarts; {self.articles} articles"
            f" ({', '.join(f'{number} {name}' for name, number in self.outcomes.items())}):"
            f" {len(self.lost)} lost, {len(self.twice)} twice, {len(self.other)} altered"
        )


class Scene:
    """Runs a schedule. `worker` is how Python is told to be a worker: the broken ones of the tests, too."""

    def __init__(
        self, folder: Path, prefix: str, seed: int, *, workers: int = 2, worker: Sequence[str] = WORKER
    ) -> None:
        self._rng = random.Random(seed)
        self._broker = EmbeddedBroker(folder / "broker", _free_port(), lambda line: None)
        self._broker.start()
        self.rig = Rig(self._broker.bootstrap, prefix, folder, batch_articles=25)
        self.load = Load(self.rig.inbox, folder / "outside", seed)
        self.verdict = Verdict()
        self._worker = worker
        self._watcher = self.rig.start("watch")
        self._workers = [self._start_worker() for _ in range(workers)]
        self._grown = 0, time.monotonic()

    def close(self) -> None:
        self.rig.kill()
        self.rig.close()
        self._broker.stop()

    # --- the schedule ------------------------------------------------------------------------------

    def run(self, schedule: Sequence[Strike], say: Callable[[str], None] = lambda line: None) -> Verdict:
        """Strike after strike, then wait until all has come out, and judge. `say` is told what each strike came to."""
        for strike in schedule:
            self._until_under_load(strike)
            begun, before = time.monotonic(), self.rig.settled()
            STRIKES[strike.kind](self)
            self.verdict.strikes[strike.kind] += 1
            self.load.some(20)
            self._wait(lambda before=before: self.rig.settled() > before, f"an article after {strike}")  # type: ignore[misc]
            pause = time.monotonic() - begun
            self.verdict.pauses.setdefault(strike.kind, []).append(pause)
            say(f"{strike.kind}: flows again after {pause:.1f} s; {self.verdict.kills} killed so far")
        self.load.finish()
        self._wait(self._all_out, "all articles to come out")
        self.stop()
        return self.judge()

    def _until_under_load(self, strike: Strike) -> None:
        before = self.rig.settled()
        self.load.burst(strike.articles)
        due = before + int(strike.articles * strike.share)
        # Of files that vanish in time nothing comes; then there is no more to wait for than what stays.
        self._wait(lambda: self.rig.settled() >= min(due, self.load.files.due), f"{due} articles before {strike}")
        time.sleep(self._rng.random() / 5)

    def _all_out(self) -> bool:
        settled, now = self.rig.settled(), time.monotonic()
        if settled > self._grown[0]:
            self._grown = settled, now
        if self._worker != WORKER:
            # What was lost never comes; a while without anything is the end.
            return self.rig.received >= self.load.files.due and now - self._grown[1] > 3 * SESSION_SECONDS
        # The count is a hint: a reader that a broker's death threw back may count twice. What is there decides.
        return settled >= self.load.files.due and not self._faults()

    def _faults(self) -> list[str]:
        """What is not there yet, or not as it should be, for a client that reads all from the beginning."""
        topics = self.rig.topics()
        return [*topics.faults(), *self.load.files.faults(topics.records["raw"], topics.records["rejected"])]

    def _wait(self, done: Callable[[], object], what: str) -> None:
        def tended() -> object:
            self._tend()
            self.load.tick()
            return done()

        try:
            self.rig.wait(tended, what, _PATIENCE_SECONDS)
        except AssertionError as error:
            error.add_note(self._state())
            raise

    def _state(self) -> str:
        """What a person asks first when it has got stuck."""
        faults = self._faults()
        return (
            f"struck: {dict(self.verdict.strikes)}; received {self.rig.received} of {self.load.files.due}, settled"
            f" {self.rig.settled()}; workers: {[self.rig.why(worker) for worker in self._workers]};"
            f" watcher: {self.rig.why(self._watcher)}; {len(faults)} faults: {faults[:5]}"
        )

    def _tend(self) -> None:
        """Start again what ended by itself with a word, as `run` would; anything else is a fault of ours."""
        for number, worker in enumerate(self._workers):
            if worker.poll() is not None:
                assert worker.returncode in _BROKE, f"worker ended with {worker.returncode}\n{self.rig.words()}"
                self.verdict.restarts += 1
                self._workers[number] = self._start_worker()
        assert self._watcher.poll() is None, f"watcher ended with {self._watcher.returncode}\n{self.rig.words()}"

    def stop(self) -> None:
        """SIGTERM to all: nothing may be left half done."""
        for process in [self._watcher, *self._workers]:
            process.terminate()
        codes = [process.wait(40) for process in [self._watcher, *self._workers]]
        assert set(codes) == {0}, f"{codes}\n{self.rig.words()}"

    def judge(self) -> Verdict:
        topics, found = self.rig.topics(), self.verdict
        found.articles = len(topics.raw)
        found.outcomes = Counter({name: len(topics.records[name]) for name in oracle.OUTCOMES})
        faults = topics.faults()
        found.lost = [fault for fault in faults if fault.endswith("lost")]
        found.twice = [fault for fault in faults if fault.endswith("times")]
        found.other = [fault for fault in faults if fault not in found.lost and fault not in found.twice]
        found.other += self.load.files.faults(topics.records["raw"], topics.records["rejected"])
        claims = oracle.read_claims(self.rig.settings.broker, self.rig.settings.prefix)
        found.other += replay.faults(topics, claims, self.rig.settings.window_seconds)
        hanging = oracle.hanging(self.rig.settings.broker, self.rig.settings.prefix)
        found.other += [f"{topic}: {records} records held up" for topic, records in hanging.items()]
        return found

    # --- the faults --------------------------------------------------------------------------------

    def kill_watcher(self) -> None:
        self._kill(self._watcher)
        self._watcher = self.rig.start("watch")

    def kill_worker(self) -> None:
        self._restart(self._rng.randrange(len(self._workers)))

    def kill_workers(self) -> None:
        for worker in self._workers:
            worker.kill()
        for number in range(len(self._workers)):
            self._restart(number)

    def kill_broker(self) -> None:
        """SIGKILL of the whole process group; then it starts again on what lies on the disk."""
        process = self._broker._process
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.verdict.kills += 1
        self._broker.stop()
        self._broker.start()

    def broker_away(self, seconds: float = 5.0) -> None:
        """An orderly stop, a while of nothing, a start."""
        self._broker.stop()
        self._sleep(seconds)
        self._broker.start()

    def broker_away_long(self) -> None:
        self.broker_away(60.0)

    def pause_worker(self) -> None:
        """SIGSTOP past the session's end: the others take over, and the zombie wakes up in the middle of its work."""
        zombie = self._workers[self._rng.randrange(len(self._workers))]
        zombie.send_signal(signal.SIGSTOP)
        self._sleep(SESSION_SECONDS + 2 + self._rng.random() * 2)
        zombie.send_signal(signal.SIGCONT)

    def scale(self) -> None:
        """1 → 4 → 1, in order; then as many as before."""
        number = len(self._workers)
        for wanted in (1, 4, 1, number):
            self._scale(wanted)
            self._sleep(self._rng.random() * 3)

    def rebalances(self) -> None:
        """One joins, one leaves, before anybody has settled in."""
        for _ in range(3):
            self._workers.append(self._start_worker())
            self._sleep(2 + self._rng.random())
            self._scale(len(self._workers) - 1)

    def two_watchers(self) -> None:
        """A second watcher on the same inbox: one of the two must say so and end."""
        first, second = self._watcher, self.rig.start("watch")

        def one_ended() -> bool:
            # Whoever publishes next finds out, so there must be something to publish.
            self.load.burst(5)
            return first.poll() is not None or second.poll() is not None

        self.rig.wait(one_ended, "one of two watchers to end")
        ended, self._watcher = (first, second) if first.poll() is not None else (second, first)
        assert ended.returncode == _FENCED, f"{ended.returncode}\n{self.rig.words()}"
        assert "another watcher" in self.rig.words()

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        self.verdict.kills += 1

    def _restart(self, number: int) -> None:
        self._kill(self._workers[number])
        self._workers[number] = self._start_worker()

    def _start_worker(self) -> subprocess.Popen[bytes]:
        return self.rig.start("worker", *self._worker)

    def _scale(self, wanted: int) -> None:
        while len(self._workers) < wanted:
            self._workers.append(self._start_worker())
        leaving, self._workers = self._workers[wanted:], self._workers[:wanted]
        for worker in leaving:
            worker.terminate()
        codes = [worker.wait(40) for worker in leaving]
        # One that has not begun yet holds nothing, and is ended by the signal itself.
        assert {*codes} <= {0, -signal.SIGTERM}, f"{codes}\n{self.rig.words()}"

    def _sleep(self, seconds: float) -> None:
        """Under load: the inbox goes on changing meanwhile."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.1)
            self.load.tick()
            self.rig.settled()


STRIKES: dict[str, Callable[[Scene], None]] = {
    "watcher": Scene.kill_watcher,
    "worker": Scene.kill_worker,
    "workers": Scene.kill_workers,
    "broker": Scene.kill_broker,
    "away": Scene.broker_away,
    "away-60s": Scene.broker_away_long,
    "zombie": Scene.pause_worker,
    "scale": Scene.scale,
    "rebalances": Scene.rebalances,
    "two-watchers": Scene.two_watchers,
}


@contextmanager
def scene(folder: Path, prefix: str, seed: int, *, worker: Sequence[str] = WORKER) -> Iterator[Scene]:
    """A Scene that leaves no process behind."""
    made = Scene(folder, prefix, seed, worker=worker)
    try:
        yield made
    finally:
        made.close()


def _free_port() -> int:
    """One below those that the system hands out, so that nobody has it by chance when the broker comes back to it."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
