"""Downloads jars with jgo. Imported only when something is missing: jgo takes 0.2 s to import."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from jgo.maven import MavenContext, PythonResolver
from requests import RequestException

from pipeline.broker.jars import KAFKA_VERSION, Jar
from pipeline.errors import BrokerFailedError

_ATTEMPTS = 3
_AT_ONCE = 4


class Download:
    """Brings `jars` into `home`, a few at a time; each appears there whole and checked, or not at all."""

    def __init__(self, jars: list[Jar], home: Path, repository: str) -> None:
        self._jars = jars
        self._home = home
        self._repository = repository
        self._received_bytes = {jar.file_name: 0 for jar in jars}
        self._ended = threading.Event()

    def run(self, say: Callable[[str], None]) -> None:
        """Download all, saying how far it is once a second. Raises BrokerFailedError, OSError."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            say(self._so_far())
            todo = {pool.submit(self._fetch, jar) for jar in self._jars}
            try:
                while todo:
                    finished, todo = wait(todo, timeout=1)
                    for future in finished:
                        future.result()
                    if todo:
                        say(self._so_far())
            finally:
                self._ended.set()
                pool.shutdown(cancel_futures=True)

    def _so_far(self) -> str:
        received_bytes = sum(self._received_bytes.values())
        total_bytes = sum(jar.size_bytes for jar in self._jars)
        return f"Downloading Apache Kafka {KAFKA_VERSION}: {received_bytes / 1e6:.1f} of {total_bytes / 1e6:.1f} MB"

    def _fetch(self, jar: Jar) -> None:
        failure: Exception | None = None
        for _ in range(_ATTEMPTS):
            if self._ended.is_set():
                return
            self._received_bytes[jar.file_name] = 0
            # jgo writes in place and only warns of a wrong checksum: hence the scratch folder and our own look.
            with tempfile.TemporaryDirectory(dir=self._home) as scratch:
                try:
                    path = self._from_maven(jar, Path(scratch))
                    _check(path, jar)
                except (RuntimeError, RequestException) as error:
                    failure = error
                    continue
                path.replace(self._home / jar.file_name)
                self._received_bytes[jar.file_name] = jar.size_bytes
                return
        raise BrokerFailedError(
            f"cannot download {jar.file_name} from {self._repository} ({failure}); check network and proxy and start"
            " again: it goes on where it stopped, and once complete no network is needed"
        )

    def _from_maven(self, jar: Jar, scratch: Path) -> Path:
        resolver = PythonResolver(progress_callback=self._progress)
        context = MavenContext(repo_cache=scratch, remote_repos={"maven": self._repository}, resolver=resolver)
        group, artifact, version = jar.coordinates.split(":")
        path: Path = context.project(group, artifact).at_version(version).artifact().resolve()
        return path

    @contextmanager
    def _progress(self, file_name: str, _: int) -> Iterator[Callable[[int], None]]:
        def count(size_bytes: int) -> None:
            self._received_bytes[file_name] += size_bytes

        yield count


def _check(path: Path, jar: Jar) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != jar.sha256:
        raise RuntimeError("its SHA-256 is not the one in jars.lock")
