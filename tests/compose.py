"""Our compose files as an engine reads them, and what they say about each of our roles."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

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
