"""A broker that takes less than it did: what is too large for it is set aside, and the rest goes on."""

from __future__ import annotations

import json
from pathlib import Path

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from pipeline.broker import EmbeddedBroker
from tests.rig import rig

_LIMIT_BYTES = 300_000


def test_what_the_broker_does_not_take_is_set_aside_and_the_rest_goes_on(
    broker: EmbeddedBroker, prefix: str, tmp_path: Path
) -> None:
    with rig(broker.bootstrap, prefix, tmp_path) as desk:
        watcher = desk.start("watch")
        desk.start("worker")
        desk.wait(lambda: '"ready": true' in desk.why(watcher), "the watcher to be ready", 120)
        # While it runs: what the topic takes was asked when it connected.
        entry = ConfigEntry("max.message.bytes", str(_LIMIT_BYTES), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, f"{prefix}.raw", incremental_configs=[entry])
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        admin.incremental_alter_configs([resource])[resource].result()
        sizes = (200, 2 * _LIMIT_BYTES, 200)
        texts = [f"It rained {number} times. " * (size // 12) for number, size in enumerate(sizes)]
        lines = [json.dumps({"title": text[:20], "body": text}) for text in texts]
        desk.drop("a.jsonl", "\n".join(lines).encode())
        desk.wait_settled(2)
        assert desk.stop() == [0, 0]
        topics = desk.topics()
    assert topics.faults() == []
    assert len(topics.settled) == 2
    assert [(found.headers["reason"], found.headers["position"]) for found in topics.records["rejected"]] == [
        ("too-large", str(len(lines[0]) + 1))
    ]
