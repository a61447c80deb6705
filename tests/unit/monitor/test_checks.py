import os
import socket
from pathlib import Path

import pytest

from pipeline.monitor import checks
from pipeline.monitor.checks import Check
from pipeline.settings import Settings


def test_python_and_our_packages_are_here() -> None:
    assert checks.check_python().ok
    assert checks.check_packages().ok


def test_a_distribution_that_is_not_installed_is_named() -> None:
    found = checks.check_packages("no-such-distribution")
    assert not found.ok
    assert "no-such-distribution" in found.says
    assert found.do


def test_java_starts_or_is_said_not_to(tmp_path: Path) -> None:
    missing = checks.check_java(tmp_path / "java")
    assert not missing.ok
    assert "--broker" in missing.do
    # Any program that takes -version and ends well will do.
    script = tmp_path / "java"
    script.write_text("#!/bin/sh\necho 'openjdk 25' >&2\n")
    script.chmod(0o755)
    assert checks.check_java(script) == Check("java", True, "openjdk 25")


def test_a_data_folder_needs_a_writable_parent_and_room(tmp_path: Path) -> None:
    assert checks.check_data_dir(tmp_path / "new" / "deep", needed_bytes=1).ok
    assert not checks.check_data_dir(tmp_path, needed_bytes=1 << 60).ok
    file = tmp_path / "file"
    file.touch()
    found = checks.check_data_dir(file / "below", needed_bytes=1)
    assert not found.ok
    assert str(file) in found.says


def test_an_inbox_must_be_there(tmp_path: Path) -> None:
    assert checks.check_inbox(tmp_path, "move").ok
    found = checks.check_inbox(tmp_path / "none", "keep")
    assert not found.ok
    assert found.do == f"make it: mkdir -p {tmp_path / 'none'}"


@pytest.mark.parametrize(("limit", "ok"), [("3\n", False), ("4\n", True), ("none of a number", True)])
def test_there_must_be_a_watch_for_every_folder(tmp_path: Path, limit: str, ok: bool) -> None:
    for name in ("inbox/a", "inbox/b"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "limit").write_text(limit)
    assert checks.check_inotify([tmp_path / "inbox"], tmp_path / "limit").ok is ok


def test_a_system_without_inotify_is_fine(tmp_path: Path) -> None:
    assert checks.check_inotify([tmp_path], tmp_path / "limit").ok


def test_a_port_that_another_program_holds_is_a_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not checks.check_broker_port(port).ok
        taken.close()
        assert checks.check_broker_port(port).ok
        assert checks.check_metrics_port("127.0.0.1", port).ok
    assert checks.check_metrics_port("127.0.0.1", 0).ok


def test_every_check_of_the_machine_is_made(tmp_path: Path) -> None:
    settings = Settings(broker="b:1", data_dir=str(tmp_path), inbox=(str(tmp_path), os.devnull), metrics_port=0)
    names = [check.name for check in checks.machine_checks(settings)]
    assert names == ["python", "packages", "data folder", "inbox", "inbox", "file events", "metrics port"]
