"""What the README says about names: every command and reason is in it, and its command lines are taken."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import COMMANDS, build_parser
from pipeline.errors import rejection_reasons
from pipeline.settings import Settings
from pipeline.topics import TOPICS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
# Shown to be run: an indented line that starts with the command, what explains it stands two blanks further on.
SHOWN = re.findall(r"^ {4}(?:\.venv/bin/)?(copydesk .*?)(?: {2,}.*)?$", README, re.MULTILINE)


def test_the_flow_is_drawn_by_line_twenty() -> None:
    assert any("─▶ articles.raw" in line for line in README.splitlines()[:20])


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_is_named(name: str) -> None:
    assert re.search(rf"copydesk {name}\b", README)


@pytest.mark.parametrize("name", [name for name in (topic.name for topic in TOPICS) if name != "files"])
def test_every_topic_is_named(name: str) -> None:
    assert f"articles.{name}" in README


def test_the_table_of_reasons_is_complete() -> None:
    assert tuple(re.findall(r"^\| `([a-z-]+)` \|", README, re.MULTILINE)) == rejection_reasons()


def test_there_are_command_lines() -> None:
    assert len(SHOWN) >= 5


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_line_is_taken(line: str) -> None:
    assert build_parser().parse_args(shlex.split(line)[1:])


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_python_is_python(code: str) -> None:
    ast.parse(code)


def test_the_example_of_a_format_is_a_package_that_works(tmp_path: Path) -> None:
    code, declared = (re.search(rf"```{kind}\n# {name}\n(.*?)```", README, re.DOTALL) for kind, name in PACKAGE)
    assert code
    assert declared
    (tmp_path / "my_desk.py").write_text(code[1])
    info = tmp_path / "my_desk-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-desk\nVersion: 1.0\n")
    points = declared[1].replace("[project.entry-points.", "[").replace('"', "")
    (info / "entry_points.txt").write_text(points)
    release = tmp_path / "day.press"
    release.write_bytes(
        b"Bridge opens\nThe bridge opened at noon.\n%%\nRain\n%%\nFerry stays\nThe ferry stays until May."
    )
    explain = [sys.executable, "-m", "pipeline", "explain", "--json", str(release)]
    found = subprocess.run(
        explain, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    first, broken, last = map(json.loads, found.stdout.splitlines())
    assert [told["value"]["headlines"][0]["value"] for told in (first, last)] == ["Bridge opens", "Ferry stays"]
    assert broken["headers"]["reason"] == "no-article"


PACKAGE = (("python", "my_desk.py"), ("toml", "pyproject.toml"))


@pytest.mark.parametrize("flag", sorted(set(re.findall(r"`(--[a-z-]+)", README))))
def test_every_flag_is_one(flag: str) -> None:
    ours = {"--" + name.replace("_", "-") for name in Settings.__dataclass_fields__}
    assert flag in ours | {"--until-idle", "--help", "--json", "--articles"}


def test_settings_that_are_named_exist() -> None:
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", README))
    allowed = {"x_copydesk", "read_committed"}
    assert named - allowed <= set(Settings.__dataclass_fields__)
