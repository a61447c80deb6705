"""Apache Kafka's jars in the user's cache: exactly those of `jars.lock`, downloaded once, checked by SHA-256.

jgo fetches them, but does not choose them: left to resolve versions it took a beta of log4j and, once log4j was
pinned, a kafka-clients of another release.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import BrokerFailedError, FolderError

KAFKA_VERSION = "4.3.1"
MAVEN_CENTRAL = "https://repo.maven.apache.org/maven2"
_LOCK_FILE = Path(__file__).with_name("jars.lock")
_ATTEMPTS = 3
_AT_ONCE = 4


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


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/copydesk`, else `~/.cache/copydesk`: shared by all data directories of this user."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    return (Path(given) if os.path.isabs(given) else Path.home() / ".cache") / "copydesk"


def kafka_jars(say: Callable[[str], None], cache: Path | None = None, repository: str = MAVEN_CENTRAL) -> list[Path]:
    """Paths of all jars, for a class path. Downloads what `cache` (default: `cache_folder()`) lacks.

    `say` gets a progress line a second while it downloads. Any number of processes may call this at once.
    Raises FolderError where the cache cannot be written, BrokerFailedError where the download fails.
    """
    text = _LOCK_FILE.read_text()
    # The name changes with the list, so a directory only ever fills up with one set of jars.
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    home = (cache or cache_folder()) / f"kafka-{KAFKA_VERSION}-{digest}"
    jars = locked_jars(text)
    if _missing(jars, home):
        try:
            home.mkdir(parents=True, exist_ok=True)
            with _one_at_a_time(home / "lock"):
                # Looked at again: whoever held the lock may have fetched them.
                _download(_missing(jars, home), home, repository, say)
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


def _download(jars: list[Jar], home: Path, repository: str, say: Callable[[str], None]) -> None:
    """Fetch `jars` into `home`, a few at a time; each appears there whole and checked, or not at all."""
    total = sum(jar.size_bytes for jar in jars) / 1e6
    received = {jar.file_name: 0 for jar in jars}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        todo = {pool.submit(_fetch, jar, home, repository, received) for jar in jars}
        try:
            while todo:
                say(f"Downloading Apache Kafka {KAFKA_VERSION}: {sum(received.values()) / 1e6:.1f} of {total:.1f} MB")
                finished, todo = wait(todo, timeout=1)
                for future in finished:
                    future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _fetch(jar: Jar, home: Path, repository: str, received: dict[str, int]) -> None:
    failure: Exception | None = None
    for _ in range(_ATTEMPTS):
        received[jar.file_name] = 0
        with tempfile.TemporaryDirectory(dir=home) as folder:
            try:
                path = _from_maven(jar, Path(folder), repository, received)
            except (RuntimeError, OSError) as error:  # requests' errors are OSErrors
                failure = error
                continue
            if hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256:
                path.replace(home / jar.file_name)
                return
            failure = RuntimeError("its SHA-256 is not the one in jars.lock")
    raise BrokerFailedError(
        f"cannot download {jar.file_name} from {repository} ({failure}); check network and proxy and start again:"
        " it goes on where it stopped, and once complete no network is needed"
    )


def _from_maven(jar: Jar, folder: Path, repository: str, received: dict[str, int]) -> Path:
    from jgo.maven import MavenContext, PythonResolver  # 0.1 s to import, and needed once in a cache's life

    @contextmanager
    def progress(file_name: str, _: int) -> Iterator[Callable[[int], None]]:
        def count(size: int) -> None:
            received[file_name] += size

        yield count

    context = MavenContext(
        repo_cache=folder, remote_repos={"maven": repository}, resolver=PythonResolver(progress_callback=progress)
    )
    group, artifact, version = jar.coordinates.split(":")
    path: Path = context.project(group, artifact).at_version(version).artifact().resolve()
    return path
