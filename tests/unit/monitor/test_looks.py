import base64
import json
from typing import Any

import pytest

from pipeline.monitor.looks import Look, json_line


def look(
    name: str, value: bytes | None, key: bytes | None = b"k", headers: list[tuple[str, bytes]] | None = None
) -> Look:
    return Look(name, f"articles.{name}", 2, 17, 1_742_307_725_120, key, value, headers or [])


def as_json(found: Look) -> dict[str, Any]:
    line = json_line(found)
    assert b"\n" not in line
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def test_a_line_has_exactly_the_keys_of_the_contract() -> None:
    found = as_json(look("enriched", b'{"uri": "urn:x",\n "n": [1, 2.5]}', headers=[("source", b"a/b.txt")]))
    assert found == {
        "topic": "articles.enriched",
        "partition": 2,
        "offset": 17,
        "timestamp": "2025-03-18T14:22:05.120Z",
        "key": "k",
        "headers": {"source": "a/b.txt"},
        "value": {"uri": "urn:x", "n": [1, 2.5]},
    }


@pytest.mark.parametrize("name", ["raw", "rejected"])
def test_raw_bytes_are_a_string_where_they_are_utf8_even_if_they_are_json(name: str) -> None:
    assert as_json(look(name, b'{"title": "caf\xc3\xa9"}'))["value"] == '{"title": "café"}'


@pytest.mark.parametrize("name", ["raw", "rejected", "enriched"])
def test_other_bytes_are_base64(name: str) -> None:
    content = b"\xff\xfe\x00 binary"
    assert as_json(look(name, content))["value"] == {"base64": base64.b64encode(content).decode()}


def test_what_is_missing_is_null() -> None:
    found = as_json(look("files", None, key=None))
    assert found["value"] is None
    assert found["key"] is None


def test_odd_headers_and_keys_are_still_strings() -> None:
    found = as_json(look("rejected", b"", key=b"\xff", headers=[("error", b"\xff"), ("a", b"1"), ("a", b"2")]))
    assert found["key"] == "\\xff"
    assert found["headers"] == {"error": "\\xff", "a": "2"}
