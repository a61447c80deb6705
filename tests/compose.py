"""Our compose files as an engine reads them, and what they say about each of our roles."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.generate import articles
from pipeline.settings import ENVIRONMENT_PREFIX

ROOT = Path(__file__).parents[1]


def run_config(*more: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`config` of docker-compose.yml and `more` files, with only `variables` to fill in. Needs no podman."""
    files = [part for name in ("docker-compose.yml", *more) for part in ("--file", name)]
    command = [str(Path(sys.executable).parent / "podman-compose"), "--dry-run", *files, "config"]
    environment = {"PATH": os.defpath, **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@cache
def resolved(*more: str) -> str:
    """The text of the resolved configuration."""
    done = run_config(*more, GRAFANA_PASSWORD="a-password")
    assert done.returncode == 0, done.stderr
    return done.stdout


def service(name: str, *more: str) -> dict[str, Any]:
    """One service of it."""
    found: dict[str, Any] = yaml.safe_load(resolved(*more))["services"][name]
    return found


def mounts(name: str, *more: str) -> dict[str, str]:
    """Where in the container → what is there."""
    return {target: source for source, target in (volume.split(":")[:2] for volume in service(name, *more)["volumes"])}


def kafka_properties(*more: str) -> dict[str, str]:
    """server.properties with what the image appends from KAFKA_… variables, which win as the later lines."""
    lines = (ROOT / mounts("kafka", *more)["/mnt/shared/config/server.properties"]).read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    properties = {key.strip(): value.strip() for key, value in pairs}
    for name, value in service("kafka", *more)["environment"].items():
        # KAFKA_HEAP_OPTS is for the scripts; the image keeps it out of the properties.
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS":
            properties[name.removeprefix("KAFKA_").lower().replace("_", ".")] = value
    return properties


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


class Deployment:
    """The roles of our compose files as processes here, with their own command lines and environment.

    Replaced is what only a container has: Kafka's name, the folders, and a port that all may have at once.
    """

    def __init__(self, broker: str, prefix: str, folder: Path, *more: str, here: Mapping[str, str]) -> None:
        self.inbox, self.folder, self._more = folder / "inbox", folder, more
        self.inbox.mkdir()
        self._here = {"BROKER": broker, "DATA_DIR": str(folder / "data"), "INBOX": str(self.inbox), **here}
        self._here["METRICS_HOST"] = "127.0.0.1"
        self._prefix = prefix
        roles = ("watcher", "worker", "stories", "monitor")
        self.ports = dict(zip(roles, free_ports(len(roles)), strict=True))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, **instead: str) -> subprocess.Popen[bytes]:
        """Start the service `name`, or one more of it as `name-2`; `instead` are settings of this one process."""
        found = service(name.partition("-")[0], *self._more)
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "pipeline", *found["command"]],
                env=self._environment(name, found, instead),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self.processes[name]

    def health(self, name: str, **instead: str) -> subprocess.CompletedProcess[str]:
        """The healthcheck of the service `name`, run as the engine does: with the service's environment."""
        found = service(name, *self._more)
        kind, program, *arguments = found["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "copydesk")
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            env=self._environment(name, found, instead),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )

    def _environment(self, name: str, found: Mapping[str, Any], instead: Mapping[str, str]) -> dict[str, str]:
        here = {**self._here, "METRICS_PORT": str(self.ports.get(name, 0)), **instead}
        if name == "monitor":
            here |= {"PAGE_HOST": "127.0.0.1", "PAGE_PORT": "0"}
        replaced = {ENVIRONMENT_PREFIX + key: value for key, value in here.items()}
        assert replaced.keys() <= found["environment"].keys(), "only what compose sets is replaced"
        return {"PATH": os.defpath, ENVIRONMENT_PREFIX + "PREFIX": self._prefix, **found["environment"], **replaced}

    def log(self, name: str) -> Path:
        """Where that process writes its words."""
        return self.folder / f"{name}.log"

    def words(self) -> str:
        """What all processes have said."""
        return "\n".join(f"{name}: {self.log(name).read_text()}" for name in self.processes)

    def metrics(self, name: str) -> str:
        """A role's /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def drop(self, count: int, seed: int) -> None:
        """Drop `count` generated articles and two files that cannot be used."""
        lines = [made.line for made in articles(count, seed)]
        for name, content in ((f"{seed}.jsonl", b"\n".join(lines)), (f"{seed}.txt", b""), (f"b{seed}.jsonl", b"{")):
            draft = self.inbox / f".{name}"
            draft.write_bytes(content)
            draft.rename(self.inbox / name)

    def stop(self) -> None:
        """End the roles in order; each must end with 0."""
        for name in self.ports:
            self.processes[name].terminate()
        codes = {name: self.processes[name].wait(40) for name in self.ports}
        assert codes == dict.fromkeys(self.ports, 0), self.words()


@contextmanager
def deployed(
    broker: str, prefix: str, folder: Path, *more: str, here: Mapping[str, str] | None = None
) -> Iterator[Deployment]:
    """A Deployment whose topics are made and whose roles run; none is left behind."""
    made = Deployment(broker, prefix, folder, *more, here=here or {})
    try:
        assert made.start("topics").wait(60) == 0, made.words()
        for name in made.ports:
            made.start(name)
        yield made
    finally:
        for process in made.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
