"""The broker's decisions that need no broker."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.broker import running_bootstrap
from pipeline.broker.embedded import wait_for
from pipeline.broker.jars import KAFKA_VERSION, LOCK_FILE, locked_jars
from pipeline.broker.place import Lock, Place
from pipeline.broker.probe import choose_ports, is_kafka, is_ready
from pipeline.errors import PortTakenError, SettingError
from pipeline.testing import FakeClock


def test_every_jar_of_kafka_is_of_the_one_release() -> None:
    versions = {
        jar.coordinates.split(":")[1:][0]: jar.coordinates.split(":")[2] for jar in locked_jars(LOCK_FILE.read_text())
    }
    assert versions["kafka_2.13"] == KAFKA_VERSION
    assert {version for name, version in versions.items() if name.startswith("kafka")} == {KAFKA_VERSION}
    assert len({version for name, version in versions.items() if name.startswith("log4j")}) == 1


def test_locked_jars_reads_lines_and_leaves_out_comments() -> None:
    (jar,) = locked_jars("# why\n\norg.example:some-jar:1.2 34 abcd\n")
    assert (jar.file_name, jar.size_bytes, jar.sha256) == ("some-jar-1.2.jar", 34, "abcd")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_properties_hold_no_path_of_this_machine(place: Place) -> None:
    text = place.write_properties(9092, 9093).read_text()
    settings = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    assert settings["log.dirs"] == "data"
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert settings["message.max.bytes"] == "16777216"
    assert str(place.folder) not in text


def test_no_setting_of_the_properties_is_said_twice(place: Place) -> None:
    lines = place.write_properties(9092, 9093).read_text().splitlines()
    names = [line.split("=")[0] for line in lines if line and not line.startswith("#")]
    assert len(names) == len(set(names))


def test_cluster_id_is_read_from_the_formatted_data(place: Place) -> None:
    assert place.cluster_id() == ""
    place.data.mkdir()
    (place.data / "meta.properties").write_text("#\n#Mon Nov 24\ncluster.id=abc_DEF=\nversion=1\n")
    assert place.cluster_id() == "abc_DEF="


def test_an_excerpt_leaves_out_stack_frames_and_routine_and_repeats(place: Place) -> None:
    place.log.write_text(
        "12:00 INFO  Log starting\n12:01 ERROR Disk full\n\tat java.io\nCaused by: X\n12:01 ERROR Disk full\n"
    )
    assert place.excerpt() == "  12:01 ERROR Disk full\n  Caused by: X"


def test_an_excerpt_of_routine_alone_shows_the_routine(place: Place) -> None:
    assert place.excerpt() == "  (it said nothing)"
    place.log.write_text("12:00 INFO  Log starting\n")
    assert place.excerpt() == "  12:00 INFO  Log starting"


def test_turned_logs_are_about_the_next_start(place: Place) -> None:
    place.log.write_text("old")
    place.console.write_text("old")
    place.turn_logs()
    place.turn_logs()
    assert place.said() == ""
    assert (place.folder / "kafka.previous.log").read_text() == "old"


def test_a_lock_has_one_holder_and_names_it(tmp_path: Path) -> None:
    with Lock(tmp_path / "lock") as first, Lock(tmp_path / "lock") as second:
        assert first.holder() is None
        assert first.take()
        first.write_holder(1234)
        first.write_holder(56)
        assert not second.take()
        assert second.holder() == 56
    with Lock(tmp_path / "lock") as third:
        assert third.take()


def test_wait_for_ends_at_yes_and_tells_of_waits_over_a_second() -> None:
    clock, lines = FakeClock(), list[float]()
    assert wait_for(lambda: clock.monotonic() > 12, 60, lines.append, clock, clock.advance)
    assert [round(line) for line in lines] == [1, 6, 11]


def test_wait_for_a_quick_yes_says_nothing() -> None:
    clock, lines = FakeClock(), list[float]()
    assert wait_for(lambda: clock.monotonic() > 0.5, 60, lines.append, clock, clock.advance)
    assert lines == []


def test_wait_for_gives_up_in_time() -> None:
    clock = FakeClock()
    assert not wait_for(lambda: False, 3, lambda _: None, clock, clock.advance)
    assert clock.monotonic() == pytest.approx(3, abs=0.1)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where somebody listens who never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_one_line_that_says_what_to_do(silent_port: int) -> None:
    with pytest.raises(PortTakenError, match=f"port {silent_port} is taken by another program; .*--broker-port"):
        choose_ports(silent_port)


def test_free_ports_are_two(silent_port: int) -> None:
    clients, controller = choose_ports(0)
    assert len({clients, controller, silent_port}) == 3
    assert choose_ports(clients)[0] == clients


def test_a_port_that_cannot_be_is_a_setting_to_mend() -> None:
    with pytest.raises(SettingError, match="cannot listen on 70000"):
        choose_ports(70_000)


def test_nobody_there_is_neither_kafka_nor_ready() -> None:
    port, _ = choose_ports(0)
    assert not is_kafka(port)
    assert not is_ready(port, "some-cluster")


def test_no_broker_runs_on_a_folder_that_holds_none(tmp_path: Path) -> None:
    assert running_bootstrap(tmp_path) is None
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "address").write_text("127.0.0.1:not-a-port")
    assert running_bootstrap(tmp_path) is None
