"""The image: its Dockerfile passes a linter, and what it copies, installs, runs as and is judged by is right."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HADOLINT = Path(sys.executable).with_name("hadolint")
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text()


def lint(dockerfile: str) -> subprocess.CompletedProcess[str]:
    command = [str(HADOLINT), "--no-color", "-"]
    return subprocess.run(command, input=dockerfile, capture_output=True, text=True, timeout=60)


def test_the_dockerfile_passes_hadolint() -> None:
    done = lint(DOCKERFILE)
    assert (done.stdout, done.returncode) == ("", 0)


def test_hadolint_would_complain() -> None:
    faulty = DOCKERFILE.replace("USER 10001:10001", "USER root").replace(":3.11.14-slim-bookworm", "")
    done = lint(faulty)
    assert done.returncode == 1
    assert {"DL3002", "DL3006"} <= set(re.findall(r"DL\d+", done.stdout))


def test_the_image_runs_as_compose_says() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.M) == [compose["x-copydesk"]["user"]]
    assert 'ENTRYPOINT ["copydesk"]' in DOCKERFILE


def test_what_is_copied_is_let_through() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M)
    assert {source for sources in copied for source in sources.split()} == let_through
    assert all((ROOT / source).exists() for source in let_through)


def test_what_is_not_code_is_packaged_too() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packaged = project["tool"]["setuptools"]["package-data"]["pipeline"]
    files = (path.relative_to(ROOT / "pipeline") for path in (ROOT / "pipeline").rglob("*") if path.is_file())
    data = [path for path in files if path.suffix != ".py" and "__pycache__" not in path.parts]
    assert [str(path) for path in data if not any(path.match(pattern) for pattern in packaged)] == []


def pins(path: str) -> dict[str, str]:
    """name → version and hashes."""
    blocks = re.split(r"^(?=[a-z0-9])", (ROOT / path).read_text(), flags=re.M)
    found = (re.match(r"([a-z0-9._-]+)==(\S+)", block) for block in blocks)
    hashes = (" ".join(sorted(re.findall(r"sha256:\w+", block))) for block in blocks)
    return {match[1]: f"{match[2]} {text}" for match, text in zip(found, hashes, strict=True) if match}


def test_the_image_installs_what_was_tested_and_no_tools() -> None:
    image, tested = pins("docker/requirements.lock"), pins("requirements.lock")
    assert image.items() <= tested.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = {re.split(r"[<>=\[]", spec)[0] for spec in project["project"]["dependencies"]}
    tools = {re.split(r"[<>=\[]", spec)[0] for spec in project["dependency-groups"]["dev"]}
    assert names <= image.keys()
    assert tools & image.keys() == {"setuptools"}  # which builds it


@contextmanager
def livez(status: int) -> Iterator[int]:
    """A server on a free port that answers `status` on /livez alone; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="livez")
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_healthcheck_believes_livez(status: int, healthy: bool) -> None:
    match = re.search(r"^HEALTHCHECK .*\\\n\s+CMD (.+)$", DOCKERFILE, re.M)
    assert match
    _, *arguments = json.loads(match[1])
    with livez(status) as port:
        environment = {**os.environ, "COPYDESK_METRICS_PORT": str(port)}
        done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, timeout=30)
    assert (done.returncode == 0) is healthy
