"""The embedded broker as its clients see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from pipeline.broker import EmbeddedBroker, running_bootstrap
from pipeline.errors import FolderError, PortTakenError


def _create(bootstrap: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})  # its futures die with it
    admin.create_topics([NewTopic(topic, 1)])[topic].result(10)


def _send(bootstrap: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "message.max.bytes": 16_777_216})
    failures: list[object] = []
    producer.produce(topic, value, on_delivery=lambda error, _: failures.append(error))
    assert producer.flush(10) == 0
    assert failures == [None]


def _read(bootstrap: str, topic: str) -> bytes:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": topic,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([topic])
    try:
        message = consumer.poll(20)
        assert message is not None
        assert message.error() is None
        value = message.value()
        assert isinstance(value, bytes)
        return value
    finally:
        consumer.close()


def test_is_ready_for_topics_the_moment_it_has_started(broker: EmbeddedBroker, prefix: str) -> None:
    _create(broker.bootstrap, prefix)
    _send(broker.bootstrap, prefix, b"first")
    assert _read(broker.bootstrap, prefix) == b"first"


def test_takes_a_record_of_sixteen_megabytes(broker: EmbeddedBroker, prefix: str) -> None:
    value = b"x" * (16_777_216 - 1024)
    _create(broker.bootstrap, prefix)
    _send(broker.bootstrap, prefix, value)
    assert _read(broker.bootstrap, prefix) == value


def test_commits_a_transaction(broker: EmbeddedBroker, prefix: str) -> None:
    _create(broker.bootstrap, prefix)
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": prefix})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(prefix, b"undone")
    producer.abort_transaction(10)
    producer.begin_transaction()
    producer.produce(prefix, b"done")
    producer.commit_transaction(10)
    assert _read(broker.bootstrap, prefix) == b"done"


def test_listens_on_loopback_only_and_makes_no_topic_by_itself(broker: EmbeddedBroker) -> None:
    resource = ConfigResource(ResourceType.BROKER, "1")
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    config = admin.describe_configs([resource])[resource].result(10)
    listeners = config["listeners"].value
    assert listeners is not None
    assert [listener.split("://")[1].split(":")[0] for listener in listeners.split(",")] == ["127.0.0.1"] * 2
    assert config["auto.create.topics.enable"].value == "false"
    assert config["offsets.topic.num.partitions"].value == "4"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedBroker, Path]]:
    """A broker that these tests may stop, on an awkward path."""
    data_dir = tmp_path_factory.mktemp("own") / "Données, my=data #1"
    running = EmbeddedBroker(data_dir, 0, print)
    yield running, data_dir
    running.stop()


def test_formats_once_and_restarts_on_the_same_data(own: tuple[EmbeddedBroker, Path]) -> None:
    running, data_dir = own
    running.start()
    _create(running.bootstrap, "kept")
    _send(running.bootstrap, "kept", b"still here")
    identity = (data_dir / "broker/data/meta.properties").read_bytes()
    assert running_bootstrap(data_dir) == running.bootstrap
    running.stop()
    assert running_bootstrap(data_dir) is None
    # Another free port: neither clients' nor controller's address may be tied to the data.
    running.start()
    assert (data_dir / "broker/data/meta.properties").read_bytes() == identity
    assert _read(running.bootstrap, "kept") == b"still here"


def test_a_second_owner_of_the_data_is_told_who_has_it(own: tuple[EmbeddedBroker, Path]) -> None:
    running, data_dir = own
    running.check()
    with pytest.raises(FolderError, match=r"in use by another copydesk \(process \d+\)"):
        EmbeddedBroker(data_dir, 0, print).start()
    running.check()


def test_a_port_where_kafka_listens_is_offered_for_use(broker: EmbeddedBroker, data_dir: Path) -> None:
    port = int(broker.bootstrap.split(":")[1])
    with pytest.raises(PortTakenError, match=f"--broker 127.0.0.1:{port}"):
        EmbeddedBroker(data_dir, port, print).start()
