"""`copydesk run` as a user starts it: the books balance, nothing comes out twice, and it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.broker import EmbeddedBroker
from tests import oracle

SEEDS = Path(__file__).parents[2] / "seeds"
PORTS = ("--broker-port", "0", "--metrics-port", "0", "--page-port", "0")
TEXT = (
    b" date 2025-03-18 The ferry to the outer islands sailed again on Tuesday after four days of storm.\n\nTwo hundred \
people had waited in the harbour."
)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pipeline", *arguments]


def until_idle(*arguments: str) -> str:
    """Run to the end; what it printed."""
    found = subprocess.run(
        command("run", "--until-idle", *PORTS, *arguments), capture_output=True, text=True, timeout=180
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def wait(done: Callable[[], object], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.1)


def using(folder: Path) -> list[int]:
    """Ids of processes that were started with, or for, this data directory."""
    mark, found = os.fsencode(folder), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            dead = b"\nState:\tZ" in (process / "status").read_bytes()
        except OSError:
            continue
        if mark in told and not dead and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def test_the_seeds_come_out_once_however_often_it_runs(broker: EmbeddedBroker, prefix: str, data_dir: Path) -> None:
    where = ("--broker", broker.bootstrap, "--prefix", prefix, "--inbox", str(SEEDS), "--data-dir", str(data_dir))
    assert "The books balance." in until_idle(*where, "--workers", "2")
    first = oracle.read(broker.bootstrap, prefix)
    assert first.faults() == []
    assert first.raw
    assert "The books balance." in until_idle(*where, "--workers", "1")
    again = oracle.read(broker.bootstrap, prefix)
    assert (again.raw, again.settled) == (first.raw, first.settled)


@pytest.fixture
def running(data_dir: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`copydesk run` with a broker of its own on an empty inbox."""
    (tmp_path / "inbox").mkdir()
    arguments = ("--inbox", str(tmp_path / "inbox"), "--data-dir", str(data_dir), "--workers", "1")
    with (tmp_path / "words").open("wb") as words:
        process = subprocess.Popen(command("run", *PORTS, *arguments), stdout=words, stderr=words)
    yield process
    process.kill()
    process.wait()


def status(data_dir: Path) -> dict[str, object]:
    """What `copydesk status --json` says; empty while there is nobody to ask."""
    found = subprocess.run(
        command("status", "--json", "--data-dir", str(data_dir)), capture_output=True, text=True, timeout=60
    )
    told: dict[str, object] = json.loads(found.stdout) if found.returncode == 0 else {}
    return told


def test_what_is_dropped_comes_out_and_ctrl_c_leaves_nothing_behind(
    running: subprocess.Popen[bytes], data_dir: Path, tmp_path: Path
) -> None:
    wait(lambda: "metrics on" in (tmp_path / "words").read_text(), "`run` to be up")
    part = tmp_path / "inbox" / "ferry.txt.part"
    part.write_bytes(TEXT)
    part.rename(tmp_path / "inbox" / "ferry.txt")
    wait(lambda: "enriched 1 " in (tmp_path / "words").read_text(), "the article to come out")
    bootstrap = str(status(data_dir)["broker"])
    found = oracle.read(bootstrap, "articles")
    assert found.faults() == []
    (record,) = found.records["enriched"]
    assert record.json["contentCreated"] == "2025-03-18T00:00:00Z"
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 0
    wait(lambda: not using(data_dir), "every process to be gone", 15)
    assert status(data_dir) == {}
