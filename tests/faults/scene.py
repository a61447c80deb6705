"""A broker, a watcher and workers under load, struck by one fault after another; at the end an oracle judges.

    load ─▶ inbox ─▶ watcher ─▶ broker ◀─▶ workers          strike: kill, stop, scale, cut off … at a seeded moment

A crash is a token in a list: a schedule is a list of `Strike`, each with the load that comes before it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.broker import EmbeddedBroker
from pipeline.monitor.pulse import resident_bytes
from tests.faults.load import Load
from tests.faults.ports import free_port
from tests.faults.verdict import Verdict, judge
from tests.rig import Rig

SESSION_SECONDS = 6.0
_FENCED = 2
# The stream broke, or there was no broker when it started.
_BROKE = (1, 2)
_PATIENCE_SECONDS = 300.0
_LOOK_SECONDS = 2.0
_FLAT_BYTES = 32 << 20
_LOADED_BYTES = 320 << 20
WORKER = ("-m", "pipeline", "worker")


@dataclass(frozen=True)
class Strike:
    """One fault: strike once `share` (0..1) of the `articles` that are dropped for it have come out."""

    kind: str
    articles: int
    share: float


class Scene:
    """Runs a schedule. `worker` is how Python is told to be a worker: the broken ones of the tests, too."""

    def __init__(
        self, folder: Path, prefix: str, seed: int, *, workers: int = 2, worker: Sequence[str] = WORKER
    ) -> None:
        self._rng = random.Random(seed)
        self._broker = EmbeddedBroker(folder / "broker", free_port(), lambda line: None)
        self._broker.start()
        self.rig = Rig(self._broker.bootstrap, prefix, folder, batch_articles=25)
        self.load = Load(self.rig.inbox, folder / "outside", seed)
        self.verdict = Verdict()
        self._worker = worker
        self._watcher = self._start_watcher()
        self._workers = [self._start_worker() for _ in range(workers)]
        self._grown = 0, time.monotonic()
        self._looked = 0.0

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
        return judge(self.verdict, self.rig, self.load.files)

    def _until_under_load(self, strike: Strike) -> None:
        before = self.rig.settled()
        self.load.burst(strike.articles)
        due = before + int(strike.articles * strike.share)
        # Of files that vanish in time nothing comes; then there is no more to wait for than what stays.
        self._wait(lambda: self.rig.settled() >= min(due, self.load.files.due), f"{due} articles before {strike}")
        time.sleep(self._rng.random() / 5)

    def _all_out(self) -> bool:
        settled, now = self.rig.settled(), time.monotonic()
        if self._worker != WORKER:
            # What was lost never comes; a while without anything is the end.
            return self.rig.received >= self.load.files.due and now - self._grown[1] > 3 * SESSION_SECONDS
        if settled < self.load.files.due or now < self._looked + _LOOK_SECONDS:
            return False
        # The count is a hint: a reader that a broker's death threw back may count twice. What is there decides.
        sound = not self._faults()
        self._looked = time.monotonic()
        return sound

    def _faults(self) -> list[str]:
        """What is not there yet, or not as it should be, for a client that reads all from the beginning."""
        topics = self.rig.topics()
        return [*topics.faults(), *self.load.files.faults(topics.records["raw"], topics.records["rejected"])]

    def _wait(self, done: Callable[[], object], what: str) -> None:
        """Wait as long as now and then something comes out."""
        self._grown = self.rig.settled(), time.monotonic()
        while not done():
            self._tend()
            self.load.tick()
            settled, now = self.rig.settled(), time.monotonic()
            if settled > self._grown[0]:
                self._grown = settled, now
            assert now < self._grown[1] + _PATIENCE_SECONDS, f"nothing more came, waiting for {what}\n{self._state()}"
            time.sleep(0.1)

    def _state(self) -> str:
        """What a person asks first when it has got stuck."""
        faults = self._faults()
        return (
            f"struck: {dict(self.verdict.strikes)}; received {self.rig.received} of {self.load.files.due}, settled"
            f" {self.rig.settled()}; workers: {[self.rig.why(worker) for worker in self._workers]};"
            f" watcher: {self.rig.why(self._watcher)}; {len(faults)} faults: {faults[:5]}\n{self.rig.words()}"
        )

    def _tend(self) -> None:
        """Start again what ended by itself with a word, as `run` would; anything else is a fault of ours."""
        for number, worker in enumerate(self._workers):
            if worker.poll() is not None:
                assert worker.returncode in _BROKE, f"worker ended with {worker.returncode}\n{self.rig.words()}"
                self.verdict.restarts += 1
                self._workers[number] = self._start_worker()
        if self._watcher.poll() is not None:
            # One that finds no broker when it starts says so and ends.
            assert "no Kafka answers" in self.rig.said(self._watcher), self.rig.words()
            self.verdict.restarts += 1
            self._watcher = self._start_watcher()

    def stop(self) -> None:
        """SIGTERM to all: nothing may be left half done."""
        for process in [self._watcher, *self._workers]:
            process.terminate()
        codes = [process.wait(60) for process in [self._watcher, *self._workers]]
        assert set(codes) == {0}, f"{codes}\n{self.rig.words()}"

    # --- the faults --------------------------------------------------------------------------------

    def kill_watcher(self) -> None:
        self._kill(self._watcher)
        self._watcher = self._start_watcher()

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

    def broker_away(self, seconds: float = 8.0) -> None:
        """An orderly stop, a while in which all say why they stand still and take no more memory, a start."""
        self._broker.stop()
        self._sleep(5.0)
        processes = [self._watcher, *self._workers]
        before = {process.pid: _memory_bytes(process) for process in processes}
        self._sleep(seconds - 5.0)
        for process in processes:
            self._says_that_kafka_is_away(process)
            # One that has just begun anew takes what any takes that is loaded.
            grown = _memory_bytes(process) - max(before[process.pid], _LOADED_BYTES)
            assert grown < _FLAT_BYTES, f"grew by {grown >> 20} MB in an outage; {self.rig.why(process)}"
        self._broker.start()

    def _says_that_kafka_is_away(self, process: subprocess.Popen[bytes]) -> None:
        """Its `/readyz` does, which is not there for a moment where it begins anew; or it ends over the outage."""

        def said() -> bool:
            return "Kafka at" in self.rig.why(process) or process.poll() in _BROKE

        self.rig.wait(said, "a word about the outage", 60)

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
        first, second = self._watcher, self._start_watcher()

        def one_ended() -> bool:
            # Whoever publishes next finds out, so there must be something to publish.
            self.load.burst(5)
            return first.poll() is not None or second.poll() is not None

        self.rig.wait(one_ended, "one of two watchers to end", _PATIENCE_SECONDS)
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
        return self._start("worker", self._worker)

    def _start_watcher(self) -> subprocess.Popen[bytes]:
        return self._start("watch", ("-m", "pipeline", "watch"))

    def _start(self, role: str, how: Sequence[str]) -> subprocess.Popen[bytes]:
        """One in four finds itself on a machine whose clock jumps."""
        if how[1] == "pipeline" and self._rng.random() < 0.25:
            self.verdict.wild += 1
            how = ("-m", "tests.faults.clocks", role)
        return self.rig.start(role, *how)

    def _scale(self, wanted: int) -> None:
        while len(self._workers) < wanted:
            self._workers.append(self._start_worker())
        leaving, self._workers = self._workers[wanted:], self._workers[:wanted]
        for worker in leaving:
            worker.terminate()
        codes = [worker.wait(60) for worker in leaving]
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


def _memory_bytes(process: subprocess.Popen[bytes]) -> int:
    """What the process has in memory; 0 where it is gone."""
    with suppress(OSError):
        return resident_bytes(process.pid)
    return 0
