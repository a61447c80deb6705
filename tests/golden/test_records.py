"""What earlier versions wrote still fits the schemas and the client; what we write now does, too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from aiokafka import ConsumerRecord

from pipeline.client import _article, _dead_letter
from pipeline.inbox.ledger import Known
from pipeline.records import RawArticle, Rejected
from pipeline.stories.story import Story
from pipeline.topics import TOPICS

SCHEMAS = Path(__file__).parents[2] / "pipeline" / "schema"
RECORDS = Path(__file__).parent / "records"
OLD = [json.loads(line) for path in sorted(RECORDS.glob("*.jsonl")) for line in path.read_text().splitlines()]
ASYNCAPI = json.loads((SCHEMAS / "asyncapi.json").read_text())


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text())


def validator(name: str) -> Any:
    return jsonschema_rs.validator_for(schema(name), validate_formats=True)


def check(record: dict[str, Any]) -> list[str]:
    """What is wrong with a record by the schemas of its topic."""
    name = record["topic"].rpartition(".")[2]
    found = []
    if name in ("raw", "rejected"):
        found += validator(f"{name}-headers").iter_errors(record["headers"])
    if name in ("enriched", "duplicates"):
        found += validator("article").iter_errors(record["value"])
    if name == "files" and "/" in record["key"]:
        found += validator("file").iter_errors(record["value"])
    if name == "stories":
        found += validator("story").iter_errors(record["value"])
    return [f"{name}: {error}" for error in found]


def consumed(record: dict[str, Any]) -> ConsumerRecord[bytes, bytes]:
    value = record["value"]
    content = value.encode() if isinstance(value, str) else json.dumps(value).encode()
    headers = [(name, text.encode()) for name, text in record["headers"].items()]
    return ConsumerRecord(record["topic"], 0, 1, 2, 0, record["key"].encode(), content, None, 0, 0, headers)


@pytest.mark.parametrize("record", OLD, ids=[f"{one['topic']}-{number}" for number, one in enumerate(OLD)])
def test_a_record_of_an_earlier_version_is_still_valid(record: dict[str, Any]) -> None:
    assert check(record) == []


def test_every_topic_with_a_schema_has_old_records() -> None:
    assert {one["topic"] for one in OLD} == {f"articles.{topic.name}" for topic in TOPICS if topic.name != "claims"}


def test_the_client_reads_old_records() -> None:
    articles = [_article(consumed(one)) for one in OLD if one["topic"] in ("articles.enriched", "articles.duplicates")]
    assert all(one.id and one.headline and one.body and one.received for one in articles)
    ids = {one.id for one in articles}
    assert [one.duplicate_of in ids for one in articles if one.duplicate_of] == [True]
    assert any(one.revision_of for one in articles)
    letters = [_dead_letter(consumed(one)) for one in OLD if one["topic"] == "articles.rejected"]
    assert {one.reason for one in letters} == {"empty", "no-article"}
    assert letters[1].content.startswith(b"<!DOCTYPE html>")


def written() -> Iterator[dict[str, Any]]:
    """Headers and ledger records as the code makes them now."""
    raw = RawArticle("0" * 32, "a%20b.txt", 3, "text/plain", "2025-03-18T09:00:00Z", "0" * 64, b"", 2, single=False)
    dead = Rejected("k", b"", "too-large", "it is", "watch", "a.txt", 0)
    for name, headers in (("raw", raw.headers()), ("rejected", dead.headers())):
        yield {"topic": f"articles.{name}", "key": "", "headers": {key: text.decode() for key, text in headers}}
    value = json.loads(Known().to_json("2025-03-18T09:00:00Z"))
    yield {"topic": "articles.files", "key": "inbox/a.txt", "headers": {}, "value": value}
    article = next(one["value"] for one in OLD if one["topic"] == "articles.enriched")
    story = article["x_copydesk"]["story"] = article["x_copydesk"]["id"]
    value = json.loads(Story().plus(article).to_json(story))
    yield {"topic": "articles.stories", "key": story, "headers": {}, "value": value}


@pytest.mark.parametrize("record", list(written()), ids=lambda one: one["topic"])
def test_what_is_written_now_is_valid_and_described(record: dict[str, Any]) -> None:
    assert check(record) == []
    if record["headers"]:
        described = schema(f"{record['topic'].rpartition('.')[2]}-headers")["properties"]
        assert record["headers"].keys() <= described.keys()


def test_asyncapi_describes_every_topic_and_every_reference_leads_somewhere() -> None:
    channels = ASYNCAPI["channels"]
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert {name: one["address"] for name, one in channels.items()} == {t.name: f"articles.{t.name}" for t in TOPICS}
    for reference in references(ASYNCAPI):
        file, _, pointer = reference.partition("#")
        target: Any = json.loads((SCHEMAS / file).read_text()) if file else ASYNCAPI
        for part in filter(None, pointer.split("/")):
            target = target[part]
    for name in ("enriched", "duplicates"):
        example = next(one["value"] for one in OLD if one["topic"] == f"articles.{name}")
        pointer = ASYNCAPI["components"]["messages"][name]["payload"]["$ref"].partition("#")[2]
        alone = {"$schema": schema("article")["$schema"], "$defs": schema("article")["$defs"], "$ref": f"#{pointer}"}
        assert jsonschema_rs.is_valid(alone, example)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)
