"""What was decided about articles that are no plain originals, as the claim log and the index keep it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.records import ORIGINAL, Verdict

_MADE = (
    lambda of, similarity, number: ORIGINAL,
    lambda of, similarity, number: Verdict("duplicate", of, "exact", similarity),
    lambda of, similarity, number: Verdict("duplicate", of, "near", similarity),
    lambda of, similarity, number: Verdict("revision", of, number=number),
    lambda of, similarity, number: Verdict("derived", of, similarity=similarity),
)
ORIGINAL_CODE, EXACT, NEAR, REVISION, DERIVED = range(5)
"""What an article is, in one byte."""

DECISION = np.dtype(
    [
        ("of", "<u8", (2,)),
        ("version_of", "<u8", (2,)),
        ("story", "<u8", (2,)),
        ("began", "<i8"),
        ("row", "<u4"),
        ("number", "<u4"),
        ("version", "<u4"),
        ("similarity", "<u2"),
        ("how", "u1"),
        ("again", "u1"),
    ]
)
"""72 bytes. `row`: which article of a record, or of a slice. `again`: it had been claimed before, and is no new entry.
`version_of` and `version` (one more than its number, 0: none) are the version in force, where an older text came back
under its revision key. `story`: id of the first article of the story that it belongs to; `began`: when that was
claimed, log time in milliseconds; 0: it begins one. `similarity` is in thousandths."""

Decisions = NDArray[Any]
"""Array of DECISION, in order of `row`."""

NO_DECISIONS: Decisions = np.empty(0, dtype=DECISION)


def verdict(decision: Any) -> Verdict:
    """One row of DECISION in words."""
    made = _MADE[decision["how"]](
        decision["of"].tobytes().hex(), int(decision["similarity"]) / 1000, int(decision["number"])
    )
    return replace(made, story=decision["story"].tobytes().hex()) if decision["began"] else made


def verdicts(decisions: Decisions, count: int) -> list[Verdict]:
    """The verdicts on all `count` articles of a record: what is not in `decisions` is an original."""
    found = [ORIGINAL] * count
    for decision in decisions:
        found[int(decision["row"])] = verdict(decision)
    return found


def find(decisions: Decisions, rows: NDArray[np.integer[Any]]) -> tuple[NDArray[np.intp], Decisions]:
    """Which of `rows` (places) there is a decision on, and that: the others are plain originals."""
    decided = decisions["row"]
    at = np.searchsorted(decided, rows)
    known = np.flatnonzero(at < len(decided))
    known = known[decided[at[known]] == rows[known]]
    return known, decisions[at[known]]


def split(decisions: Decisions, lengths: list[int]) -> list[Decisions]:
    """Decisions on several records that were judged as one, record by record."""
    ends = np.cumsum(lengths)
    cuts = np.searchsorted(decisions["row"], ends[:-1])
    parts = np.split(decisions, cuts)
    for part, end, length in zip(parts, ends, lengths, strict=True):
        part["row"] -= np.uint32(end - length)
    return parts


def joined(parts: list[Decisions], lengths: list[int]) -> Decisions:
    """The inverse of `split`."""
    every: Decisions = np.concatenate(parts)
    every["row"] += np.repeat(np.cumsum(lengths) - lengths, [len(part) for part in parts]).astype(np.uint32)
    return every
