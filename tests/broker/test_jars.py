"""Kafka's jars: fetched whole or not at all, and only when missing. A small Maven repository stands on loopback."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.broker.cache import fetch, kafka_jars
from pipeline.broker.jars import Jar
from pipeline.errors import BrokerFailedError, FolderError

NOWHERE = "http://127.0.0.1:9"


class Repository(ThreadingHTTPServer):
    """Serves `folder` and remembers which jars were asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.folder = folder
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def add(self, name: str, content: bytes) -> Jar:
        path = self.folder / "org" / "example" / name / "1.0" / f"{name}-1.0.jar"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        return Jar(f"org.example:{name}:1.0", len(content), hashlib.sha256(content).hexdigest())


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Repository)
        if self.path.endswith(".jar"):
            self.server.asked.append(self.path.rpartition("/")[2])
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with Repository(tmp_path / "maven") as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_fetches_what_is_missing_and_says_so(repository: Repository, tmp_path: Path) -> None:
    jars = [repository.add("one", b"1" * 1_000_000), repository.add("two", b"2" * 1_000_000)]
    said: list[str] = []
    paths = fetch(jars, tmp_path / "home", repository.url, said.append)
    assert [path.read_bytes() for path in paths] == [b"1" * 1_000_000, b"2" * 1_000_000]
    assert said[0] == "Downloading Apache Kafka 4.3.1: 0.0 of 2.0 MB"


def test_what_is_there_needs_no_network(repository: Repository, tmp_path: Path) -> None:
    jars = [repository.add("one", b"1")]
    first = fetch(jars, tmp_path / "home", repository.url, print)
    said: list[str] = []
    assert fetch(jars, tmp_path / "home", NOWHERE, said.append) == first
    assert said == []


def test_a_half_finished_download_goes_on_where_it_stopped(repository: Repository, tmp_path: Path) -> None:
    home = tmp_path / "home"
    jars = [repository.add("whole", b"whole"), repository.add("cut", b"cut short"), repository.add("none", b"none")]
    fetch(jars[:1], home, repository.url, print)
    (home / jars[1].file_name).write_bytes(b"cut")
    repository.asked.clear()
    assert [path.read_bytes() for path in fetch(jars, home, repository.url, print)] == [b"whole", b"cut short", b"none"]
    assert sorted(repository.asked) == ["cut-1.0.jar", "none-1.0.jar"]


def test_other_bytes_than_the_locked_ones_never_reach_the_cache(repository: Repository, tmp_path: Path) -> None:
    jar = repository.add("swapped", b"genuine")
    next(repository.folder.rglob("swapped-1.0.jar")).write_bytes(b"forged!")
    with pytest.raises(BrokerFailedError, match=r"swapped-1\.0\.jar .* SHA-256"):
        fetch([jar], tmp_path / "home", repository.url, print)
    assert not list((tmp_path / "home").glob("**/*.jar"))


def test_no_network_and_no_cache_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BrokerFailedError, match="check network and proxy") as caught:
        kafka_jars(print, tmp_path, NOWHERE)
    assert "\n" not in str(caught.value)


def test_two_first_starts_at_once_download_once(repository: Repository, tmp_path: Path) -> None:
    jars = [repository.add(name, name.encode() * 1000) for name in ("one", "two", "three")]
    starts = [threading.Thread(target=fetch, args=(jars, tmp_path / "home", repository.url, print)) for _ in range(3)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert sorted(repository.asked) == ["one-1.0.jar", "three-1.0.jar", "two-1.0.jar"]
    assert all((tmp_path / "home" / jar.file_name).exists() for jar in jars)


def test_a_cache_that_cannot_be_written_is_the_users_to_mend(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(FolderError, match="XDG_CACHE_HOME"):
        fetch([repository.add("one", b"1")], tmp_path / "home", repository.url, print)
