"""No secret is ever seen: not in a log at its most talkative, nor at an endpoint, a note, a command line, a traceback.

The passwords come by the environment, the login is PLAIN (which sends the password as it is, within TLS), the page asks
for a password too, and at the end the broker goes away under the roles, so that they log what that brings.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import trustme

from pipeline.cli import COMMANDS
from pipeline.monitor.access import access_of
from pipeline.settings import Settings
from tests.prometheus import wait_for
from tests.refused import Commands
from tests.secure import PASSWORD, secure_broker

PAGE_PASSWORD = "pa9e-w0rd: ü"
LOGINS = (f"\0plain-desk\0{PASSWORD}", f"editor:{PAGE_PASSWORD}")
# A part of the first one too: quoting may take the whole apart.
SECRETS = [PASSWORD, PASSWORD.split()[0], PAGE_PASSWORD, *(base64.b64encode(one.encode()).decode() for one in LOGINS)]
_RAISE = """
from pipeline.kafka import client_options
from pipeline.monitor.access import access_of
from pipeline.settings import load
settings = load({})
access, options = access_of(settings), client_options(settings)
raise RuntimeError(f"{settings} {access} {settings!r} {access!r}")
"""


def seen_in(text: str | bytes) -> list[str]:
    """The secrets that stand in `text`, as they are or as JSON has them."""
    given = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    forms = {secret: {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]} for secret in SECRETS}
    return [secret for secret, written in forms.items() if any(one.encode() in given for one in written)]


def descendants(pid: int) -> Iterator[int]:
    """`pid` and every process below it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    todo = [pid]
    while todo:
        one = todo.pop()
        yield one
        todo += parents.get(one, [])


def ask(url: str, trust: ssl.SSLContext) -> bytes:
    """What a logged-in caller gets; of a stream of events the first one."""
    login = base64.b64encode(LOGINS[1].encode()).decode()
    asked = urllib.request.Request(url, headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(asked, timeout=20, context=trust) as answer:
        whole: bytes = answer.readline() if url.endswith("/events") else answer.read()
    return whole


def check_endpoints(words: str, trust: ssl.SSLContext) -> None:
    metrics, page = re.search(r"(https://\S+)/metrics", words), re.search(r"Live page: (https://\S+)/", words)
    assert metrics
    assert page

    def balanced() -> bool:
        found = json.loads(ask(f"{metrics[1]}/status", trust)).get("ledger", {})
        return bool(found.get("received") == 1 and found.get("balanced"))

    wait_for(balanced, "the article to come out", 90)
    for path in ("metrics", "status", "version", "readyz", "livez"):
        assert seen_in(ask(f"{metrics[1]}/{path}", trust)) == [], path
    for path in ("", "app.js", "events", "articles", "letters"):
        assert seen_in(ask(f"{page[1]}/{path}", trust)) == [], path


def check_processes(pid: int) -> None:
    found = {one: Path(f"/proc/{one}/cmdline").read_bytes() for one in descendants(pid)}
    assert len([line for line in found.values() if b"--child" in line]) == 3, found
    assert {one: seen for one, line in found.items() if (seen := seen_in(line))} == {}


def check_files(folder: Path) -> None:
    """Notes, merged metrics, logs, whatever else is there."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"run.log", "run.lock"} <= {path.name for path in files}
    assert {str(path): seen for path in files if (seen := seen_in(path.read_bytes()))} == {}


def check_commands(settings: Settings, inbox: str) -> None:
    looks = (["doctor"], ["status", "--json"], ["topics"], ["reconcile", inbox], ["rejected", "list"],
             ["tail", "--from-beginning", "--until-end", "--json"])  # fmt: skip
    helps = [[command.name, "--help"] for command in COMMANDS]
    wrong = replace(settings, sasl_username="nobody-of-that-name")
    for given, commands in ((settings, (*looks, *helps)), (wrong, looks)):
        for command, end in Commands(given.environment()).ends(*commands).items():
            assert seen_in(end.out + end.err) == [], command
            assert (end.code == 0) == (given is settings), (command, end)
            if "--help" not in command:
                assert "DEBUG aiokafka" in end.err, command


def check_traceback(settings: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _RAISE], env={**os.environ, **settings.environment()}, capture_output=True, text=True
    )
    assert "Traceback" in done.stderr
    assert "RuntimeError: Settings(" in done.stderr
    assert seen_in(done.stderr) == []


def test_no_secret_is_seen_anywhere(prefix: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "page.pem")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.txt").write_text("Harbour reopens\n\nShips came back to Lisbon, and all was well.")
    said = tmp_path / "said"
    with secure_broker(tmp_path) as broker:
        broker.grant("plain-desk", prefix)
        settings = Settings(
            broker=broker.secure, prefix=prefix, data_dir=str(tmp_path / "data"), inbox=(str(tmp_path / "inbox"),),
            workers=1, metrics_port=0, page_port=0, log_level="debug", security_protocol="SASL_SSL",
            sasl_mechanism="PLAIN", sasl_username="plain-desk", sasl_password=PASSWORD, ssl_cafile=str(broker.ca),
            http_certfile=str(tmp_path / "page.pem"), http_username="editor", http_password=PAGE_PASSWORD,
        )  # fmt: skip
        assert access_of(settings).allows("Basic " + base64.b64encode(LOGINS[1].encode()).decode())
        with said.open("wb") as words:
            run = subprocess.Popen(
                [sys.executable, "-m", "pipeline", "run"],
                env={**os.environ, **settings.environment()}, stdin=subprocess.DEVNULL, stdout=words, stderr=words,
            )  # fmt: skip
        try:
            wait_for(lambda: "Live page" in said.read_text() or run.poll() is not None, "run to serve", 60)
            assert run.poll() is None, said.read_text()
            check_endpoints(said.read_text(), trust)
            check_processes(run.pid)
            assert list((tmp_path / "data" / "run").iterdir()), "no notes on the board"
            check_files(tmp_path / "data")
            check_commands(settings, str(tmp_path / "inbox"))
            check_traceback(settings)
        except BaseException:
            run.kill()
            raise
    try:
        log = tmp_path / "data" / "run.log"
        size = log.stat().st_size
        wait_for(lambda: log.stat().st_size > size + 1000, "words about the broker that went away", 30)
        time.sleep(2)
    finally:
        run.send_signal(signal.SIGTERM)
        run.wait(60)
    assert "DEBUG aiokafka" in log.read_text()
    assert seen_in(said.read_bytes()) == []
    check_files(tmp_path / "data")
