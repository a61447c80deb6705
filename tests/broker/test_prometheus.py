"""A real Prometheus over the roles as compose starts them: every query answers, an alert fires, and it clears.

Its configuration, the rules and the dashboards are the shipped ones; only targets and intervals are others.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from pipeline.broker import EmbeddedBroker
from pipeline.catalogue import ALWAYS, METRICS
from pipeline.generate import articles
from pipeline.settings import ENVIRONMENT_PREFIX
from tests import compose, oracle, prometheus

DOCKER = Path(__file__).parents[2] / "docker"
(GROUP,) = yaml.safe_load((DOCKER / "prometheus/rules/copydesk.yml").read_text())["groups"]
RECORDED = {rule["record"]: rule["expr"] for rule in GROUP["rules"] if "record" in rule}
ALERTS = {rule["alert"]: rule["expr"] for rule in GROUP["rules"] if "alert" in rule}
DASHBOARDS = [json.loads(path.read_text()) for path in sorted((DOCKER / "grafana/dashboards").glob("*.json"))]
COUNT = 300


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


class Deployment:
    """The roles of docker-compose.yml as processes here, with its own command lines and environment.

    Replaced is what only a container has: Kafka's name, the folders, and a port that all may have at once.
    """

    def __init__(self, broker: str, prefix: str, folder: Path) -> None:
        self.inbox, self.folder = folder / "inbox", folder
        self.inbox.mkdir()
        self._here = {"BROKER": broker, "DATA_DIR": str(folder / "data"), "INBOX": str(self.inbox), "PREFIX": prefix}
        self._here["METRICS_HOST"] = "127.0.0.1"
        roles = ("watcher", "worker", "monitor")
        self.ports = dict(zip(roles, free_ports(len(roles)), strict=True))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start the service `name` of docker-compose.yml."""
        found = compose.service(name)
        here = {**self._here, "METRICS_PORT": str(self.ports.get(name, 0))}
        replaced = {ENVIRONMENT_PREFIX + key: value for key, value in here.items()}
        known = {key for key in replaced if key != ENVIRONMENT_PREFIX + "PREFIX"}
        assert known <= found["environment"].keys(), "only what compose sets is replaced"
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "pipeline", *found["command"]],
                env={"PATH": os.defpath, **found["environment"], **replaced},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self.processes[name]

    def words(self) -> str:
        """What the processes have said."""
        return "\n".join(f"{path.name}: {path.read_text()}" for path in self.folder.glob("*.log"))

    def metrics(self, name: str) -> str:
        """A role's /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def drop(self, count: int, seed: int) -> None:
        """Drop generated articles and a few files that cannot be used."""
        lines = [made.line for made in articles(count, seed)]
        for name, content in ((f"{seed}.jsonl", b"\n".join(lines)), (f"{seed}.txt", b""), (f"b{seed}.jsonl", b"{")):
            draft = self.inbox / f".{name}"
            draft.write_bytes(content)
            draft.rename(self.inbox / name)


@contextmanager
def deployed(broker: str, prefix: str, folder: Path) -> Iterator[Deployment]:
    made = Deployment(broker, prefix, folder)
    topics = made.start("topics")
    assert topics.wait(60) == 0, made.words()
    try:
        for name in made.ports:
            made.start(name)
        yield made
    finally:
        for process in made.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()


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


def check_scrapes(deployment: Deployment) -> None:
    """What is exported passes promtool's own check, and is the catalogue, role by role."""
    for name in deployment.ports:
        text = deployment.metrics(name)
        done = prometheus.promtool("check", "metrics", given=text)
        assert (done.stdout + done.stderr, done.returncode) == ("", 0), name
        exported = set(re.findall(r"^# TYPE (copydesk_\w+) ", text, re.M))
        wanted = {m.full_name for m in (*ALWAYS, *METRICS) if name in m.roles}
        assert exported - {f"{m}_created" for m in exported} - {e for e in exported if e.endswith("_created")} == wanted


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
            check_scrapes(deployment)
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
        for name in deployment.ports:
            deployment.processes[name].terminate()
        codes = {name: deployment.processes[name].wait(40) for name in deployment.ports}
        assert codes == dict.fromkeys(deployment.ports, 0), deployment.words()
    check_conserved(broker.bootstrap, prefix)
