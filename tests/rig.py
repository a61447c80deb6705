"""Starts real roles as processes against the session's broker, with an inbox and topics of the test's own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import TopicPartition

from pipeline.generate import Made, articles
from pipeline.kafka import ensure_topics
from pipeline.settings import Settings
from tests import oracle

_MOST = 1_000
_AWAY = ("_TRANSPORT", "_ALL_BROKERS_DOWN", "_RESOLVE", "_TIMED_OUT")


class Rig:
    """One inbox, one prefix, any number of processes; everything still running at the end is killed."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path, **settings: object) -> None:
        self.inbox = folder / "inbox"
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.settings = Settings(
            broker=bootstrap,
            prefix=prefix,
            data_dir=str(folder / "data"),
            inbox=(str(self.inbox),),
            metrics_port=0,
            page_port=0,
            session_timeout_seconds=6.0,
            **settings,  # type: ignore[arg-type]  # tests name real settings
        )
        self.processes: list[subprocess.Popen[bytes]] = []
        asyncio.run(ensure_topics(self.settings))
        self._reader = oracle.reader(bootstrap)
        self._reader.assign(
            [
                TopicPartition(f"{prefix}.{name}", n, 0)
                for name in ("raw", *oracle.OUTCOMES)
                for n in range(self.settings.partitions)
            ]
        )
        self._seen = 0
        self.received = 0
        """Articles on the raw topic, as of the last call of `settled`."""

    def start(self, role: str, *instead: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start `copydesk ROLE`, or Python with the arguments `instead`; its words go to a log beside the inbox."""
        with self._log(len(self.processes)).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *(instead or ("-m", "pipeline", role))],
                env={**os.environ, **self.settings.environment(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def _log(self, number: int) -> Path:
        return self.folder / f"process-{number}.log"

    def words(self) -> str:
        """Everything the processes have said so far."""
        return "\n".join(self._log(number).read_text(errors="replace") for number in range(len(self.processes)))

    def said(self, process: subprocess.Popen[bytes]) -> str:
        """What this process has said so far."""
        return self._log(self.processes.index(process)).read_text(errors="replace")

    def why(self, process: subprocess.Popen[bytes]) -> str:
        """What the process's /readyz says."""
        said = re.findall(r"metrics on (http://[^/]+)/", self.said(process))
        if not said or process.poll() is not None:
            return "not running"
        try:
            with urllib.request.urlopen(f"{said[-1]}/readyz", timeout=5) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError as error:
            return str(error)

    def stop(self) -> list[int]:
        """End all processes in order; their exit codes."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        return [process.wait(40) for process in self.processes]

    def kill(self) -> None:
        """End all processes at once."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    def drop(self, name: str, content: bytes) -> None:
        """Put a file into the inbox as a careful writer does: under another name, then renamed."""
        part = self.inbox / (name + ".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.rename(self.inbox / name)

    def drop_articles(self, count: int, seed: int = 1) -> list[Made]:
        """Generated articles as one JSON Lines file; what they are, in order of their lines."""
        made = list(articles(count, seed))
        self.drop(f"made-{seed}.jsonl", b"\n".join(one.line for one in made))
        return made

    def settled(self) -> int:
        """Articles with a committed outcome, as a reader of the outcome topics has seen them so far."""
        while True:
            messages = self._reader.consume(_MOST, timeout=0.1)
            for message in messages:
                if message.error():
                    # A broker that is away is no end: the reader goes on where it was once it is back.
                    assert message.error().name() in _AWAY, message.error()
                elif message.topic().endswith(".raw"):
                    self.received += 1
                else:
                    self._seen += ("stage", b"watch") not in (message.headers() or ())
            # Not as long as any come: a fast worker would hold us here until it is done.
            if len(messages) < _MOST:
                return self._seen

    def wait_settled(self, count: int, seconds: float = 180) -> None:
        """Wait until `count` articles have come out."""
        self.wait(lambda: self.settled() >= count, f"{count} articles to be settled", seconds)

    def wait(self, done: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Poll until `done()`; names `what` it waited for, with the processes' words, where that takes too long."""
        try:
            self.wait_for(done, what, seconds)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.words()}") from error

    @staticmethod
    def wait_for(done: Callable[[], object], what: str, seconds: float) -> None:
        """Poll until `done()`. Raises TimeoutError, which names `what` it waited for."""
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}")
            time.sleep(0.1)

    def close(self) -> None:
        self._reader.close()

    def topics(self) -> oracle.Topics:
        """All that a committed reader sees now."""
        return oracle.read(self.settings.broker, self.settings.prefix)


@contextmanager
def rig(bootstrap: str, prefix: str, folder: Path, **settings: object) -> Iterator[Rig]:
    """A Rig that leaves no process behind."""
    made = Rig(bootstrap, prefix, folder, **settings)
    try:
        yield made
    finally:
        made.kill()
        made.close()
