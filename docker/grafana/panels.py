"""What the dashboards are made of: a panel as a line of data, and how Grafana's own SDK makes it a panel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.builders import common, dashboard, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    GridPos,
    Threshold,
    ThresholdsMode,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

RULES = Path(__file__).parents[1] / "prometheus/rules/copydesk.yml"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")


@dataclass(frozen=True)
class Panel:
    """One panel: `queries` are pairs of expression and legend.

    `judged` names the recorded value whose alerts' thresholds are drawn.
    """

    title: str
    description: str
    unit: str
    queries: Sequence[tuple[str, str]]
    kind: str = "lines"
    """lines, stat or heat."""
    width: int = 12
    judged: str = ""
    stacked: bool = False


def thresholds(record: str) -> list[float]:
    """At which values of `record` (`copydesk:…`) alerts fire, rising. Raises ValueError where none does."""
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    found = (re.findall(rf"{record} > ([\d.e]+)", rule["expr"]) for rule in rules if "alert" in rule)
    values = sorted({float(value) for values in found for value in values})
    if not values:
        raise ValueError(f"no alert judges {record}")
    return values


def build(uid: str, title: str, description: str, panels: Sequence[Panel], *, by_inbox: bool = False) -> Any:
    """A dashboard of `panels`, laid out from left to right and top to bottom."""
    made = (
        dashboard.Dashboard(f"Copydesk: {title}")
        .uid(f"copydesk-{uid}")
        .description(description)
        .tags(["copydesk"])
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .version(1)
        .link(
            dashboard.DashboardLink("Copydesk")
            .type(DashboardLinkType.DASHBOARDS)
            .tags(["copydesk"])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    if by_inbox:
        made.with_variable(_inbox_variable())
    x = y = tallest = 0
    for number, panel in enumerate(panels, 1):
        height = 4 if panel.kind == "stat" else 8
        if x + panel.width > 24:
            x, y, tallest = 0, y + tallest, 0
        made.with_panel(_panel(panel).id(number).grid_pos(GridPos(h=height, w=panel.width, x=x, y=y)))
        x, tallest = x + panel.width, max(tallest, height)
    return made.build()


def _inbox_variable() -> Any:
    every = VariableOption(text="All", value="$__all", selected=True)
    return (
        dashboard.QueryVariable("source")
        .label("Inbox")
        .query("label_values(copydesk_files_discovered_total, source)")
        .datasource(SOURCE)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .hide(VariableHide.DONT_HIDE)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(every)
    )


def _panel(panel: Panel) -> Any:
    made = {"lines": _lines, "stat": _stat, "heat": _heat}[panel.kind](panel)
    made.title(panel.title).description(panel.description).unit(panel.unit).datasource(SOURCE)
    for n, (expression, legend) in enumerate(panel.queries):
        made.with_target(_query(panel, expression, legend, chr(ord("A") + n)))
    return made


def _query(panel: Panel, expression: str, legend: str, ref_id: str) -> Any:
    query = (
        prometheus.Dataquery()
        .expr(expression)
        .legend_format(legend)
        .ref_id(ref_id)
        .datasource(SOURCE)
        .editor_mode(QueryEditorMode.CODE)
        .range()
    )
    return query.format(PromQueryFormat.HEATMAP) if panel.kind == "heat" else query


def _steps(panel: Panel) -> Any:
    limits = thresholds(panel.judged) if panel.judged else []
    colours = ["orange", "red"][-len(limits) :] if limits else []
    steps = [Threshold(value=value, color=colour) for value, colour in zip(limits, colours, strict=True)]
    first: Any = None
    return (
        dashboard.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=first, color="green"), *steps])
    )


def _lines(panel: Panel) -> Any:
    made = (
        timeseries.Panel()
        .min(0)
        .line_width(1)
        .fill_opacity(40 if panel.stacked else 10)
        .show_points(common_model.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(common_model.LegendDisplayMode.LIST)
            .placement(common_model.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(common_model.TooltipDisplayMode.MULTI))
        .thresholds(_steps(panel))
    )
    if panel.stacked:
        made.stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL))
    if panel.judged:
        made.thresholds_style(common.GraphThresholdsStyleConfig().mode(common_model.GraphThresholdsStyleMode.LINE))
    return made


def _stat(panel: Panel) -> Any:
    return (
        stat.Panel()
        .decimals(1)
        .thresholds(_steps(panel))
        .graph_mode(common_model.BigValueGraphMode.AREA)
        .color_mode(common_model.BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )


def _heat(panel: Panel) -> Any:
    return (
        heatmap.Panel()
        .calculate(False)
        .cell_gap(1)
        .hide_legend()
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64))
    )
