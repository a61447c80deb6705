"""The command lines: format a data directory, serve it."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from pipeline.broker.place import Place
from pipeline.errors import BrokerFailedError

_LOGGING = Path(__file__).parent.parent / "log4j2.properties"
_KEEPER = Path(__file__).with_name("keeper.py")
# Kafka on Java 25 would print four lines of warnings at every start.
_QUIET = ("--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED")
_FORMAT_SECONDS = 120.0
# The first compiler only. The optimising one never pays here: without it a start took 2.7 s of CPU, not 4.8, and
# 400,000 transactional records of 3.9 KB 7.6 s, not 15.
_COMPILER = "-XX:TieredStopAtLevel=1"
_FORMAT = ("-Xmx128m", _COMPILER)
_SERVE = ("-Xms128m", "-Xmx512m", _COMPILER, "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=50", "-XX:+ExitOnOutOfMemoryError")
# Options that a user set for other Java programs are not for this one.
_FOREIGN = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH")


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime with Kafka's classes."""

    executable: Path
    jars: list[Path]

    def format(self, place: Place, properties: Path, lock: int) -> None:
        """Make `place.data`, whole or not at all. `lock` (file descriptor) is held as long as the formatter runs.

        Raises BrokerFailedError.
        """
        scratch = place.folder / "formatting"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        command = self._command(_FORMAT, "kafka.tools.StorageTool", "format", "--standalone")
        command += ["--cluster-id", _new_cluster_id(), "--config", str(properties)]
        code, said = _run(command, scratch, lock)
        if code:
            raise BrokerFailedError(f"Kafka could not format {place.data} (exit code {code}):\n{said}")
        (scratch / place.data.name).rename(place.data)
        shutil.rmtree(scratch)

    def serve(self, place: Place, properties: Path, lock: int, log: Path) -> subprocess.Popen[bytes]:
        """Start the keeper with Kafka under it, logging to `log`; closing its stdin ends both. `lock` as for `format`.

        The process is its group's leader and Kafka is in that group.
        """
        command = self._command(_SERVE, "kafka.Kafka", str(properties), log=log.name)
        with place.console.open("ab") as console:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", str(_KEEPER), *command],
                cwd=place.folder,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=console,
                stderr=subprocess.STDOUT,
                # Its own session: a Ctrl-C in the terminal is for the owner, who then ends this in order.
                start_new_session=True,
                pass_fds=(lock,),
            )

    def _command(self, options: tuple[str, ...], main_class: str, *arguments: str, log: str = "kafka.log") -> list[str]:
        logging = [f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}", f"-Dcopydesk.log={log}"]
        classes = ["-cp", os.pathsep.join(map(str, self.jars))]
        return [str(self.executable), *options, *_QUIET, *logging, *classes, main_class, *arguments]


def _run(command: list[str], folder: Path, lock: int) -> tuple[int, str]:
    """Exit code and words of a short command in `folder`. A Ctrl-C, or taking too long, kills it."""
    try:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_FORMAT_SECONDS,
            start_new_session=True,
            pass_fds=(lock,),
        )
    except subprocess.TimeoutExpired:
        return -1, f"it was not done after {_FORMAT_SECONDS:.0f} s"
    return done.returncode, done.stdout.decode(errors="replace").strip()


def _new_cluster_id() -> str:
    """A Kafka UUID; none of ours begins with `-`, which the command line would take for a flag."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")


def _environment() -> dict[str, str]:
    """Ours without other people's Java options, and with a locale in which Java can open any path."""
    return {name: value for name, value in os.environ.items() if name not in _FOREIGN} | {"LC_ALL": "C.UTF-8"}
