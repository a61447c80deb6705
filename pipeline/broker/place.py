"""The broker's folder: which files are in it, and who holds it.

DATA_DIR/broker/
  data/               Kafka's log directory; its presence means formatted
  server.properties   written at every start, since ports may change
  controller.properties  the same for a controller alone, written after a crash
  kafka.log, .1, …    what Kafka logged since this start, rolled; kafka.previous.log: the start before
  controller.log      what that controller logged
  console.log         what the JVM said outside that log since this start
  owner.lock          held by the process that owns the broker; names it
  broker.lock         held by the broker for as long as any part of it lives; names its keeper
  address             HOST:PORT while it runs
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.broker.probe import HOST

_SHARED_PROPERTIES = Path(__file__).parent.parent / "server.properties"
_EXCERPT_LINES = 12
_METADATA = "__cluster_metadata-0"


@dataclass(frozen=True, slots=True)
class More:
    """What a broker has beside the shared properties: further listeners (`SASL_SSL://HOST:PORT`) and properties."""

    listeners: Sequence[str] = ()
    properties: Mapping[str, str] = field(default_factory=dict)


NOTHING_MORE = More()


@dataclass(frozen=True, slots=True)
class Place:
    """The broker's own folder, DATA_DIR/broker."""

    folder: Path

    @property
    def data(self) -> Path:
        """Kafka's records; there once formatted."""
        return self.folder / "data"

    @property
    def address(self) -> Path:
        """Bootstrap address of the running broker."""
        return self.folder / "address"

    @property
    def log(self) -> Path:
        """What Kafka logged since it was last started."""
        return self.folder / "kafka.log"

    @property
    def controller_log(self) -> Path:
        """What the controller alone logged after a crash; Kafka's own log of the crash stays."""
        return self.folder / "controller.log"

    @property
    def console(self) -> Path:
        """What the JVM printed since it was last started."""
        return self.folder / "console.log"

    def cluster_id(self) -> str:
        """The id that formatting gave this data; empty where it cannot be read (Kafka then says why)."""
        try:
            lines = (self.data / "meta.properties").read_text().splitlines()
        except OSError:
            return ""
        return dict(line.partition("=")[::2] for line in lines).get("cluster.id", "")

    def write_properties(self, port: int, controller_port: int, more: More = NOTHING_MORE) -> Path:
        """The shared `server.properties` with what depends on this start.

        Directories are relative to this folder, so that no path needs escaping: Kafka splits them at commas and
        reads the file as Latin-1.
        """
        path = self.folder / "server.properties"
        clients = "".join(f",{listener}" for listener in more.listeners)
        path.write_text(
            f"{_SHARED_PROPERTIES.read_text()}\n# This start\n"
            f"log.dirs={self.data.name}\n"
            f"listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}{clients}\n"
            f"advertised.listeners=PLAINTEXT://{HOST}:{port}{clients}\n"
            f"controller.quorum.bootstrap.servers={HOST}:{controller_port}\n"
            + "".join(f"{name}={value}\n" for name, value in more.properties.items())
        )
        return path

    @property
    def crashed(self) -> bool:
        """Whether Kafka did not end in order when it last ran here: it leaves a mark where it did."""
        return self.data.exists() and not (self.data / ".kafka_cleanshutdown").exists() and self._has_topics()

    def _has_topics(self) -> bool:
        return any(found.is_dir() and found.name != _METADATA for found in self.data.iterdir())

    def write_controller_properties(self, port: int, session_ms: int) -> Path:
        """Properties of the controller alone, on the same data, which gives up a silent broker after `session_ms`."""
        path = self.folder / "controller.properties"
        path.write_text(
            f"process.roles=controller\nnode.id=1\n"
            f"controller.listener.names=CONTROLLER\n"
            f"log.dirs={self.data.name}\n"
            f"listeners=CONTROLLER://{HOST}:{port}\n"
            f"advertised.listeners=CONTROLLER://{HOST}:{port}\n"
            f"controller.quorum.bootstrap.servers={HOST}:{port}\n"
            f"broker.session.timeout.ms={session_ms}\n"
        )
        return path

    def turn_logs(self) -> None:
        """Begin new logs, so that `said` and `excerpt` are about one start."""
        with contextlib.suppress(FileNotFoundError):
            self.log.replace(self.folder / "kafka.previous.log")
        self.console.write_bytes(b"")

    def said(self) -> str:
        """All of both logs, console last."""
        return "\n".join(path.read_text(errors="replace") for path in (self.log, self.console) if path.exists())

    def excerpt(self) -> str:
        """The last lines that tell what went wrong: no stack frames and, where others are left, no INFO."""
        lines = [line for line in self.said().splitlines() if line.strip() and not line.startswith("\t")]
        telling = [line for line in lines if " INFO " not in line] or lines
        unique = list(dict.fromkeys(telling))[-_EXCERPT_LINES:]
        return "\n".join(f"  {line}" for line in unique) or "  (it said nothing)"


class Lock:
    """A file that one process, with the children that inherit it, can hold; whoever dies lets go by that."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+")

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fileno(self) -> int:
        """For handing on to a child."""
        return self._file.fileno()

    def take(self) -> bool:
        """Whether it is ours now; does not wait."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write_holder(self, process: int) -> None:
        """Name the holder, for those who find it taken."""
        self._file.truncate(0)
        self._file.write(str(process))
        self._file.flush()

    def holder(self) -> int | None:
        """Process id of who holds it, None where none is named yet."""
        self._file.seek(0)
        text = self._file.read()
        return int(text) if text.isdigit() else None
