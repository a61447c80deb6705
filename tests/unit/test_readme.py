"""What the README says about names: every command and reason is in it, and its command lines are taken."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from pipeline.cli import COMMANDS, build_parser
from pipeline.errors import rejection_reasons
from pipeline.settings import Settings
from pipeline.topics import TOPICS

README = (Path(__file__).parents[2] / "README.md").read_text()
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


@pytest.mark.parametrize("flag", sorted(set(re.findall(r"`(--[a-z-]+)", README))))
def test_every_flag_is_one(flag: str) -> None:
    ours = {"--" + name.replace("_", "-") for name in Settings.__dataclass_fields__}
    assert flag in ours | {"--until-idle", "--help", "--json", "--articles"}


def test_settings_that_are_named_exist() -> None:
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", README))
    allowed = {"x_copydesk", "read_committed"}
    assert named - allowed <= set(Settings.__dataclass_fields__)
