"""Holds a record against both schemas: ours in full and, less `x_copydesk`, the IPTC's. No network."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
import orjson

_BITS = 32


def faults(record: bytes) -> list[str]:
    """What is wrong with the bytes of an enriched or duplicate record; empty where both schemas pass."""
    whole = orjson.loads(record)
    strict = {key: value for key, value in whole.items() if key != "x_copydesk"}
    ours, iptc = _validators()
    return [
        f"{name} at /{'/'.join(map(str, error.instance_path))}: {error.message}"
        for name, validator, value in (("ours", ours, whole), ("IPTC", iptc, strict))
        for error in validator.iter_errors(value)
    ]


def is_sampled(article_id: str, ratio: float) -> bool:
    """Whether a record of this id is among the share that is checked: the same ones wherever and whenever."""
    return int(article_id[: _BITS // 4], 16) < ratio * (1 << _BITS)


def schema(name: str) -> dict[str, Any]:
    """The schema in `schema/NAME.schema.json`."""
    found: dict[str, Any] = orjson.loads((files("pipeline") / "schema" / f"{name}.schema.json").read_bytes())
    return found


@cache
def _validators() -> tuple[Any, Any]:
    point = schema("geojson-point")
    registry = jsonschema_rs.Registry([(point["$id"], point)])
    return (
        jsonschema_rs.validator_for(schema("article"), validate_formats=True),
        jsonschema_rs.validator_for(schema("ninjs-3.1"), validate_formats=True, registry=registry, offline=True),
    )
