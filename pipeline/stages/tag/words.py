"""The data files of this stage, and the two ways we cut text into words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent / "data"

# A possessive 's is left off, so that "France's" is France; punctuation is a token, so that no phrase spans it.
TOKEN = re.compile(r"[^\W\d_]\w*(?:[-'’](?![sS]\b)\w+)*|[^\w\s'’\-]|\n\n")


def rows(name: str) -> Iterator[list[str]]:
    """Tab-separated fields of each line of a data file; lines that begin with # are comments."""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def arrays(name: str) -> dict[str, Any]:
    """The arrays of one numpy file, by name."""
    with np.load(DATA / name, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


@cache
def words(name: str) -> frozenset[str]:
    """All space-separated words of a data file, which is read once a process."""
    return frozenset(word for row in rows(name) for word in row[0].split())


def alternatives(field: str) -> list[str]:
    """The names in one field, parted by `|`; an empty field has none."""
    return field.split("|") if field else []


def stopwords() -> dict[str, frozenset[str]]:
    """Small words by language code."""
    # Both apostrophes: the lists are written with the straight one.
    return {code: frozenset(f"{small} {small.replace(chr(39), '’')}".split()) for code, small in rows("stopwords.tsv")}
