"""Which jars make up Apache Kafka: `jars.lock`, one line each.

jgo fetches them, but does not choose them: left to resolve versions it took a beta of log4j and, once log4j was
pinned, a kafka-clients of another release.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

KAFKA_VERSION = "4.3.1"
LOCK_FILE = Path(__file__).with_name("jars.lock")


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of `jars.lock`."""

    coordinates: str
    """group:artifact:version."""
    size_bytes: int
    sha256: str

    @property
    def file_name(self) -> str:
        """As Maven names it."""
        _, artifact, version = self.coordinates.split(":")
        return f"{artifact}-{version}.jar"


def locked_jars(text: str) -> list[Jar]:
    """The jars that a lock file's `text` names; `#` starts a comment line."""
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return [Jar(coordinates, int(size), sha256) for coordinates, size, sha256 in rows]
