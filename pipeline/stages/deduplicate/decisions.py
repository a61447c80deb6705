"""What was decided about articles that are no plain originals, as the claim log and the index keep it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.records import ORIGINAL, Verdict
from pipeline.stages.deduplicate.table import nonzero

_NAME = 32
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


def verdicts(decisions: Decisions, count: int) -> list[Verdict]:
    """The verdicts on all `count` articles of a record: what is not in `decisions` is an original."""
    found = [ORIGINAL] * count
    fields = (decisions[name].tolist() for name in ("row", "how", "similarity", "number", "began"))
    rows = zip(*fields, _names(decisions["of"]), _names(decisions["story"]), strict=True)
    for row, how, similarity, number, began, of, story in rows:
        found[row] = _verdict(how, of, similarity / 1000, number, story if began else "")
    return found


def _verdict(how: int, of: str, similarity: float, number: int, story: str) -> Verdict:
    if how == ORIGINAL_CODE:
        return Verdict("original", story=story) if story else ORIGINAL
    if how == REVISION:
        return Verdict("revision", of, number=number, story=story)
    if how == DERIVED:
        return Verdict("derived", of, similarity=similarity, story=story)
    return Verdict("duplicate", of, "exact" if how == EXACT else "near", similarity, story=story)


def _names(ids: NDArray[np.uint64]) -> list[str]:
    """Ids as everybody else writes them."""
    every = ids.tobytes().hex()
    return [every[at : at + _NAME] for at in range(0, len(every), _NAME)]


def find(
    decided: NDArray[np.uint32], decisions: Decisions, rows: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.intp], Decisions]:
    """Which of `rows` (places) there is a decision on, and that: the others are plain originals.

    `decided`: the rows of `decisions`, side by side. Numpy would copy all of them to search in a column, or in whole
    numbers of another size than those sought.
    """
    at = np.searchsorted(decided, rows.astype(decided.dtype))
    known = nonzero(at < len(decided))
    known = known[decided[at[known]] == rows[known]]
    return known, decisions.take(at[known])


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
