"""Reads the rules that are data, once: the only module here that opens files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def read_rules(name: str) -> tuple[tuple[str, str], ...]:
    """The two columns of `data/NAME`; lines that begin with `#` are for people."""
    text = (files("pipeline.stages.normalise") / "data" / name).read_text("utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return tuple((first, second) for first, _, second in (line.partition("\t") for line in lines))
