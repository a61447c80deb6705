"""However its owner ends, the broker ends with it and the next start works; however Kafka ends, its owner says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from pipeline.broker import EmbeddedBroker
from pipeline.broker.embedded import wait_for
from pipeline.broker.place import Lock
from pipeline.clock import SystemClock
from pipeline.errors import BrokerFailedError, FolderError

OWNER = """
import sys
from pipeline.broker import run_broker
from pipeline.settings import Settings
run_broker(Settings(data_dir=sys.argv[1], broker_port=0), lambda line: print(line, file=sys.stderr))
"""


def _run(data_dir: Path) -> subprocess.Popen[str]:
    def heed_interrupts() -> None:
        # Where the tests run in the background of a script, the shell has SIGINT ignored, and that is inherited.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_dir)], stdout=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    )


@pytest.fixture
def owner(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs a broker on `data_dir`, once that is ready."""
    process = _run(data_dir)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline().startswith("127.0.0.1:")
        yield process
        process.kill()


def _soon(done: Callable[[], bool], seconds: float) -> bool:
    return wait_for(done, seconds, lambda _: None, SystemClock())


def _watch(broker: EmbeddedBroker, seconds: float) -> None:
    def healthy() -> bool:
        broker.check()
        return False

    _soon(healthy, seconds)


def _nothing_is_left(data_dir: Path) -> bool:
    """The lock is free only when keeper and Kafka are both gone; the group proves it once more."""
    with Lock(data_dir / "broker" / "broker.lock") as lock:
        keeper = lock.holder()
        assert keeper is not None
        return lock.take() and not _group_exists(keeper)


def _group_exists(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_owner_ends_with_zero_and_leaves_nothing(
    owner: subprocess.Popen[str], data_dir: Path, how: signal.Signals
) -> None:
    owner.send_signal(how)
    assert owner.wait(15) == 0
    assert _nothing_is_left(data_dir)
    assert not (data_dir / "broker" / "address").exists()


def test_a_killed_owner_leaves_nothing_and_the_next_start_works_at_once(
    owner: subprocess.Popen[str], data_dir: Path
) -> None:
    owner.kill()
    owner.wait()
    # At once: Kafka may still be shutting down on the same data.
    with EmbeddedBroker(data_dir, 0, print) as again:
        assert len(AdminClient({"bootstrap.servers": again.bootstrap}).list_topics(timeout=10).brokers) == 1
    assert _nothing_is_left(data_dir)


def test_a_killed_owner_and_no_next_start_leaves_nothing_either(owner: subprocess.Popen[str], data_dir: Path) -> None:
    owner.kill()
    owner.wait()
    assert _soon(lambda: _nothing_is_left(data_dir), 10)


def test_a_start_that_is_interrupted_leaves_nothing(data_dir: Path) -> None:
    with _run(data_dir) as owner:
        # Kafka has begun to log, but is a second or more from being ready.
        assert _soon((data_dir / "broker" / "kafka.log").exists, 20)
        owner.send_signal(signal.SIGINT)
        assert owner.wait(20) == 0
    assert _nothing_is_left(data_dir)


def test_a_killed_keeper_takes_kafka_along_and_the_owner_says_so(data_dir: Path) -> None:
    with EmbeddedBroker(data_dir, 0, print) as broker:
        with Lock(data_dir / "broker" / "broker.lock") as lock:
            keeper = lock.holder()
        assert keeper is not None
        os.kill(keeper, signal.SIGKILL)
        with pytest.raises(BrokerFailedError, match="ended by itself with exit code -9"):
            _watch(broker, 5)
        assert _soon(lambda: not _group_exists(keeper), 10)


def _java(folder: Path, script: str) -> Path:
    path = folder / "java"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_java_that_does_not_run_is_shown_with_its_words(data_dir: Path, tmp_path: Path) -> None:
    java = _java(tmp_path, "echo 'no such thing as a virtual machine' >&2; exit 7")
    with pytest.raises(BrokerFailedError, match=r"could not format .*exit code 7.*\n.*no such thing"):
        EmbeddedBroker(data_dir, 0, print, java=java).start()


def test_a_kafka_that_ends_before_it_is_ready_is_shown_with_its_log(data_dir: Path, tmp_path: Path) -> None:
    java = _java(
        tmp_path,
        'case "$*" in *StorageTool*) mkdir data ;; *) echo "12:00 ERROR the disk is on fire"; exit 3 ;; esac',
    )
    broker = EmbeddedBroker(data_dir, 0, print, java=java)
    with pytest.raises(BrokerFailedError, match="exit code 3 before it was ready") as caught:
        broker.start()
    assert "12:00 ERROR the disk is on fire" in str(caught.value)
    assert _nothing_is_left(data_dir)


def test_a_port_lost_between_choosing_and_using_it_is_tried_once_more(data_dir: Path, tmp_path: Path) -> None:
    java = _java(
        tmp_path,
        f'case "$*" in *StorageTool*) mkdir data ;; *) echo x >> "{tmp_path}/starts"; '
        'echo "Socket server failed to bind: Address already in use"; exit 1 ;; esac',
    )
    with pytest.raises(BrokerFailedError, match="could not get a port in two attempts"):
        EmbeddedBroker(data_dir, 0, print, java=java).start()
    assert (tmp_path / "starts").read_text() == "x\nx\n"


def test_a_data_directory_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="choose another --data-dir") as caught:
        EmbeddedBroker(tmp_path / "file", 0, print).start()
    assert "\n" not in str(caught.value)
