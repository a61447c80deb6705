"""Who is not let in is told so by every command: one clear line, an exit code that is not 0, and no secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from confluent_kafka.admin import ResourceType, ScramMechanism

from pipeline.settings import Settings
from tests.refused import Commands, End
from tests.secure import PASSWORD, SecureBroker, secure_broker

WRONG = "n0t-the-password"
ARTICLE = "Harbour reopens\n\nShips came back to Lisbon on Monday, and everybody on the quay was happy about it.\n"
ROLES = (["watch"], ["worker"], ["stories"], ["monitor"], ["run"])
LOOKS = (["tail"], ["status"], ["doctor"], ["topics"], ["rejected", "list"], ["rejected", "retry", "--all"],
         ["reconcile", "inbox"])  # fmt: skip
# What is said before anybody is asked.
ROUTINE = ("metrics on http", "live page on http", "Live page: http")


@dataclass(frozen=True)
class Door:
    """A broker with a lock on it, and our commands before it."""

    broker: SecureBroker
    folder: Path

    def settings(self, user: str, prefix: str, password: str = PASSWORD) -> Settings:
        word = self.folder / f"word-{len(password)}"
        word.write_text(password + "\n")
        return Settings(
            broker=self.broker.secure,
            prefix=prefix,
            data_dir=str(self.folder / "data"),
            workers=1,
            inbox=(str(self.folder / "inbox"),),
            metrics_port=0,
            page_port=0,
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_username=user,
            sasl_password_file=str(word),
            ssl_cafile=str(self.broker.ca),
        )

    def ends(self, settings: Settings, *commands: list[str]) -> dict[str, End]:
        """How each command ended; `inbox` is ours."""
        given = [[str(self.folder / "inbox") if word == "inbox" else word for word in one] for one in commands]
        found = Commands(settings.environment()).ends(*given)
        return {name.replace(str(self.folder) + "/", ""): end for name, end in found.items()}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    (folder / "inbox").mkdir()
    (folder / "inbox" / "harbour.txt").write_text(ARTICLE)
    with secure_broker(folder) as running:
        for user in ("desk", "guest", "alone", "half"):
            running.add_scram_user(user, ScramMechanism.SCRAM_SHA_512)
        yield Door(running, folder)


def check(ends: dict[str, End], says: Callable[[str], bool]) -> None:
    """Each ended over one line that says so; `doctor` has a line of its own kind, and all others are as ever."""
    for command, end in ends.items():
        assert end.code in (1, 2), (command, end)
        assert "Traceback" not in end.err, (command, end.err)
        if command == "doctor":
            faults = [line for line in end.out.splitlines() if line.startswith("✗")]
        else:
            faults = [line for line in end.err.splitlines() if not any(words in line for words in ROUTINE)]
            assert all(line.startswith("copydesk: ") for line in faults), (command, end.err)
        assert len(faults) == 1, (command, faults)
        assert says(faults[0]), (command, faults[0])
        assert not {PASSWORD, PASSWORD.split()[1], WRONG} & {*end.out.split(), *end.err.split()}
        assert WRONG not in end.out + end.err


def test_a_wrong_password_is_one_line(door: Door, prefix: str) -> None:
    ends = door.ends(door.settings("desk", prefix, WRONG), *ROLES, *LOOKS)
    check(ends, lambda line: "refuses the login of 'desk' by SCRAM-SHA-512" in line and "the password" in line)
    plain = replace(door.settings("plain-desk", prefix, WRONG), sasl_mechanism="PLAIN")
    check(door.ends(plain, ["tail"]), lambda line: "refuses the login of 'plain-desk' by PLAIN" in line)


def test_an_untrusted_certificate_is_one_line(door: Door, prefix: str) -> None:
    settings = replace(door.settings("desk", prefix), ssl_cafile=str(door.broker.other_ca))
    check(door.ends(settings, *ROLES, *LOOKS), lambda line: "certificate that is not trusted" in line)


def test_without_rights_on_topics_each_says_which(door: Door, prefix: str) -> None:
    ends = door.ends(door.settings("guest", prefix), *ROLES, *LOOKS)
    # What only is for the eyes finds no topics; the roles find that they may not make them.
    assert all(
        "CREATE and DESCRIBE on the topics" in ends[name].err
        for name in ("run", "watch", "worker", "stories", "topics")
    )
    rejected = ends.pop("doctor")
    assert (rejected.code, rejected.out.count("✗ topics")) == (1, 1)
    check(ends, lambda line: "DESCRIBE" in line and "topic" in line)


def test_without_the_group_each_says_so(door: Door, prefix: str) -> None:
    door.broker.grant("alone", prefix, ResourceType.GROUP)
    alone = door.settings("alone", prefix)
    assert door.ends(alone, ["topics"])["topics"].code == 0
    ends = door.ends(
        alone, ["worker"], ["stories"], ["monitor"], ["run"], ["status"], ["doctor"], ["reconcile", "inbox"]
    )
    check(ends, lambda line: "User:alone" in line and f"READ and DESCRIBE on group copydesk-{prefix}" in line)


def test_without_transactions_each_says_so(door: Door, prefix: str) -> None:
    door.broker.grant("half", prefix, ResourceType.TRANSACTIONAL_ID)
    half = door.settings("half", prefix)
    ends = door.ends(half, ["watch"], ["worker"], ["stories"], ["run"], ["rejected", "retry", "--all"], ["doctor"])
    check(ends, lambda line: "User:half" in line and f"transactional ids copydesk-{prefix}-" in line)
