"""The catalogue: names as Prometheus has them, every series there from the start, and no label out of nowhere."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.catalogue import ALWAYS, CLOSED, METRICS, OPEN, PREFIX, ROLES, Metric, page
from pipeline.errors import rejection_reasons
from pipeline.metrics import Meter, open_labels
from pipeline.settings import Settings

SETTINGS = Settings(prefix="news", inbox=("here/wire", "here/web"), partitions=3)
IDS = [metric.name for metric in METRICS]


@pytest.fixture
def meter() -> Meter:
    return Meter(open_labels=open_labels(SETTINGS))


def shown(meter: Meter) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of the exposition, as a scraper reads it."""
    text = generate_latest(meter.registry).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def value(meter: Meter, name: str, **labels: str) -> float:
    return shown(meter)[PREFIX + name, tuple(sorted(labels.items()))]


@pytest.mark.parametrize("metric", METRICS, ids=IDS)
def test_names_follow_the_rules(metric: Metric) -> None:
    assert re.fullmatch(r"copydesk_[a-z]+(_[a-z]+)*", metric.full_name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    # Base units: no milliseconds, kilobytes or per cent anywhere.
    assert not re.search(r"_(ms|millis\w*|us|minutes|hours|kb|mb|kilobytes|percent)(_|$)", metric.name)
    if metric.kind == "histogram":
        assert metric.name.endswith(("_seconds", "_bytes"))
    assert metric.help.endswith(".")
    assert metric.help[0].isupper()


@pytest.mark.parametrize("metric", [m for m in METRICS if m.kind == "histogram"], ids=lambda m: m.name)
def test_buckets_rise(metric: Metric) -> None:
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert not math.isinf(metric.buckets[-1])


def test_no_name_is_given_twice_and_labels_are_of_closed_sets() -> None:
    assert len(set(IDS)) == len(IDS)
    assert {name for metric in METRICS for name in metric.sets} == CLOSED.keys() | OPEN.keys()
    assert not CLOSED.keys() & OPEN.keys()
    assert all(len(metric.sets) == len(metric.labels) for metric in METRICS)


def test_every_reason_can_be_counted() -> None:
    assert CLOSED["reason"] == CLOSED["error_type"] == rejection_reasons()


def test_every_series_is_there_at_zero_from_the_start(meter: Meter) -> None:
    samples = shown(meter)
    assert set(samples.values()) == {0.0}
    sizes = {name: len(values) for name, values in CLOSED.items()}
    sizes |= {"source": 2, "origin": 3, "topic": 7, "raw": 1, "partition": 3}
    for metric in METRICS:
        wanted = math.prod(sizes[name] for name in metric.sets)
        name = metric.full_name + "_count" * (metric.kind == "histogram")
        assert sum(found == name for found, _ in samples) == wanted, name


def test_values_go_where_they_belong(meter: Meter) -> None:
    meter.add("stage_processed_total", 3, stage="tag", outcome="ok")
    meter.add("stage_processed_total", outcome="ok", stage="tag")
    meter.set("consumer_lag_messages", 7, topic="news.raw", partition="2")
    meter.observe("stage_duration_seconds", 0.2, stage="sink")
    assert value(meter, "stage_processed_total", stage="tag", outcome="ok") == 4
    assert value(meter, "consumer_lag_messages", topic="news.raw", partition="2") == 7
    assert value(meter, "stage_duration_seconds_bucket", stage="sink", le="0.1") == 0
    assert value(meter, "stage_duration_seconds_bucket", stage="sink", le="0.25") == 1
    assert value(meter, "stage_duration_seconds_sum", stage="sink") == 0.2


@pytest.mark.parametrize(
    "labels",
    [
        {"stage": "tag", "outcome": "splendid"},
        {"stage": "tag"},
        {},
        {"stage": "tag", "outcome": "ok", "path": "/etc"},
        {"stage": "tag", "result": "ok"},
    ],
)
def test_labels_outside_the_catalogue_are_refused_and_leave_no_series(meter: Meter, labels: dict[str, str]) -> None:
    before = shown(meter)
    with pytest.raises(KeyError):
        meter.add("stage_processed_total", 1, **labels)
    assert shown(meter) == before


def test_a_name_outside_the_catalogue_is_refused(meter: Meter) -> None:
    with pytest.raises(KeyError):
        meter.add("surprises_total")


def test_a_topic_may_have_more_partitions_than_we_would_make(meter: Meter) -> None:
    meter.set("consumer_lag_messages", 5, topic="news.raw", partition="11")
    assert value(meter, "consumer_lag_messages", topic="news.raw", partition="11") == 5
    for labels in ({"topic": "others.raw", "partition": "11"}, {"topic": "news.raw", "partition": "last"}):
        with pytest.raises(KeyError):
            meter.set("consumer_lag_messages", 5, **labels)


def test_a_source_is_the_name_of_its_folder_and_never_a_path() -> None:
    found = open_labels(replace(SETTINGS, inbox=("/very/long/wire/", "web/../blog")))
    assert found["source"] == ["wire", "blog"]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_exports_its_own_part_and_no_other(role: str) -> None:
    meter = Meter(open_labels=open_labels(SETTINGS), role=role)
    names = {re.sub("_(bucket|sum|count)$", "", name) for name, _ in shown(meter)}
    assert names == {metric.full_name for metric in METRICS if role in metric.roles}
    said = {dict(labels)["role"] for name, labels in shown(meter) if "role" in dict(labels)}
    assert said == {role}
    foreign = next(metric for metric in METRICS if role not in metric.roles)
    with pytest.raises(KeyError):
        meter.set(foreign.name, 1)


def test_every_metric_is_somebodys() -> None:
    assert all(metric.roles and set(metric.roles) <= set(ROLES) for metric in METRICS)


def test_the_page_is_made_from_the_catalogue() -> None:
    written = (Path(__file__).parents[2] / "docker/metrics.md").read_text()
    assert written == page(), "run: python -m pipeline.catalogue > docker/metrics.md"
    for metric in (*ALWAYS, *METRICS):
        assert f"| `{metric.full_name}` | {metric.kind} |" in written
