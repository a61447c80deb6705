"""The child processes of `run`: started with its settings, watched, started again when they fail."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pipeline.clock import Clock
from pipeline.errors import UserError
from pipeline.settings import Settings

_BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
_WRONG_USE = 2
_ERROR_MARK = "copydesk: "
_HEALTHY_AFTER_SECONDS = 30.0


@dataclass
class Child:
    """One role's process and how it has fared."""

    role: str
    process: asyncio.subprocess.Process | None = None
    failures: int = 0
    started: float = 0.0
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Children:
    """Keeps `run`'s children alive until `stop`.

    `say` gets one line for whatever a person should know, `ended` the number of each process that is gone.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        log: IO[bytes],
        say: Callable[[str], None],
        ended: Callable[[int], None] = lambda pid: None,
    ) -> None:
        self._environment = {**os.environ, **settings.environment()}
        self._drain_seconds = settings.drain_seconds
        self._clock = clock
        self._log = log
        self._say = say
        self._ended = ended
        self._stopping = asyncio.Event()
        self._fatal: UserError | None = None
        self.children: list[Child] = []

    def start(self, role: str) -> None:
        """Start a child for `role` (a command of ours) and keep it running."""
        child = Child(role)
        self.children.append(child)
        child.task = asyncio.create_task(self._keep(child), name=f"keep {role}")

    def check(self) -> None:
        """Raises UserError where a child ended over something that a person must mend; its log has the line."""
        if self._fatal:
            raise self._fatal

    @property
    def pids(self) -> set[int]:
        """Numbers of the processes that run now, or ran last."""
        return {child.process.pid for child in self.children if child.process}

    async def stop(self) -> None:
        """Ask all children to end, wait for the drain time, then kill what is left."""
        self._stopping.set()
        running = [child.process for child in self.children if child.process and child.process.returncode is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        tasks = [child.task for child in self.children if child.task]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._drain_seconds + 9)
            for child in self.children if late else ():
                if child.process and child.process.returncode is None:
                    child.process.kill()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, child: Child) -> None:
        while not self._stopping.is_set():
            child.started = self._clock.monotonic()
            # Its end of the pipe on stdin tells a child when we are gone, even after a SIGKILL.
            child.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "pipeline", child.role, "--child",
                stdin=asyncio.subprocess.PIPE, stdout=self._log, stderr=self._log, env=self._environment,
                start_new_session=True,
            )  # fmt: skip
            if self._stopping.is_set():
                # `stop` came while the process was being made, and could not know of it.
                child.process.terminate()
            code = await child.process.wait()
            self._ended(child.process.pid)
            if self._stopping.is_set():
                return
            if code == _WRONG_USE:
                self._fatal = UserError(f"{child.role}: {_last_line(self._log.name)}")
                return
            await self._rest(child, code)

    async def _rest(self, child: Child, code: int) -> None:
        """Wait before the next start, longer after each failure in a row."""
        if self._clock.monotonic() - child.started > _HEALTHY_AFTER_SECONDS:
            child.failures = 0
        pause = _BACKOFF_SECONDS[min(child.failures, len(_BACKOFF_SECONDS) - 1)]
        child.failures += 1
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._say(f"{child.role} {how}; starting it again in {pause:g} s (its log: {self._log.name})")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause)


def _last_line(path: str) -> str:
    """The last error that a process of ours wrote to the log that all share."""
    lines = Path(path).read_text(errors="replace").splitlines()
    errors = [line.removeprefix(_ERROR_MARK) for line in lines if line.startswith(_ERROR_MARK)]
    return errors[-1] if errors else f"ended without a word; see {path}"
