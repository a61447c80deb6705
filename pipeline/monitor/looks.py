"""A record as somebody looks at it: as one JSON object a line, or taken apart for a card. Pure."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from pipeline.clock import rfc3339
from pipeline.monitor.printable import printable_json

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

# Topics whose values are JSON of ours; the values of the others are somebody's bytes.
JSON_TOPICS = frozenset({"enriched", "duplicates", "files", "stories"})


@dataclass(frozen=True, slots=True)
class Look:
    """One Kafka record. `name` is the topic's name without the prefix."""

    name: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()

    @classmethod
    def of(cls, name: str, record: ConsumerRecord) -> Look:
        """A record as the client reads it from the topic `name` (without the prefix)."""
        return cls(
            name,
            record.topic,
            record.partition,
            record.offset,
            record.timestamp,
            record.key,
            record.value,
            record.headers,
        )

    @property
    def header(self) -> dict[str, str]:
        """Headers as text; the last one of a name counts."""
        return {name: _text(found) for name, found in self.headers}

    @property
    def json(self) -> Any:
        """The value as JSON; None where it is none."""
        return parsed(self.value)


def parsed(value: bytes | None) -> Any:
    """The value as JSON; None where it is none."""
    try:
        return orjson.loads(value or b"null")
    except ValueError:
        return None


def json_line(look: Look) -> bytes:
    """The record as one line of JSON, without the newline, safe to show on a terminal."""
    return printable_json(
        orjson.dumps(
            {
                "topic": look.topic,
                "partition": look.partition,
                "offset": look.offset,
                "timestamp": rfc3339(datetime.fromtimestamp(look.timestamp_ms / 1000, UTC)),
                "key": None if look.key is None else _text(look.key),
                "headers": look.header,
                "value": _value(look),
            }
        )
    )


def _value(look: Look) -> Any:
    if look.value is None:
        return None
    if look.name in JSON_TOPICS:
        try:
            return orjson.loads(look.value)
        except ValueError:
            pass
    return bytes_as_json(look.value)


def bytes_as_json(content: bytes) -> str | dict[str, str]:
    """UTF-8 as a string, all else as `{"base64": …}`; either way every byte can be had back."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")
