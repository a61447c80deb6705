"""From who shares what with whom to a decision on each article of a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.deduplicate.claims import Rows
from pipeline.stages.deduplicate.decisions import DECISION, DERIVED, EXACT, NEAR, NO_DECISIONS, REVISION, Decisions
from pipeline.stages.deduplicate.holders import EXACT as EXACT_LANE
from pipeline.stages.deduplicate.holders import REVISION as REVISION_LANE
from pipeline.stages.deduplicate.holders import Holders
from pipeline.stages.deduplicate.judge import Flags, relations
from pipeline.stages.deduplicate.slices import names
from pipeline.stages.deduplicate.table import Numbers, nonzero

_ADDRESS_BITS = 44
"""Of an address, so that a place in a batch fits in front of it: a million slices, half a million articles a batch."""

_LOOSE = np.dtype([(name, "V16" if size == 16 else kind) for name, kind, size in (
    (name, DECISION[name], DECISION[name].itemsize) for name in DECISION.names or ()
)])  # fmt: skip

Ids = NDArray[Any]


class Related(NamedTuple):
    """For each article of a batch, the earlier ones (addresses, -1: none) that matter, and how similar they are."""

    exact: Numbers
    revision: Numbers
    near: Numbers
    near_alike: Numbers
    derived: Numbers
    derived_alike: Numbers
    compared: int
    """How many pairs were held against each other."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the index says about articles that are in it, those of the batch included."""

    first: int
    """Address of the first article of the batch; the others follow it."""
    standing: Callable[[Numbers], NDArray[Any]]
    """Addresses → array of STANDING."""
    close: Callable[[Numbers, Ids], Flags]
    """Places in the batch, and the originals' ids: whether each is like that, as far as that is in the window."""


class _Stands(NamedTuple):
    root: bytes
    version_of: bytes
    version: int
    duplicate: bool


class _Made(NamedTuple):
    """A decision; see DECISION."""

    how: int
    of: bytes
    similarity: int
    number: int = 0
    version_of: bytes = bytes(16)
    version: int = 0

    def stands(self, own: bytes) -> _Stands:
        """What the article decided about, `own`, stands for from now on."""
        duplicate = self.how in (EXACT, NEAR)
        root = self.of if duplicate else own
        return _Stands(root, self.version_of if self.version else root, max(self.version - 1, self.number), duplicate)


def weigh(rows: Rows, holders: Holders, rows_at: Callable[[Numbers], Rows]) -> Related:
    """Compare each article of the batch with every earlier one that it shares a key with."""
    exact, revision = (
        _with_value(rows, holders, rows_at, lane, name)
        for lane, name in ((EXACT_LANE, "exact"), (REVISION_LANE, "revision"))
    )
    shingles = holders.lane < EXACT_LANE
    pairs = np.unique((holders.article[shingles] << _ADDRESS_BITS) | holders.holder[shingles])
    mine, theirs = pairs >> _ADDRESS_BITS, pairs & ((1 << _ADDRESS_BITS) - 1)
    near, derived, ratios = relations(rows.take(mine), rows_at(theirs))
    alike = np.rint(ratios * 1000).astype(np.int64)
    closest = [_closest(len(rows), mine[kind], theirs[kind], alike[kind]) for kind in (near, derived)]
    return Related(exact, revision, *closest[0], *closest[1], len(mine))


def _with_value(rows: Rows, holders: Holders, rows_at: Callable[[Numbers], Rows], lane: int, name: str) -> Numbers:
    at = nonzero(holders.lane == lane)
    article, holder = holders.article[at], holders.holder[at]
    true = rows[name][article] == rows_at(holder)[name]  # a table's key is but 40 bits of it
    found = np.full(len(rows), -1, dtype=np.int64)
    found[article[true]] = holder[true]
    return found


def _closest(count: int, mine: Numbers, theirs: Numbers, alike: Numbers) -> tuple[Numbers, Numbers]:
    """For each article the most similar one of its pairs, of equals the earliest."""
    order = np.lexsort((-theirs, alike))  # numpy leaves the last of several: the most similar
    holder, similarity = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.int64)
    holder[mine[order]], similarity[mine[order]] = theirs[order], alike[order]
    return holder, similarity


def decide(rows: Rows, related: Related, past: Past) -> tuple[Decisions, Numbers]:
    """Exact goes before revision, revision before near, near before derived. `row` counts within the batch.

    Second, for each decision the address of the article that it rests on.
    """
    columns = np.stack(_holders(related))
    held = nonzero(columns.max(axis=0) >= 0)
    if not held.size:
        return NO_DECISIONS, held
    columns = columns[:, held]
    batch = _Batch(rows, held, columns, related, past)
    found: list[tuple[bytes, bytes, bytes, int, int, int, int, int, int, int]] = []
    made_at: list[int] = []
    for place, at in enumerate(held.tolist()):
        made = batch.make(place, at)
        # A copy of its own copy is no copy: it was claimed before, longer ago than the window.
        if made.of != batch.called[at]:
            versions = (made.number, made.version)
            found.append((made.of, made.version_of, bytes(16), 0, at, *versions, made.similarity, made.how, 0))
            made_at.append(place)
    columns = columns[:, made_at]
    via = columns[(columns >= 0).argmax(axis=0), np.arange(len(made_at))]
    return np.array(found, dtype=_LOOSE).view(DECISION), via


class _Batch:
    """The articles of a batch, decided about in order, since each may rest on those before it."""

    def __init__(self, rows: Rows, held: Numbers, columns: Numbers, related: Related, past: Past) -> None:
        """`columns`: a row for each of `_holders`, what each of the articles `held` has there."""
        self.called: list[bytes] = names(rows["id"]).tolist()
        self._past = past
        self._alike = related.near_alike, related.derived_alike
        standing = _standing(columns.ravel(), past)
        self._columns = [
            (column.tolist(), standing[at * held.size : (at + 1) * held.size]) for at, column in enumerate(columns)
        ]
        self._ours: dict[int, _Stands] = {}
        self._close = _close(held, related, past, self._columns[2][1])

    def make(self, place: int, at: int) -> _Made:
        """Decide about the article `at`, which is the `place`-th of those that share anything with an earlier one."""
        exact, revision, near, derived = (self._stands(column, place) for column in self._columns)
        if exact:
            made = _exact(exact, revision)
        elif revision:
            made = _Made(REVISION, revision.version_of, 0, revision.version + 1)
        elif near:
            is_close = not near.duplicate or self._is_close(at, near.root)
            made = _Made(NEAR if is_close else DERIVED, near.root, int(self._alike[0][at]))
        elif derived:
            made = _Made(DERIVED, derived.root, int(self._alike[1][at]))
        if made.of != self.called[at]:
            self._ours[at] = made.stands(self.called[at])
        return made

    def _stands(self, column: tuple[list[int], list[_Stands | None]], place: int) -> _Stands | None:
        holder, before = column[0][place], column[1][place]
        at = holder - self._past.first
        if at < 0:
            return before
        return self._ours.get(at) or _Stands(self.called[at], self.called[at], 0, False)

    def _is_close(self, at: int, original: bytes) -> bool:
        if (at, original) not in self._close:
            self._close[at, original] = bool(self._past.close(np.array([at]), np.array([original], dtype="V16"))[0])
        return self._close[at, original]


def _holders(related: Related) -> tuple[Numbers, ...]:
    return related.exact, related.revision, related.near, related.derived


def _exact(exact: _Stands, revision: _Stands | None) -> _Made:
    if revision is None:
        return _Made(EXACT, exact.root, 1000)
    return _Made(EXACT, exact.root, 1000, 0, revision.version_of, revision.version + 1)


def _standing(holders: Numbers, past: Past) -> list[_Stands | None]:
    """What each holder stands for; None where there is none, or it is in the batch itself."""
    found: list[_Stands | None] = [None] * len(holders)
    known = nonzero((holders >= 0) & (holders < past.first))
    for at, standing in zip(known.tolist(), past.standing(holders[known]).tolist(), strict=True):
        found[at] = _Stands(*standing)
    return found


def _close(held: Numbers, related: Related, past: Past, known: list[_Stands | None]) -> dict[tuple[int, bytes], bool]:
    """Are near duplicates of duplicates like the originals, too? By article and original, asked in one go.

    `known` is what each of `held` is near to, where that was there before the batch. Where it is in the batch itself,
    its own original is foretold by the same chain; what is foretold wrong is asked again.
    """
    roots: dict[int, bytes] = {}
    asked: list[tuple[int, bytes]] = []
    for at, holder, stands in zip(held.tolist(), related.near[held].tolist(), known, strict=True):
        root = stands.root if stands else roots.get(holder - past.first)
        if root is not None:
            roots[at] = root
            if stands is None or stands.duplicate:
                asked.append((at, root))
    if not asked:
        return {}
    close = past.close(np.array([at for at, _ in asked]), np.array([root for _, root in asked], dtype="V16"))
    return dict(zip(asked, close.tolist(), strict=True))
