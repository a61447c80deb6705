"""A real Prometheus for tests: where it is, and one that runs on our own configuration with other targets."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "docker/prometheus"
_FETCHED = Path(sys.prefix) / "prometheus/usr/bin"
_MISSING = (
    "the tests need Prometheus ({name}), which is not here: `make test` fetches it where there is apt; else install it"
    " (apt-get install prometheus, brew install prometheus) or put `prometheus` and `promtool` on the PATH"
)


def program(name: str) -> str:
    """Path of `prometheus` or `promtool`; fails with what to install where there is none."""
    found = shutil.which(name) or shutil.which(name, path=str(_FETCHED))
    assert found, _MISSING.format(name=name)
    return found


def promtool(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run promtool in our folder of configuration, with `given` on its stdin."""
    return subprocess.run(
        [program("promtool"), *arguments], cwd=FOLDER, input=given, capture_output=True, text=True, timeout=60
    )


class Prometheus:
    """A running server: query it, and ask for its alerts."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **parameters: str) -> Any:
        """`data` of an API answer; a refused query fails with Prometheus' own words."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """(labels, value) of every series that `expression` gives now."""
        data = self.get("query", query=expression)
        assert data["resultType"] == "vector", expression
        return [(found["metric"], float(found["value"][1])) for found in data["result"]]

    def firing(self) -> set[str]:
        """Names of the alerts that fire now."""
        return {found["labels"]["alertname"] for found in self.get("alerts")["alerts"] if found["state"] == "firing"}

    def targets(self) -> dict[str, str]:
        """job → health."""
        return {found["labels"]["job"]: found["health"] for found in self.get("targets")["activeTargets"]}

    def wait(self, done: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Poll until `done()`; names `what` it waited for where that takes too long."""
        wait_for(done, f"{what}: {self.url}", seconds)


def wait_for(done: Callable[[], object], what: str, seconds: float) -> None:
    """Poll until `done()`; an endpoint that is not there yet counts as no."""
    deadline = time.monotonic() + seconds
    while not _says_yes(done):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.2)


def _says_yes(done: Callable[[], object]) -> bool:
    try:
        return bool(done())
    except OSError:
        return False


def configuration(targets: Mapping[str, int], interval: str) -> dict[str, Any]:
    """Our own prometheus.yml with only the targets (job → port here, `job-2` → another one) replaced, and the
    intervals where one is given."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    if interval:
        found["global"] = {"scrape_interval": interval, "evaluation_interval": interval}
    for job in found["scrape_configs"]:
        job.pop("dns_sd_configs", None)
        ports = [port for name, port in targets.items() if name.partition("-")[0] == job["job_name"]]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
    return found


@contextmanager
def running(folder: Path, targets: Mapping[str, int], port: int, interval: str = "1s") -> Iterator[Prometheus]:
    """A Prometheus on `port` with our configuration and rules, gone afterwards.

    Where it looks every `interval`, an alert that waits (`for`) waits two seconds; what it waits in truth is promtool's
    to test. Without an `interval` both are as shipped.
    """
    shutil.copytree(FOLDER, folder)
    if interval:
        _hurry(folder / "rules/copydesk.yml")
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(configuration({**targets, "prometheus": port}, interval)))
    log = folder / "prometheus.log"
    with log.open("wb") as words:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                *_pages(),
            ],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )
    try:
        _wait_ready(process, f"http://127.0.0.1:{port}/-/ready", log)
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)


def _pages() -> list[str]:
    """Where Debian's Prometheus finds its own pages, where it was unpacked and not installed."""
    folder = _FETCHED.parent / "share/prometheus/web"
    return [f"--web.local-assets={folder}/"] if program("prometheus").startswith(str(_FETCHED)) else []


def _hurry(alerts: Path) -> None:
    rules = yaml.safe_load(alerts.read_text())
    for rule in rules["groups"][0]["rules"]:
        if "for" in rule:
            rule["for"] = "2s"
    alerts.write_text(yaml.safe_dump(rules))


def _wait_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None, f"Prometheus ended:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"Prometheus was not ready within 30 s:\n{log.read_text()}"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
