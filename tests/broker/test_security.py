"""TLS, logins and rights end to end: who has the right ones is let in, by PLAIN and by SCRAM."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka.admin import ScramMechanism

from pipeline.settings import Settings
from tests import oracle
from tests.secure import PASSWORD, SecureBroker, secure_broker

WRONG = "n0t-the-password"
ARTICLE = "Harbour reopens\n\nShips came back to Lisbon on Monday, and everybody on the quay was happy about it.\n"


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    with secure_broker(tmp_path_factory.mktemp("secure")) as running:
        running.add_scram_user("desk", ScramMechanism.SCRAM_SHA_512)
        yield running


class Desk:
    """Runs commands of ours as some user."""

    def __init__(self, broker: SecureBroker, prefix: str, folder: Path) -> None:
        self._broker, self._prefix, self._folder = broker, prefix, folder
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        (self.inbox / "harbour.txt").write_text(ARTICLE)
        self.said = ""

    def settings(self, user: str, mechanism: str, password: str = PASSWORD, ca: Path | None = None) -> Settings:
        (self._folder / "word").write_text(password + "\n")
        return Settings(
            broker=self._broker.secure,
            prefix=self._prefix,
            data_dir=str(self._folder / "data"),
            workers=1,
            inbox=(str(self.inbox),),
            metrics_port=0,
            page_port=0,
            security_protocol="SASL_SSL",
            sasl_mechanism=mechanism,
            sasl_username=user,
            sasl_password_file=str(self._folder / "word"),
            ssl_cafile=str(ca or self._broker.ca),
        )

    def run(self, settings: Settings, *command: str, seconds: float = 90) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *command],
            env={**os.environ, **settings.environment()}, capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        self.said += done.stdout + done.stderr
        return done


@pytest.fixture
def desk(secure: SecureBroker, prefix: str, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(secure, prefix, tmp_path)
    yield made
    log = tmp_path / "data" / "run.log"
    everything = made.said + (log.read_text(errors="replace") if log.exists() else "")
    for secret in (PASSWORD, PASSWORD.split()[1], WRONG):
        assert secret not in everything


def test_with_login_and_rights_everything_goes_its_way(desk: Desk, secure: SecureBroker, prefix: str) -> None:
    secure.grant("desk", prefix)
    secure.grant("plain-desk", prefix)
    scram, plain = desk.settings("desk", "SCRAM-SHA-512"), desk.settings("plain-desk", "PLAIN")
    done = desk.run(scram, "run", "--until-idle")
    assert done.returncode == 0, done.stderr
    assert "The books balance." in done.stdout
    # At this level our client logs every request, those that log in too.
    tailed = desk.run(replace(plain, log_level="debug"), "tail", "--from-beginning", "--until-end", "--json")
    assert "aiokafka.conn: Request to" in tailed.stderr
    assert [json.loads(line)["headers"] for line in tailed.stdout.splitlines()] == [{}]
    assert json.loads(desk.run(plain, "status", "--json").stdout)["ledger"]["balanced"] is True
    for settings in (scram, plain):
        checked = desk.run(settings, "doctor")
        assert checked.returncode == 0, checked.stdout
    topics = oracle.read(secure.plain, prefix)
    assert topics.faults() == []
    assert sum(topics.settled.values()) == 1


def test_no_help_shows_a_secret(desk: Desk) -> None:
    settings = Settings(sasl_password=PASSWORD, http_username="a", http_password=PASSWORD)
    for command in ("run", "worker", "tail", "doctor"):
        said = desk.run(settings, command, "--help").stdout
        assert "--sasl-password-file" in said
        assert "--sasl-password " not in said
