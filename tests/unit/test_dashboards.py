"""Every metric that a dashboard asks for is one that we export, with the labels that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.metrics import METRICS, Metric

GRAFANA = Path(__file__).parents[2] / "docker/grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
EXPORTED = {
    metric.full_name + suffix: metric
    for metric in METRICS
    for suffix in (("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",))
}


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def queries(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


def metrics_of(query: str) -> list[Metric]:
    names = re.findall(r"\bcopydesk_\w+", query)
    assert names, query
    assert set(names) <= EXPORTED.keys(), query
    return [EXPORTED[name] for name in names]


@pytest.fixture(params=DASHBOARDS, ids=lambda path: str(path.stem))
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(request.param)


def test_there_is_an_overview() -> None:
    assert "overview" in [path.stem for path in DASHBOARDS]


def test_metrics_are_in_the_catalogue(dashboard: dict[str, Any]) -> None:
    assert all(metrics_of(query) for query in queries(dashboard))


def test_labels_are_those_of_the_metrics(dashboard: dict[str, Any]) -> None:
    for query in queries(dashboard):
        known = {"le"}.union(*(metric.labels for metric in metrics_of(query)))
        grouped = {name.strip() for found in re.findall(r"\bby \(([^)]*)\)", query) for name in found.split(",")}
        selected = set(re.findall(r"(\w+)\s*=~?\s*\"", query))
        assert grouped | selected <= known, query


def test_legends_name_labels_that_are_left(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            grouped = {
                name.strip() for found in re.findall(r"by \(([^)]*)\)", target["expr"]) for name in found.split(",")
            }
            assert shown == grouped - {"le"} or not shown, target["expr"]


def test_counters_are_read_as_rates_and_gauges_are_not(dashboard: dict[str, Any]) -> None:
    for query in queries(dashboard):
        for name in re.findall(r"\bcopydesk_\w+", query):
            rated = re.search(rf"\b(?:rate|increase)\({name}\b", query) is not None
            assert rated is (EXPORTED[name].kind != "gauge") or query.startswith("label_values"), query


def test_panels_are_whole(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    for panel in panels:
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert len({panel["id"] for panel in panels}) == len(panels)


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
