"""The command line: every command explains itself, starts quickly, and says in one line what a person can mend."""

from __future__ import annotations

import ast
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import pytest

from pipeline import __version__
from pipeline.broker.place import Lock
from pipeline.cli import COMMANDS, Command, build_parser, main
from pipeline.settings import Settings

ROOT = Path(__file__).parents[2]
# Python's own and ours; what takes long to load is known by name.
HEAVY = {"aiohttp", "aiokafka", "faust", "numpy", "prometheus_client", "rich", "trafilatura", "uvloop", "watchfiles"}


def copydesk(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Wide, so that argparse breaks no line that we look for.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        capture_output=True, text=True, timeout=60, cwd=ROOT, env={**environment, "COLUMNS": "300"},
    )  # fmt: skip


def loaded(*arguments: str) -> set[str]:
    """Which heavy packages a command has loaded by its end."""
    call = f"main({list(arguments)!r})"
    code = f"import sys\nfrom pipeline.cli import main\ntry: {call}\nfinally: print(sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT)
    names = ast.literal_eval(run.stdout.splitlines()[-1])
    return {name.partition(".")[0] for name in names} & HEAVY


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_help_says_what_it_does_and_shows_an_example(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command.name, "--help"])
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"Example: {command.example}" in text
    assert "settings" in text


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_the_example_is_a_command_line_that_is_taken(command: Command) -> None:
    program, *arguments = shlex.split(command.example)
    assert program == "copydesk"
    assert build_parser().parse_args(arguments).command == command.name
    assert [name for name in arguments if name.startswith("seeds/") and not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    "line", ["rejected show 3f2c --json", "rejected show --json 3f2c", "rejected --json show 3f2c"]
)
def test_an_id_may_stand_behind_a_flag(line: str) -> None:
    found = build_parser().parse_args(line.split())
    assert (found.action, found.id, found.json) == ("show", ["3f2c"], True)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("bench --articles 0", "argument --articles: must be at least 1"),
        ("rejected list --limit -3", "argument --limit: must be at least 1"),
        ("tail --limit x", "argument --limit: must be a whole number, not 'x'"),
        ("rejected retry --reason no_article", "argument --reason: invalid choice: 'no_article' .*no-article"),
        ("reconcile", "the following arguments are required: DIR"),
        ("tail --nope", "unrecognized arguments: --nope"),
    ],
)
def test_a_wrong_argument_is_said_in_one_line(line: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(line.split())
    assert caught.value.code == 2
    assert re.search(f"error: {says}", capsys.readouterr().err.splitlines()[-1])


def test_every_setting_is_a_flag_of_some_command_save_secrets() -> None:
    flags = {name for command in COMMANDS for name in command.settings}
    assert flags == {spec.name for spec in fields(Settings) if not spec.metadata["secret"]}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_help_shows_defaults_and_no_secret(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command.name, "--help"])
    text = capsys.readouterr().out
    assert not re.search(r"--sasl-password\b(?!-file)", text)
    if "partitions" in command.settings:
        assert "(default: 4)" in text


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"copydesk {__version__}\n"


def test_the_first_help_lists_every_command_and_loads_nothing_heavy() -> None:
    found = copydesk("--help")
    assert found.returncode == 0
    assert [c.name for c in COMMANDS if not re.search(rf"^ +{c.name}\s", found.stdout, re.MULTILINE)] == []
    assert loaded("--help") == set()


def test_status_loads_no_part_of_the_stream(tmp_path: Path) -> None:
    found = loaded("status", "--data-dir", str(tmp_path))
    assert found & {"faust", "numpy", "trafilatura", "uvloop", "watchfiles"} == set()


def test_doctor_ends_quietly_where_nobody_reads_on(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "pipeline", "doctor", "--data-dir", str(tmp_path), "--broker", "127.0.0.1:1"]
    found = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(writing)
    assert (found.returncode, found.stderr) == (0, "")


@pytest.fixture
def refused() -> Iterator[str]:
    """HOST:PORT where nobody listens, held so that nobody will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def taken() -> Iterator[str]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield str(held.getsockname()[1])


def one_line(
    arguments: Sequence[str], says: str, code: int = 2, before: str = r"\w+: (metrics|live page) on \S+"
) -> None:
    """`copydesk ARGUMENTS` ends with `code` and one line that `says` so; at most `before` was said before it."""
    found = copydesk(*arguments)
    lines = [line for line in found.stderr.splitlines() if not re.fullmatch(before, line)]
    assert len(lines) == 1, found.stderr
    assert lines[0].startswith("copydesk: ")
    assert re.search(says, lines[0]), lines[0]
    assert (found.returncode, found.stdout) == (code, "")


@pytest.mark.parametrize("command", ["run", "worker", "monitor", "tail"])
def test_a_broker_out_of_reach_is_one_line(command: str, refused: str, tmp_path: Path) -> None:
    more = ["--metrics-port", "0"] if command in ("worker", "monitor") else []
    more += ["--page-port", "0"] if command == "monitor" else []
    more += ["--inbox", str(tmp_path)] if command == "run" else []
    one_line([command, "--broker", refused, "--data-dir", str(tmp_path / "data"), *more],
             rf"no Kafka answers at {refused} \(.*([Rr]efused|Connect call failed).*\); check --broker")  # fmt: skip


def test_status_without_a_broker_is_one_line_and_1(refused: str) -> None:
    one_line(["status", "--broker", refused], "no Kafka answers", code=1)


def test_a_missing_inbox_is_one_line(tmp_path: Path) -> None:
    one_line(["run", "--inbox", str(tmp_path / "no"), "--data-dir", str(tmp_path)], "there is no folder .*mkdir -p")


def test_a_taken_broker_port_is_one_line(taken: str, tmp_path: Path) -> None:
    one_line(["broker", "--broker-port", taken, "--data-dir", str(tmp_path)], rf"{taken}.*--broker-port")


def test_a_taken_metrics_port_is_one_line(taken: str, refused: str, tmp_path: Path) -> None:
    one_line(["worker", "--broker", refused, "--metrics-port", taken], rf"{taken} \(Address.* in use\).*--metrics-port")


def test_a_taken_page_port_is_one_line(taken: str, refused: str, tmp_path: Path) -> None:
    arguments = ["monitor", "--broker", refused, "--data-dir", str(tmp_path), "--metrics-port", "0"]
    one_line([*arguments, "--page-port", taken], rf"live page on \S+{taken} \(Address.* in use\).*--page-port")


def test_a_data_directory_in_use_is_one_line_and_touches_nothing(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "counter_1.db").write_bytes(b"of the other")
    with Lock(tmp_path / "run.lock") as lock:
        assert lock.take()
        lock.write_holder(4711)
        one_line(["run", "--inbox", str(tmp_path), "--data-dir", str(tmp_path)], r"in use by another copydesk .*4711")
    assert (tmp_path / "metrics" / "counter_1.db").read_bytes() == b"of the other"


def test_no_broker_named_and_none_running_is_one_line(tmp_path: Path) -> None:
    one_line(["tail", "--data-dir", str(tmp_path)], "no broker runs for .*copydesk run")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--after", "burn"], "--after: after must be one of keep, move, delete"),
        (["worker", "--broker", "kafka"], "--broker: broker must be HOST:PORT"),
        (["explain", "/no/such/file"], "/no/such/file does not exist"),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], says: str) -> None:
    one_line(arguments, says)


def test_a_wrong_line_in_the_file_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "copydesk.toml").write_text("brokers = 1\n")
    found = subprocess.run(
        [sys.executable, "-m", "pipeline", "status"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert found.returncode == 2
    assert found.stderr == "copydesk: copydesk.toml: there is no setting 'brokers'; `copydesk run --help` lists them\n"
