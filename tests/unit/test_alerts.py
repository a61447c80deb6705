"""The alert rules, judged by Prometheus' own tool: every one fires when it should and is silent when it should be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.prometheus import FOLDER, promtool

(GROUP,) = yaml.safe_load((FOLDER / "rules/copydesk.yml").read_text())["groups"]
ALERTS: dict[str, dict[str, Any]] = {rule["alert"]: rule for rule in GROUP["rules"] if "alert" in rule}
FILES = sorted((FOLDER / "tests").glob("*_test.yml"))
CASES = [case for path in FILES for case in yaml.safe_load(path.read_text())["tests"]]
RUNBOOK = FOLDER.parent / "runbook.md"


def test_prometheus_reads_configuration_and_rules() -> None:
    done = promtool("check", "config", "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(GROUP['rules'])} rules found" in done.stdout


def test_every_case_comes_out_as_it_says() -> None:
    done = promtool("test", "rules", *(str(path) for path in FILES))
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_would_complain(tmp_path: Path) -> None:
    text = (FOLDER / "tests/minutes_test.yml").read_text().replace("../rules", str(FOLDER / "rules"))
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(text.replace("does not answer'", "is fine'"))
    done = promtool("test", "rules", str(wrong))
    assert done.returncode == 1
    assert "CopydeskDown" in done.stdout + done.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_case_that_fires_and_one_that_does_not(name: str) -> None:
    found = [test for case in CASES for test in case["alert_rule_test"] if test["alertname"] == name]
    assert {bool(test.get("exp_alerts")) for test in found} == {True, False}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_it_is_and_what_to_do(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"] == {"severity": rule["labels"]["severity"]}
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"].keys() == {"summary", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docker/runbook.md#{name.lower()}"


def test_the_runbook_has_a_section_for_each_and_no_other() -> None:
    sections = re.split(r"^## ", RUNBOOK.read_text(), flags=re.M)[1:]
    told = {section.split("\n", 1)[0]: section.split("\n", 1)[1].strip() for section in sections}
    assert list(told) == list(ALERTS)
    assert all(len(text) > 80 for text in told.values())
