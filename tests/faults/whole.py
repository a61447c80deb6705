"""`copydesk run` with its own broker: killed as a whole, its disk filled up; started again on the same folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from tests.faults.load import Load
from tests.faults.ports import free_port
from tests.faults.verdict import Verdict, judge
from tests.rig import Rig

_START_SECONDS = 120.0
_ALL_SECONDS = 300.0


class Whole:
    """One `run` at a time, of many on one inbox and one data directory."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self.data = folder / "data"
        self.data.mkdir()
        (folder / "inbox").mkdir()
        self.load = Load(folder / "inbox", folder / "outside", seed)
        self.verdict = Verdict()
        self._port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._left: list[str] = []

    @cached_property
    def rig(self) -> Rig:
        """A look at its topics; to be asked for once it is up."""
        return Rig(f"127.0.0.1:{self._port}", "articles", self._folder)

    @property
    def words(self) -> str:
        """All that it has said so far, and its roles' last words."""
        log = self.data / "run.log"
        said = (self._folder / "run.words").read_text(errors="replace")
        return said + (log.read_text(errors="replace")[-5000:] if log.exists() else "")

    @property
    def kafka(self) -> int:
        """Process id of its broker: the only child of the keeper, which the lock names."""
        keeper = int((self.data / "broker" / "broker.lock").read_text())
        (child,) = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
        return int(child)

    def start(self) -> None:
        """Start it and wait until its broker answers."""
        # A killed one leaves it behind.
        address = self.data / "broker" / "address"
        address.unlink(missing_ok=True)
        arguments = ["run", "--inbox", str(self._folder / "inbox"), "--data-dir", str(self.data), "--workers", "2"]
        arguments += ["--broker-port", str(self._port), "--metrics-port", "0", "--page-port", "0"]
        with (self._folder / "run.words").open("ab") as words:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pipeline", *arguments],
                env={**os.environ, "COPYDESK_BATCH_ARTICLES": "25", "COPYDESK_SESSION_TIMEOUT_SECONDS": "6"},
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
            )
        self.wait(address.exists, "the embedded broker to be ready", _START_SECONDS)

    def kill(self) -> None:
        """SIGKILL; broker, watcher and workers find out by themselves."""
        assert self.process
        self.process.kill()
        self.process.wait()
        self.verdict.kills += 1
        self.verdict.strikes["run"] += 1

    def finish(self) -> Verdict:
        """Wait until all has come out, judge, and end it in order."""
        self.load.finish()
        self.wait(self._all_out, "all articles to come out", _ALL_SECONDS)
        judge(self.verdict, self.rig, self.load.files)
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.words
        return self.verdict

    def until_settled(self, count: int) -> None:
        """Wait until so many articles more have come out."""
        due = self.rig.settled() + count
        # Of files that vanish or are emptied in time nothing comes; then there is no more to wait for than what stays.
        self.wait(lambda: self.rig.settled() >= min(due, self.load.files.due), f"{count} articles more", _ALL_SECONDS)

    def _all_out(self) -> bool:
        # Read anew each time: a reader that has lived through a broker's death may be the one that lags.
        topics = self.rig.topics()
        files = self.load.files.faults(topics.records["raw"], topics.records["rejected"])
        self._left = [*topics.faults(), *files]
        return not self._left

    def wait(self, done: Callable[[], object], what: str, seconds: float) -> None:
        """Poll until `done()`; the process must not end meanwhile."""

        def alive() -> object:
            self.load.tick()
            assert self.process
            assert self.process.poll() is None, f"run ended with {self.process.returncode}\n{self.words}"
            return done()

        try:
            Rig.wait_for(alive, what, seconds)
        except TimeoutError as error:
            error.add_note(f"{self.words}\nleft: {self._left[:5]}")
            raise

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if "rig" in self.__dict__:
            self.rig.close()


@contextmanager
def whole(folder: Path, seed: int) -> Iterator[Whole]:
    """A Whole that leaves no process behind."""
    made = Whole(folder, seed)
    try:
        yield made
    finally:
        made.close()
