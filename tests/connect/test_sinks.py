"""Our examples for Kafka Connect, run by Connect itself on a real stream: `make connect`.

Replaced are the address, the folders, and the connector's class: it is Kafka's own file sink, since neither JDBC nor
OpenSearch connector is on Maven Central. Converters, transforms and the reading of committed records are the examples'.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from confluent_kafka import Producer

from pipeline.broker import EmbeddedBroker
from tests.compose import free_ports
from tests.connect.connect import properties, standalone
from tests.prometheus import wait_for
from tests.rig import rig

COUNT = 30
MARK = "x_copydesk"
FILE_SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"


def abort(bootstrap: str, topic: str) -> None:
    """Leave a record on `topic` that was never committed."""
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"aborted-{topic}"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b'{"never": "committed"}', b"never")
    producer.flush(30)
    producer.abort_transaction(30)


@pytest.fixture(scope="module")
def written(broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], set[str]]:
    """What each sink was handed, as the file sink writes it, and the values that a committed reader sees."""
    folder, prefix = tmp_path_factory.mktemp("connect"), "connect"
    with rig(broker.bootstrap, prefix, folder, workers=1) as desk:
        made = desk.drop_articles(COUNT)
        desk.start("run")
        desk.wait_settled(len(made))
        assert desk.stop() == [0]
        abort(broker.bootstrap, f"{prefix}.enriched")
        values = {record.value.decode() for record in desk.topics().settled_on("enriched")}
    worker = properties("worker.properties")
    worker |= {
        "bootstrap.servers": broker.bootstrap,
        "offset.storage.file.filename": str(folder / "offsets"),
        "listeners": f"http://127.0.0.1:{free_ports(1)[0]}",
    }
    del worker["plugin.path"]  # the file sink is on the class path
    sinks = []
    for name in ("jdbc-sink", "opensearch-sink"):
        settings = properties(f"{name}.properties")
        settings = {key: value for key, value in settings.items() if not key.startswith("connection.")}
        sinks.append(
            settings | {"connector.class": FILE_SINK, "topics": f"{prefix}.enriched", "file": str(folder / name)}
        )
    with standalone(folder, worker, sinks) as process:
        files = [Path(sink["file"]) for sink in sinks]

        def whole() -> bool:
            assert process.poll() is None, (folder / "connect.log").read_text()
            return all(file.exists() and file.read_text().count(MARK) >= len(values) for file in files)

        wait_for(whole, f"the sinks to be handed {len(values)} records: {folder}", 120)
    return {file.name: file.read_text() for file in files}, values


def test_a_jdbc_sink_gets_one_field_that_is_the_record(written: tuple[dict[str, str], set[str]]) -> None:
    lines, values = written[0]["jdbc-sink"].splitlines(), written[1]
    assert all(line.startswith("Struct{document=") and line.endswith("}") for line in lines)
    assert {line.removeprefix("Struct{document=")[:-1] for line in lines} == values
    assert len(lines) == len(values)


def test_an_opensearch_sink_gets_the_object(written: tuple[dict[str, str], set[str]]) -> None:
    text, values = written[0]["opensearch-sink"], written[1]
    ids = {json.loads(value)["x_copydesk"]["id"] for value in values}
    # Java shows a map as {key=value}.
    assert text.count("x_copydesk={") == len(values)
    assert set(re.findall(r"\bid=([0-9a-f]{32})\b", text)) >= ids


def test_what_was_never_committed_is_not_seen(written: tuple[dict[str, str], set[str]]) -> None:
    assert not [name for name, text in written[0].items() if re.search(r"never\W+committed", text)]
