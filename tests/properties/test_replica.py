"""Workers that start anywhere and stop at any time judge alike, and as one does that read all of the log."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.records import Verdict
from pipeline.stages.deduplicate import Claims, Fingerprint, Replica, decode_claims, encode_claims
from pipeline.stages.deduplicate.claims import Settled
from pipeline.stages.deduplicate.decisions import verdicts
from pipeline.topics import HOUR_MS, claims_kept_ms
from tests.properties.test_deduplicate import STORY_WINDOW_SECONDS, fresh, some_log

WINDOW_SECONDS = 100
_APART_MS = 20_000
"""What clocks of workers are apart and a worker is behind, together: an hour in earnest."""
KEPT_MS = claims_kept_ms(WINDOW_SECONDS) - HOUR_MS + _APART_MS


@dataclass
class Log:
    """The topic: records, and how many of them retention has taken from its front."""

    values: list[bytes] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    begins: int = 0

    def append(self, value: bytes, claimed_ms: int) -> None:
        self.values.append(value)
        self.times.append(claimed_ms)

    def cut(self, now_ms: int, dice: random.Random) -> None:
        """Kafka deletes whole segments, any length of records whose latest time is longer ago than retention."""
        last = self.begins
        while last < len(self.times) and self.times[last] < now_ms - KEPT_MS:
            last += 1
        self.begins = dice.choice([self.begins, dice.randint(self.begins, last), last])

    def records(self, start: int, end: int) -> list[tuple[int, Claims]]:
        return [(offset, decode_claims(self.values[offset])) for offset in range(start, end)]


class Worker:
    """Reads in chunks, lags behind, and is asked for claims on what it has read."""

    def __init__(self, log: Log, dice: random.Random) -> None:
        self._log, self._dice = log, dice
        self.at, cut_ms = self._start()
        self.replica = Replica(WINDOW_SECONDS, self.at, cut_ms)
        self.found: dict[int, Settled] = {}
        self.read(len(log.values))

    def _start(self) -> tuple[int, int | None]:
        """From the beginning, or from the last record's horizon as the claim log does."""
        log = self._log
        if log.begins == len(log.values) or self._dice.random() < 0.5:
            return log.begins, None
        horizon_ms = decode_claims(log.values[-1]).basis.horizon_ms - _APART_MS
        since = (at for at in range(log.begins, len(log.times)) if log.times[at] >= horizon_ms)
        first = next(since, log.begins)
        return first, horizon_ms if first > log.begins else None

    def read(self, end: int) -> None:
        while self.at < end:
            upto = min(end, self.at + self._dice.choice([1, 2, 5, 40]))
            records, self.at = self._log.records(self.at, upto), upto
            self.found.update((done.offset, done) for done in self.replica.read(records, more=upto < end))

    def claim(self, some: list[Fingerprint], claimed_ms: int) -> bytes:
        return encode_claims(some, claimed_ms, WINDOW_SECONDS, self.replica.basis, STORY_WINDOW_SECONDS)


def batches(dice: random.Random, length: int) -> Iterator[tuple[list[Fingerprint], int]]:
    batch: list[Fingerprint] = []
    log = some_log(dice, length)
    for place, (claim, claimed_ms) in enumerate(log):
        batch.append(claim)
        if place + 1 == len(log) or log[place + 1][1] != claimed_ms or dice.random() < 0.5:
            yield batch, claimed_ms
            batch = []


class World:
    """Workers on one log that retention cuts; beside them `truth`, which has read all of it."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.log, self.truth = Log(), fresh()
        self.workers = [Worker(self.log, dice)]
        self.expected: list[list[Verdict]] = []
        self.published: set[str] = set()

    def disturb(self, now_ms: int) -> None:
        dice = self._dice
        self.log.cut(now_ms, dice)
        if dice.random() < 0.2:
            self.workers.append(Worker(self.log, dice))
        if len(self.workers) > 1 and dice.random() < 0.3:
            self.workers.pop(dice.randrange(len(self.workers)))
        if dice.random() < 0.1:
            self.workers = [Worker(self.log, dice)]  # all of them at once

    def claim(self, batch: list[Fingerprint], now_ms: int) -> None:
        claimant = self._dice.choice(self.workers)
        late = [at for at, time in enumerate(self.log.times) if time < now_ms - _APART_MS // 2]
        claimant.read(max(late, default=-1) + 1)
        value = claimant.claim(batch, now_ms)
        self.log.append(value, now_ms)
        judged = self.truth.apply(decode_claims(value))
        self.expected.append(judged)
        for claim, verdict in zip(batch, judged, strict=True):
            assert verdict.of is None or verdict.of in self.published
            if verdict.kind != "duplicate":
                self.published.add(claim.id)
        for worker in self.workers:
            if self._dice.random() < 0.7:
                worker.read(len(self.log.values))

    def agree(self) -> None:
        for worker in [*self.workers, Worker(self.log, self._dice)]:
            worker.read(len(self.log.values))
            for offset, done in worker.found.items():
                assert verdicts(done.decisions, done.count) == self.expected[offset]


@settings(deadline=None, max_examples=60)  # the machine may be busy; speed has a benchmark of its own
@given(seed=st.integers(0, 2**32), length=st.integers(1, 120))
@example(10621600, 111)  # an article claimed again after the window, derived from what is derived from itself
def test_workers_started_at_any_time_on_a_log_cut_anywhere_judge_alike(seed: int, length: int) -> None:
    dice = random.Random(seed)
    world, jump = World(dice), 0
    for batch, claimed_ms in batches(dice, length):
        jump += dice.choice([0] * 12 + [70_000, 150_000, 260_000])  # now and then nothing comes in for a while
        world.disturb(claimed_ms + jump)
        world.claim(batch, claimed_ms + jump)
    world.agree()
