"""The index behind the claim log: applied in log order, it comes to the same verdicts on every worker."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.records import ORIGINAL, Verdict
from pipeline.stages.deduplicate.claims import KEPT, Claims, Rows
from pipeline.stages.deduplicate.holders import EXACT, REVISION, Holders, by_slice, enter
from pipeline.stages.deduplicate.judge import near_original, relations
from pipeline.stages.deduplicate.slices import FULL, Slice
from pipeline.stages.deduplicate.table import NUMBER_BITS, NUMBER_MASK, Numbers

_ADDRESS_BITS = 44
"""Of an address, so that a place in a batch fits in front of it: a million slices, a million articles a batch."""

_SLICES_IN_WINDOW = 3
"""More slices free memory sooner, fewer are faster to ask: a third of the window is kept beyond it, at most."""


@dataclass(slots=True)
class _Held:
    """The holders (addresses) that matter for one article of a batch; -1: none."""

    exact: int = -1
    revision: int = -1
    near: int = -1
    similarity: float = 0.0
    derived: int = -1
    derived_similarity: float = 0.0


class Index:
    """Everything claimed within the window. Not thread-safe; applying is all that changes it."""

    def __init__(self, window_seconds: int) -> None:
        self.expired = 0
        """Articles that left with their slice so far."""
        self.compared = 0
        """Pairs of articles that were compared so far, since they share shingles."""
        self._window_ms = window_seconds * 1000
        self._now_ms = 0
        self._slices: list[Slice] = []
        self._serial = 0

    def __len__(self) -> int:
        return sum(map(len, self._slices))

    @property
    def memory_bytes(self) -> int:
        """Bytes that the index takes."""
        return sum(piece.nbytes for piece in self._slices)

    def apply(self, claims: Claims) -> list[Verdict]:
        """Apply the next record of the log. Returns one verdict for each of its articles, in order.

        The verdicts depend on the articles and times of all records so far and on their order, not on how the
        articles are split into records of the same time.
        """
        self._advance(claims.claimed_ms)
        ids = np.ascontiguousarray(claims.rows["id"])
        names = ids.view("V16").ravel().tolist()
        verdicts = self._claimed_before(ids, names)
        if not verdicts and len(set(names)) == len(names):
            return self._enter(claims.rows)  # as nearly always: nothing is claimed twice
        firsts = {name: at for at, name in reversed(list(enumerate(names))) if name not in verdicts}
        fresh = sorted(firsts.values())
        verdicts.update(zip((names[at] for at in fresh), self._enter(claims.rows[fresh]), strict=True))
        return [verdicts[name] for name in names]

    def _claimed_before(self, ids: NDArray[np.uint64], names: list[bytes]) -> dict[bytes, Verdict]:
        """The first verdicts of those articles that are in the index already."""
        found: dict[bytes, Verdict] = {}
        unknown = np.arange(len(ids))
        for piece in reversed(self._slices):
            numbers = piece.find_ids(ids[unknown])
            hits = np.flatnonzero(numbers >= 0)
            alive = hits[piece.times(numbers[hits]) >= self._horizon_ms]
            found.update((names[unknown[at]], piece.verdict(int(numbers[at]))) for at in alive)
            unknown = unknown[numbers < 0]
        return found

    def _enter(self, rows: Rows) -> list[Verdict]:
        """Judge and remember articles that are new."""
        if not len(rows):
            return []
        piece = self._slices[-1]
        first = piece.append(rows, self._now_ms)
        holders = enter(rows, first, self._slices, self._horizon_ms)
        verdicts = [ORIGINAL] * len(rows)
        for at, held in sorted(self._weigh(rows, holders).items()):
            verdicts[at] = self._decide(piece, first + at, held)
        return verdicts

    @property
    def _horizon_ms(self) -> int:
        """Articles from before this log time are out of the window."""
        return self._now_ms - self._window_ms

    def _weigh(self, rows: Rows, holders: Holders) -> dict[int, _Held]:
        """For each article of the batch that shares a key with an earlier one, whom it must be judged against."""
        found: defaultdict[int, _Held] = defaultdict(_Held)
        for lane, name in ((EXACT, "exact"), (REVISION, "revision")):
            at = np.flatnonzero(holders.lane == lane)
            article, holder = holders.article[at], holders.holder[at]
            true = rows[name][article] == self._rows(holder)[name]  # a table's key is but 40 bits of it
            for mine, theirs in zip(article[true].tolist(), holder[true].tolist(), strict=True):
                setattr(found[mine], name, theirs)
        shingles = holders.lane < EXACT
        pairs = np.unique((holders.article[shingles] << _ADDRESS_BITS) | holders.holder[shingles])
        self.compared += pairs.size
        mine, theirs = pairs >> _ADDRESS_BITS, pairs & ((1 << _ADDRESS_BITS) - 1)
        near, derived, ratios = relations(rows[mine], self._rows(theirs))
        for name, related in (("near", near), ("derived", derived)):
            similarity = "similarity" if name == "near" else "derived_similarity"
            close = zip(mine[related].tolist(), theirs[related].tolist(), ratios[related].tolist(), strict=True)
            # In order of address, so that of equals the earliest stays.
            for article, holder, ratio in close:
                if ratio > getattr(found[article], similarity):
                    setattr(found[article], name, holder)
                    setattr(found[article], similarity, ratio)
        return found

    def _decide(self, piece: Slice, number: int, held: _Held) -> Verdict:
        """Exact goes before revision, revision before near, near before derived."""
        if held.exact >= 0:
            verdict = self._duplicate(piece, number, held.exact, "exact", 1.0)
            if held.revision >= 0:
                piece.versions[number] = self._version(held.revision)
        elif held.revision >= 0:
            of, before = self._version(held.revision)
            verdict = Verdict("revision", of, number=before + 1)
        elif held.near >= 0 and self._near_original(piece, number, held.near):
            verdict = self._duplicate(piece, number, held.near, "near", held.similarity)
        elif held.near >= 0:
            verdict = Verdict("derived", self._root(held.near), similarity=held.similarity)
        elif held.derived >= 0:
            verdict = Verdict("derived", self._root(held.derived), similarity=held.derived_similarity)
        else:
            return ORIGINAL
        piece.verdicts[number] = verdict
        return verdict

    def _duplicate(
        self, piece: Slice, number: int, holder: int, method: Literal["exact", "near"], similarity: float
    ) -> Verdict:
        piece.roots[number] = self._slice(holder).roots.get(holder & NUMBER_MASK, holder)
        return Verdict("duplicate", self._root(holder), method, similarity)

    def _near_original(self, piece: Slice, number: int, holder: int) -> bool:
        """True where `holder` is no duplicate, or this article is not too far from what that is a duplicate of."""
        root = self._slice(holder).roots.get(holder & NUMBER_MASK, holder)
        if root == holder or root >> NUMBER_BITS < self._slices[0].serial:
            return True
        original = self._slice(root)
        at = np.array([root & NUMBER_MASK])
        if original.times(at)[0] < self._horizon_ms:
            return True
        return bool(near_original(piece.rows(np.array([number])), original.rows(at))[0])

    def _rows(self, addresses: Numbers) -> Rows:
        found = np.empty(len(addresses), dtype=KEPT)
        for at, numbers, piece in by_slice(self._slices, addresses):
            found[at] = piece.rows(numbers)
        return found

    def _root(self, holder: int) -> str:
        return self._slice(holder).root(holder & NUMBER_MASK)

    def _version(self, holder: int) -> tuple[str, int]:
        return self._slice(holder).version(holder & NUMBER_MASK)

    def _slice(self, holder: int) -> Slice:
        return self._slices[(holder >> NUMBER_BITS) - self._slices[0].serial]

    def _advance(self, claimed_ms: int) -> None:
        """Log time moves on, never back; what it leaves behind goes, and a slice for the present is there."""
        self._now_ms = max(self._now_ms, claimed_ms)
        while self._slices and self._slices[0].newest < self._horizon_ms:
            self.expired += len(self._slices.pop(0))
        period = self._now_ms * _SLICES_IN_WINDOW // self._window_ms
        if not self._slices or self._slices[-1].period != period or len(self._slices[-1]) >= FULL:
            self._slices.append(Slice(self._serial, period))
            self._serial += 1
