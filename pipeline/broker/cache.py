"""Apache Kafka's jars in the user's cache: downloaded once, then no network is touched."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.broker.jars import KAFKA_VERSION, LOCK_FILE, Jar, locked_jars
from pipeline.errors import FolderError

MAVEN_CENTRAL = "https://repo.maven.apache.org/maven2"


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/copydesk`, else `~/.cache/copydesk`: shared by all data directories of this user."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    return (Path(given) if os.path.isabs(given) else Path.home() / ".cache") / "copydesk"


def kafka_jars(say: Callable[[str], None], cache: Path | None = None, repository: str = MAVEN_CENTRAL) -> list[Path]:
    """Paths of all jars, for a class path. Downloads what `cache` (default: `cache_folder()`) lacks.

    Any number of processes may call this at once. Raises what `fetch` raises.
    """
    text = LOCK_FILE.read_text()
    # The name changes with the list, so a folder only ever fills up with one set of jars.
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return fetch(locked_jars(text), (cache or cache_folder()) / f"kafka-{KAFKA_VERSION}-{digest}", repository, say)


def fetch(jars: list[Jar], home: Path, repository: str, say: Callable[[str], None]) -> list[Path]:
    """Paths of `jars` in `home`, after downloading those that it lacks; no network where it lacks none.

    `say` gets a progress line a second while it downloads.
    Raises FolderError where `home` cannot be written, BrokerFailedError where a download fails.
    """
    if _missing(jars, home):
        try:
            home.mkdir(parents=True, exist_ok=True)
            with _one_at_a_time(home / "lock"):
                from pipeline.broker.download import Download  # see there

                # Looked at again: whoever held the lock may have fetched them.
                Download(_missing(jars, home), home, repository).run(say)
        except OSError as error:
            raise FolderError(f"cannot keep Kafka's jars in {home} ({error}); set XDG_CACHE_HOME elsewhere") from error
    return [home / jar.file_name for jar in jars]


def _missing(jars: list[Jar], home: Path) -> list[Jar]:
    sizes = {entry.name: entry.stat().st_size for entry in os.scandir(home)} if home.is_dir() else {}
    return [jar for jar in jars if sizes.get(jar.file_name) != jar.size_bytes]


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
