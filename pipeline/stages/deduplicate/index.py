"""The index behind the claim log: given the log's records in order, it comes to the same verdicts on every worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Verdict
from pipeline.stages.deduplicate.claims import KEPT, Claims, Rows, Settled
from pipeline.stages.deduplicate.decisions import DECISION, NO_DECISIONS, Decisions, find, joined, split, verdicts
from pipeline.stages.deduplicate.holders import address, enter, enter_unasked, gathered
from pipeline.stages.deduplicate.joining import Batch, join, own_stories
from pipeline.stages.deduplicate.joining import enter as enter_stories
from pipeline.stages.deduplicate.judge import Flags, near_original
from pipeline.stages.deduplicate.judge import series as of_one_series
from pipeline.stages.deduplicate.slices import FULL, STANDING, Slice, names
from pipeline.stages.deduplicate.stories import PLACED, Placed, Stories
from pipeline.stages.deduplicate.table import Numbers, nonzero
from pipeline.stages.deduplicate.weigh import Past, decide, weigh

_SLICES_IN_WINDOW = 3
"""More slices free memory sooner, fewer are faster to ask: a third of the window is kept beyond it, at most."""
STORY_WINDOW_SECONDS = 259_200
"""Three days: as the `story_window_seconds` setting, unless told otherwise."""


class Moments(NamedTuple):
    """For each article of a batch, log times in milliseconds."""

    times: Numbers
    horizons: Numbers
    """What was claimed before is out of its window."""
    since: Numbers
    """What was claimed before is out of its story window."""


class Index:
    """Everything claimed within the window. Not thread-safe; applying is all that changes it."""

    def __init__(self, window_seconds: int, story_window_seconds: int = STORY_WINDOW_SECONDS) -> None:
        self.expired = 0
        """Articles that left with their slice so far."""
        self.compared = 0
        """Pairs held against each other so far, since they share a key."""
        self.now_ms = 0
        """Log time: the latest moment at which anything was claimed."""
        self.horizon_ms = 0
        """What was claimed before this log time is out of the window. It never goes back: with windows of different
        lengths the shortest counts."""
        self._window_ms = window_seconds * 1000
        self._story_window_ms = story_window_seconds * 1000
        self._stories = Stories()
        self._slices: list[Slice] = []
        self._serial = 0

    def __len__(self) -> int:
        return sum(map(len, self._slices))

    @property
    def memory_bytes(self) -> int:
        """Bytes that the index takes."""
        return sum(piece.nbytes for piece in self._slices) + self.story_bytes

    @property
    def story_bytes(self) -> int:
        """How many of them it takes to know stories."""
        return self._stories.nbytes

    def apply(self, claims: Claims) -> list[Verdict]:
        """Apply the next record of the log. Returns one verdict for each of its articles, in order."""
        return verdicts(self.judge([(0, claims)])[0].decisions, len(claims))

    def judge(self, records: Sequence[tuple[int, Claims]]) -> list[Settled]:
        """Apply the next records of the log, each with its offset. Returns what was decided about each.

        That depends on the articles and times of all records so far and on their order, not on how the articles are
        split into records of the same time, nor on how many records are judged in one call.
        """
        done: list[Settled] = []
        run: list[tuple[Settled, Claims]] = []
        for offset, claims in records:
            timed = self.timed(offset, claims)
            self.pass_over(timed.now_ms, timed.horizon_ms)
            if run and (self._begins(timed.now_ms) or timed.horizon_ms > run[0][0].now_ms):
                done += self._judge_run(run)
                run = []
            run.append((timed, claims))
        return done + self._judge_run(run)

    def enter(self, records: Sequence[tuple[Settled, Claims]]) -> None:
        """Apply the next records of the log as somebody has judged them already."""
        run: list[tuple[Settled, Claims]] = []
        for settled, claims in records:
            self.pass_over(settled.now_ms, settled.horizon_ms)
            if run and self._begins(settled.now_ms):
                self._enter_run(run)
                run = []
            run.append((settled, claims))
        self._enter_run(run)

    def pass_over(self, now_ms: int, horizon_ms: int) -> None:
        """Log time moves on, never back, without an article."""
        self.now_ms, self.horizon_ms = max(self.now_ms, now_ms), max(self.horizon_ms, horizon_ms)

    def timed(self, offset: int, claims: Claims) -> Settled:
        """The record's log time and horizon if it came next, without a decision."""
        now_ms = max(self.now_ms, claims.claimed_ms)
        horizon_ms = max(self.horizon_ms, now_ms - (claims.window_ms or self._window_ms))
        return Settled(offset, now_ms, horizon_ms, len(claims), NO_DECISIONS)

    def _judge_run(self, run: Sequence[tuple[Settled, Claims]]) -> list[Settled]:
        """Judge records that all lie in the newest slice and within a window."""
        if not run:
            return []
        self._make_room(run[0][0])
        lengths = [len(claims) for _, claims in run]
        rows = _joined_rows([claims.rows for _, claims in run])
        times = np.repeat([timed.now_ms for timed, _ in run], lengths)
        horizons = np.repeat([timed.horizon_ms for timed, _ in run], lengths)
        windows = np.repeat([claims.story_window_ms or self._story_window_ms for _, claims in run], lengths)
        decisions = split(self._judge(rows, Moments(times, horizons, np.maximum(times - windows, horizons))), lengths)
        return [replace(timed, decisions=part) for (timed, _), part in zip(run, decisions, strict=True)]

    def _judge(self, rows: Rows, moments: Moments) -> Decisions:
        called = names(rows["id"]).tolist()
        before, old = self._claimed_before(rows["id"], moments.horizons)
        if not before.size and len(set(called)) == len(called):
            return self._judge_new(rows, moments)  # as nearly always: nothing is claimed twice
        known = np.zeros(len(rows), dtype=np.bool_)
        known[before] = True
        firsts: dict[bytes, int] = {}
        for at in nonzero(~known).tolist():
            firsts.setdefault(called[at], at)
        fresh = np.array(list(firsts.values()), dtype=np.intp)
        new = self._judge_new(rows[fresh], Moments(*(column[fresh] for column in moments)))
        new["row"] = fresh[new["row"]]
        known[fresh] = True
        twice = nonzero(~known)
        again = _at_rows(new, np.array([firsts[called[at]] for at in twice.tolist()], dtype=np.uint32))
        again["row"], again["again"] = twice, 1
        every = np.concatenate([old, new, again])
        return every[np.argsort(every["row"], kind="stable")]

    def _claimed_before(self, ids: NDArray[np.uint64], horizons: Numbers) -> tuple[Numbers, Decisions]:
        """Which of these articles are in the index already, and the first decision on each of them."""
        places, found = [np.empty(0, dtype=np.int64)], [NO_DECISIONS]
        for at, numbers, piece in self._living(ids, horizons, np.full(len(ids), address(self._serial, 0))):
            decisions = np.zeros(len(at), dtype=DECISION)
            known, decided = piece.decisions(numbers)
            decisions[known] = decided
            decisions["row"], decisions["again"] = at, 1
            places.append(at)
            found.append(decisions)
        return np.concatenate(places), np.concatenate(found)

    def _judge_new(self, rows: Rows, moments: Moments) -> Decisions:
        """Judge and remember articles that are new."""
        if not len(rows):
            return NO_DECISIONS
        piece = self._slices[-1]
        times, horizons, since = moments
        first = piece.append(rows, times)
        related = weigh(rows, enter(rows, first, self._slices, horizons), self._rows)
        self.compared += related.compared
        ours = address(piece.serial, first)

        def close(places: Numbers, originals: NDArray[Any]) -> Flags:
            return self._close(rows.take(places), originals, horizons[places], ours + places)

        decisions, via = decide(rows, related, Past(ours, self._standing, close))
        given = self._placed(np.where(via < ours, via, -1))
        own = own_stories(rows["id"], times)

        def series(places: Numbers, addresses: Numbers) -> Flags:
            return of_one_series(rows.take(places), self._rows(addresses))

        links = decisions, via - ours, given
        batch = Batch(own, rows["terms"], times, horizons, since, *links, ours, self._placed, series)
        decisions = join(self._stories, batch)
        kept = decisions.copy()
        kept["row"] += np.uint32(first)
        piece.decide(kept)
        return decisions

    def _enter_run(self, run: Sequence[tuple[Settled, Claims]]) -> None:
        if not run:
            return
        self._make_room(run[0][0])
        lengths = [len(claims) for _, claims in run]
        rows = _joined_rows([claims.rows for _, claims in run])
        times = np.repeat([settled.now_ms for settled, _ in run], lengths)
        decisions = joined([settled.decisions for settled, _ in run], lengths)
        again = decisions["again"] > 0
        if again.any():
            kept = np.ones(len(rows), dtype=np.bool_)
            kept[decisions["row"][again]] = False
            decisions = decisions[~again]
            decisions["row"] = (np.cumsum(kept) - 1)[decisions["row"]]
            rows, times = rows[kept], times[kept]
        piece = self._slices[-1]
        first = piece.append(rows, times)
        enter_unasked(rows, first, piece)
        enter_stories(
            self._stories, own_stories(rows["id"], times), rows, times, decisions, address(piece.serial, first)
        )
        decisions["row"] += np.uint32(first)
        piece.decide(decisions)

    def _close(self, rows: Rows, originals: NDArray[Any], horizons: Numbers, places: Numbers) -> Flags:
        """Whether near duplicates of duplicates are like the original too, as far as that is in the window."""
        close = np.ones(len(rows), dtype=np.bool_)
        ids = originals.view(np.uint64).reshape(-1, 2)
        for at, numbers, piece in self._living(ids, horizons, places):
            close[at] = near_original(rows.take(at), piece.rows(numbers))
        return close

    def _living(
        self, ids: NDArray[np.uint64], horizons: Numbers, before: Numbers
    ) -> Iterator[tuple[NDArray[np.intp], Numbers, Slice]]:
        """Slice by slice: which of `ids` (places) are in it and in their window, and their numbers there.

        Those from the address `before` on do not count: an id may come again later in the same batch.
        """
        unknown = np.arange(len(ids))
        for piece in reversed(self._slices):
            numbers = piece.find_ids(ids[unknown])
            found = (numbers >= 0) & (address(piece.serial, numbers) < before[unknown])
            hits = nonzero(found)
            alive = hits[piece.times(numbers[hits]) >= horizons[unknown[hits]]]
            if alive.size:
                yield unknown[alive], numbers[alive], piece
            unknown = unknown[~found]

    def _standing(self, addresses: Numbers) -> NDArray[Any]:
        return gathered(self._slices, addresses, STANDING, Slice.standing)

    def _placed(self, addresses: Numbers) -> Placed:
        return gathered(self._slices, addresses, PLACED, Slice.placed)

    def _rows(self, addresses: Numbers) -> Rows:
        return gathered(self._slices, addresses, KEPT, Slice.rows)

    def _period(self, now_ms: int) -> int:
        return now_ms * _SLICES_IN_WINDOW // self._window_ms

    def _begins(self, now_ms: int) -> bool:
        """Whether an article of this log time begins a slice."""
        return not self._slices or self._slices[-1].period != self._period(now_ms)

    def _make_room(self, first: Settled) -> None:
        """Before a run: what its first record leaves behind goes, and a slice for the run is there."""
        while self._slices and self._slices[0].newest < first.horizon_ms:
            self.expired += len(self._slices.pop(0))
        self._stories.forget(first.horizon_ms)
        if self._begins(first.now_ms) or len(self._slices[-1]) >= FULL:
            before = self._slices[-1] if self._slices else None
            self._slices.append(Slice(self._serial, self._period(first.now_ms), before))
            self._serial += 1


def _at_rows(decisions: Decisions, rows: NDArray[np.uint32]) -> Decisions:
    """The decisions on these rows; zeros for originals."""
    found = np.zeros(len(rows), dtype=DECISION)
    at, decided = find(np.ascontiguousarray(decisions["row"]), decisions, rows)
    found[at] = decided
    return found


def _joined_rows(parts: Sequence[Rows]) -> Rows:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
