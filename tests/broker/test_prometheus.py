"""A real Prometheus over the roles as compose starts them: every query answers, an alert fires, and it clears.

Its configuration, the rules and the dashboards are the shipped ones; only targets and intervals are others.
"""

from __future__ import annotations

import json
import re
import urllib.request
from dataclasses import replace
from pathlib import Path

import yaml

from pipeline.broker import EmbeddedBroker
from pipeline.catalogue import ALWAYS, METRICS
from tests import oracle, prometheus
from tests.compose import deployed, free_ports
from tests.rig import rig

DOCKER = Path(__file__).parents[2] / "docker"
(GROUP,) = yaml.safe_load((DOCKER / "prometheus/rules/copydesk.yml").read_text())["groups"]
RECORDED = {rule["record"]: rule["expr"] for rule in GROUP["rules"] if "record" in rule}
ALERTS = {rule["alert"]: rule["expr"] for rule in GROUP["rules"] if "alert" in rule}
DASHBOARDS = [json.loads(path.read_text()) for path in sorted((DOCKER / "grafana/dashboards").glob("*.json"))]
COUNT = 300


def instant(query: str) -> str:
    """A dashboard's query with its variables as Grafana would fill them in."""
    return query.replace("$__rate_interval", "1m").replace("$source", ".*")


def labels_of(expression: str) -> set[str]:
    """What the outermost aggregation keeps."""
    first = re.search(r"\b(?:sum|max|avg)\b(?: by \(([^)]*)\))?", expression)
    assert first, expression
    return {name.strip() for name in (first[1] or "").split(",")} - {""}


def check_recorded(server: prometheus.Prometheus) -> None:
    """Every recorded value is there, as numbers, with the labels that its rule keeps and no other."""
    for name, expression in RECORDED.items():
        found = server.query(name)
        assert found, name
        for labels, value in found:
            assert labels.keys() - {"__name__"} == labels_of(expression), (name, labels)
            assert value == value, f"{name} is not a number"


def check_alerts(server: prometheus.Prometheus) -> None:
    """Prometheus evaluates every alert; none of our rules has an error."""
    (group,) = server.get("rules")["groups"]
    states = {rule["name"]: (rule["health"], rule.get("lastError", "")) for rule in group["rules"]}
    assert states == dict.fromkeys((*RECORDED, *ALERTS), ("ok", ""))
    for expression in ALERTS.values():
        server.query(expression)


def check_dashboards(server: prometheus.Prometheus) -> None:
    """Every query of every panel gives data, with the labels that its legend shows."""
    for dashboard in DASHBOARDS:
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                found = server.query(instant(target["expr"]))
                assert found, (dashboard["title"], panel["title"], target["expr"])
                shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
                assert all(shown <= labels.keys() for labels, _ in found), target


def check_scrape(text: str, *roles: str) -> None:
    """A scrape passes promtool's own check, and holds what these roles have in the catalogue and no more."""
    done = prometheus.promtool("check", "metrics", given=text)
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)
    exported = {name for name in re.findall(r"^# TYPE (copydesk_\w+) ", text, re.M) if not name.endswith("_created")}
    assert exported == {m.full_name for m in (*ALWAYS, *METRICS) if {*roles} & {*m.roles}}


def check_conserved(broker: str, prefix: str) -> None:
    topics = oracle.read(broker, prefix)
    assert topics.faults() == []
    assert topics.raw.total() == 3 * COUNT


def test_every_query_answers_and_a_killed_worker_is_seen(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> None:
    with deployed(broker.bootstrap, prefix, tmp_path) as deployment:
        port = free_ports(1)[0]
        with prometheus.running(tmp_path / "prometheus", deployment.ports, port) as server:

            def settled(count: int) -> bool:
                return server.query("sum(copydesk_ledger_settled)") == [({}, count)]

            server.wait(lambda: "up" in server.targets().values(), "the first scrape")
            deployment.drop(COUNT, seed=1)
            server.wait(lambda: settled(COUNT), "the first articles to come out")
            deployment.drop(COUNT, seed=2)
            server.wait(lambda: settled(2 * COUNT), "the second articles to come out")
            server.wait(lambda: server.query("copydesk:in_flight:articles == 0"), "the books to balance")
            server.wait(lambda: all(map(server.query, RECORDED)), "every recorded value")
            for name in deployment.ports:
                check_scrape(deployment.metrics(name), name)
            check_recorded(server)
            check_alerts(server)
            check_dashboards(server)
            assert not server.firing() & {"CopydeskDown", "CopydeskLedgerLeak", "CopydeskRoleMissing"}

            worker = deployment.processes["worker"]
            worker.kill()
            worker.wait()
            deployment.drop(COUNT, seed=3)
            server.wait(lambda: "CopydeskDown" in server.firing(), "the alert that a worker is down")
            server.wait(lambda: server.query("sum(copydesk:lag:messages) > 0"), "the lag to show")
            check_alerts(server)
            deployment.start("worker")
            server.wait(lambda: "CopydeskDown" not in server.firing(), "the alert to clear")
            server.wait(lambda: settled(3 * COUNT), "the articles that had to wait")
            server.wait(lambda: all(map(server.query, RECORDED)), "every recorded value, again")
            check_recorded(server)
            check_dashboards(server)
        deployment.stop()
    check_conserved(broker.bootstrap, prefix)


def test_run_shows_all_roles_at_one_endpoint(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> None:
    with rig(broker.bootstrap, prefix, tmp_path, workers=1) as desk:
        (port,) = free_ports(1)
        desk.settings = replace(desk.settings, metrics_port=port)
        made = desk.drop_articles(50)
        desk.start("run")
        desk.wait_settled(len(made))

        def scrape() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                text: str = answer.read().decode()
            return text

        desk.wait(lambda: "copydesk_ledger_received 50.0" in scrape().splitlines(), "the books to be read")
        check_scrape(scrape(), "watcher", "worker", "stories", "run")
        lines = scrape().splitlines()
        assert 'copydesk_articles_published_total{source="inbox"} 50.0' in lines
        assert 'copydesk_end_to_end_seconds_count{source="inbox"} 50.0' in lines
        roles = {
            found[1] for line in lines if (found := re.match(r'copydesk_process_open_fds{role="(\w+)"} [1-9]', line))
        }
        assert roles == {"watcher", "worker", "stories", "run"}
        assert desk.stop() == [0]
    assert oracle.read(broker.bootstrap, prefix).faults() == []
