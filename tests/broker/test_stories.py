"""What each story has come to, told by a process that is killed again and again, against a plain count."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipeline.broker import EmbeddedBroker
from tests import oracle
from tests.rig import Rig, rig


@pytest.fixture
def desk(broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> Iterator[Rig]:
    with rig(broker.bootstrap, prefix, tmp_path) as made:
        yield made


def plain_count(topics: oracle.Topics) -> dict[str, dict[str, Any]]:
    """The stories as a reader of enriched and duplicates counts them, forgetting nothing."""
    found: dict[str, dict[str, Any]] = {}
    for name in ("enriched", "duplicates"):
        for record in topics.records[name]:
            article = record.json
            key = article["x_copydesk"]["story"]
            story = found.setdefault(key, {"story": key, "size": 0, "duplicates": 0, "languages": {}, "seen": set()})
            story["size"] += 1
            story["duplicates"] += name == "duplicates"
            story["seen"].add(article["firstCreated"])
            if name == "enriched" and article["language"] != "und":
                story["languages"][article["language"]] = story["languages"].get(article["language"], 0) + 1
            if article["x_copydesk"]["id"] == key:
                story["headline"] = article["headlines"][0]["value"]
    for story in found.values():
        seen = story.pop("seen")
        story |= {"first_seen": min(seen), "last_seen": max(seen)}
    return found


def told(desk: Rig) -> dict[str, dict[str, Any]]:
    """The last record of each key."""
    topic = f"{desk.settings.prefix}.stories"
    return {record.key: json.loads(record.value) for record in oracle.stream(desk.settings.broker, topic)}


def is_ready(desk: Rig, teller: subprocess.Popen[bytes]) -> bool:
    return desk.why(teller).startswith('{"ready": true')


def test_stories_are_what_a_plain_count_gives_however_often_their_teller_is_killed(desk: Rig) -> None:
    for role in ("watch", "worker", "worker"):
        desk.start(role)
    dropped = 0
    for seed in range(1, 7):
        teller = desk.start("stories")
        desk.drop_articles(250, seed=seed)
        dropped += 250
        desk.wait_settled(dropped - 200)
        if seed % 2:
            desk.wait(partial(is_ready, desk, teller), "the teller to be ready")
        teller.send_signal(signal.SIGKILL)
        teller.wait()
    desk.wait_settled(dropped)
    desk.start("stories")
    topics = desk.topics()
    wanted = plain_count(topics)
    desk.wait(lambda: sum(story["size"] for story in told(desk).values()) >= dropped, "all articles to be counted")
    assert told(desk) == wanted
    assert len(wanted) < dropped, "no story has two articles: the test shows nothing"


def test_a_second_teller_takes_over_and_the_first_stands_by(desk: Rig) -> None:
    for role in ("watch", "worker"):
        desk.start(role)
    first = desk.start("stories")
    desk.drop_articles(60, seed=1)
    desk.wait(lambda: sum(story["size"] for story in told(desk).values()) == 60, "the first to count")
    second = desk.start("stories")
    desk.wait(partial(is_ready, desk, second), "the second to be ready")
    desk.drop_articles(60, seed=2)
    desk.wait(lambda: "standing by" in desk.said(first), "the first to stand by")
    desk.wait(lambda: sum(story["size"] for story in told(desk).values()) == 120, "the second to count")
    assert told(desk) == plain_count(desk.topics())
    assert (first.poll(), second.poll()) == (None, None)
    first.terminate()
    second.terminate()
    assert (first.wait(40), second.wait(40)) == (0, 0)
