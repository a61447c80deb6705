"""Holds a record against both schemas: ours in full and, less `x_copydesk`, the IPTC's. No network."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import orjson

HERE = Path(__file__).parent
OURS = json.loads((HERE.parents[2] / "pipeline/schema/article.schema.json").read_text())
IPTC = json.loads((HERE / "ninjs-schema_3.1.json").read_text())
POINT = json.loads((HERE / "point.schema.json").read_text())

_ours = jsonschema_rs.validator_for(OURS, validate_formats=True)
_iptc = jsonschema_rs.validator_for(
    IPTC, validate_formats=True, registry=jsonschema_rs.Registry([(POINT["$id"], POINT)]), offline=True
)


def faults(record: bytes) -> list[str]:
    """What is wrong with the bytes of an enriched or duplicate record; empty where both schemas pass."""
    whole = orjson.loads(record)
    strict = {key: value for key, value in whole.items() if key != "x_copydesk"}
    return [
        f"{name} at /{'/'.join(map(str, error.instance_path))}: {error.message}"
        for name, validator, value in (("ours", _ours, whole), ("IPTC", _iptc, strict))
        for error in validator.iter_errors(value)
    ]
