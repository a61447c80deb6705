"""The dashboards are what their code makes, and ask only for what is exported or recorded, with the labels it has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.catalogue import ALWAYS, METRICS

DOCKER = Path(__file__).parents[2] / "docker"
GRAFANA = DOCKER / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
EXPORTED = {
    metric.full_name + suffix: metric
    for metric in (*ALWAYS, *METRICS)
    for suffix in (("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",))
}
NAMES = re.compile(r"\bcopydesk[_:][\w:]+")


(GROUP,) = yaml.safe_load((DOCKER / "prometheus/rules/copydesk.yml").read_text())["groups"]


def rules(kind: str) -> list[dict[str, Any]]:
    return [rule for rule in GROUP["rules"] if kind in rule]


RECORDED = {rule["record"]: rule["expr"] for rule in rules("record")}


def grouped(expression: str) -> set[str]:
    return {name.strip() for found in re.findall(r"\bby \(([^)]*)\)", expression) for name in found.split(",")}


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def queries(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]


def labels_of(name: str) -> set[str]:
    """Those of a metric, or those that a recorded value keeps."""
    return grouped(RECORDED[name]) if name in RECORDED else {"le", *EXPORTED[name].labels}


@pytest.fixture(params=DASHBOARDS, ids=lambda path: str(path.stem))
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(request.param)


def test_there_are_six() -> None:
    assert [path.stem for path in DASHBOARDS] == [
        "de-duplication", "dead-letters", "inbox", "kafka", "overview", "stages",
    ]  # fmt: skip


def test_they_are_what_the_code_makes() -> None:
    command = [sys.executable, str(GRAFANA / "make.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stderr, done.returncode) == ("", 0)


def test_what_is_asked_for_is_exported_or_recorded(dashboard: dict[str, Any]) -> None:
    for query in queries(dashboard):
        names = set(NAMES.findall(query)) | set(re.findall(r"\bup\b", query))
        assert names, query
        assert names <= EXPORTED.keys() | RECORDED.keys() | {"up"}, query


@pytest.mark.parametrize("rule", GROUP["rules"], ids=lambda r: str(r.get("record") or r["alert"]))
def test_rules_ask_for_what_is_exported_or_recorded(rule: dict[str, Any]) -> None:
    assert set(NAMES.findall(rule["expr"])) <= EXPORTED.keys() | RECORDED.keys()


def test_every_metric_is_looked_at() -> None:
    """A metric that nobody shows or judges is not worth its cost."""
    texts = [*RECORDED.values(), *(rule["expr"] for rule in rules("alert"))]
    texts += [query for path in DASHBOARDS for query in queries(read(path))]
    asked = {EXPORTED[name] for text in texts for name in NAMES.findall(text) if name in EXPORTED}
    assert {m.name for m in METRICS} - {m.name for m in asked} == set()


def test_labels_are_those_of_the_metrics(dashboard: dict[str, Any]) -> None:
    for query in queries(dashboard):
        known = {"job"}.union(*(labels_of(name) for name in NAMES.findall(query)))
        selected = set(re.findall(r"(\w+)\s*=~?\s*\"", query))
        assert grouped(query) | selected <= known, query


def test_legends_name_labels_that_are_left(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            query = target["expr"]
            left = grouped(query) or set().union(
                *(labels_of(name) for name in NAMES.findall(query) if name in RECORDED and name == query.split("{")[0])
            )
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= left, query


def test_counters_are_read_as_rates_and_gauges_are_not(dashboard: dict[str, Any]) -> None:
    for query in queries(dashboard):
        for name in NAMES.findall(query):
            rated = re.search(rf"\b(?:rate|increase)\({name}\b", query) is not None
            counts = name in EXPORTED and EXPORTED[name].kind != "gauge"
            assert rated is counts or query.startswith("label_values"), query


def test_panels_are_whole(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    for panel in panels:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_thresholds_are_those_of_the_alerts() -> None:
    """Wherever a recorded value is shown alone and an alert judges it, the alert's limits are drawn."""
    limits: dict[str, set[float]] = {}
    for rule in rules("alert"):
        for name, value in re.findall(r"(copydesk:[\w:]+) > ([\d.e]+)", rule["expr"]):
            if float(value):
                limits.setdefault(name, set()).add(float(value))
    drawn = set()
    for path in DASHBOARDS:
        for panel in read(path)["panels"]:
            steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
            names = {name for target in panel["targets"] for name in NAMES.findall(target["expr"])}
            for name in names & limits.keys():
                if len(names) == 1 and [step["value"] for step in steps[1:]] == sorted(limits[name]):
                    drawn.add(name)
    # These are judged together with another value and shown without a line.
    assert limits.keys() - drawn == {
        "copydesk:slow:ratio1h", "copydesk:slow:ratio30m", "copydesk:slow:ratio6h", "copydesk:lag:messages",
        "copydesk:files_discovered:usual30m", "copydesk:settled:increase1h",
    }  # fmt: skip


def test_panels_do_not_overlap(dashboard: dict[str, Any]) -> None:
    cells = [
        (x, y)
        for panel in dashboard["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_names_are_fixed() -> None:
    uids = [read(path)["uid"] for path in DASHBOARDS]
    assert uids == [f"copydesk-{path.stem}" for path in DASHBOARDS]
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert source["uid"] == "copydesk-prometheus"
