from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import ClaimLogError
from pipeline.records import ORIGINAL, Verdict
from pipeline.stages.deduplicate import Claims, Fingerprint, Replica, decode_claims, encode_claims
from pipeline.stages.deduplicate.claims import Basis, Settled
from pipeline.stages.deduplicate.decisions import verdicts
from tests.unit.stages.deduplicate.test_index import HOUR, START_MS, claim

A, B, C, D = (claim(number) for number in range(1, 5))
COPY = [claim(number, exact=1) for number in range(11, 16)]
"""Articles that say the same as A."""


class Log:
    """Records as workers append them, an hour being the window."""

    def __init__(self) -> None:
        self.records: list[tuple[int, Claims]] = []

    def append(self, basis: Basis, *claims: Fingerprint, hours: float = 0) -> None:
        value = encode_claims(claims, START_MS + int(hours * 3_600_000), HOUR, basis)
        self.records.append((len(self.records), decode_claims(value)))

    def written_by(self, worker: Replica, *claims: Fingerprint, hours: float = 0) -> list[Verdict]:
        self.append(worker.basis, *claims, hours=hours)
        return told(worker.read(self.records[-1:], more=False))


def told(settled: list[Settled]) -> list[Verdict]:
    return [verdict for done in settled for verdict in verdicts(done.decisions, done.count)]


def chain() -> tuple[Log, Replica]:
    """A, and copies of it that keep it known for longer than the window."""
    log, worker = Log(), Replica(HOUR)
    for number, hours in enumerate((0, 0.9, 1.8, 2.7)):
        log.written_by(worker, COPY[number - 1] if number else A, claim(20 + number), hours=hours)
    return log, worker


def copy_of(original: Fingerprint) -> Verdict:
    return Verdict("duplicate", original.id, "exact", 1.0, story=original.id)


def test_whoever_starts_in_the_middle_names_the_original_that_is_gone() -> None:
    log, worker = chain()
    started = Replica(HOUR, first=1)
    assert told(started.read(log.records[1:], more=False)) == [copy_of(A), ORIGINAL] * 3
    assert log.written_by(worker, COPY[4], hours=3.5) == [copy_of(A)]
    assert told(started.read(log.records[-1:], more=False)) == [copy_of(A)]


def test_an_index_alone_would_not_know() -> None:
    log, _ = chain()
    begun = Replica(HOUR)
    assert told(begun.index.judge(log.records[1:2]))[0] == ORIGINAL


def test_one_that_nobody_settled_waits_while_there_is_more_to_read() -> None:
    log, _ = chain()
    started = Replica(HOUR, first=1)
    assert started.read(log.records[1:2], more=True) == []
    assert told(started.read(log.records[2:3], more=True)) == [copy_of(A), ORIGINAL]
    assert told(started.read(log.records[3:], more=False)) == [copy_of(A), ORIGINAL] * 2


def test_one_that_nobody_settled_is_judged_from_a_whole_window() -> None:
    log, _ = chain()
    cut_ms = START_MS + 1
    started = Replica(HOUR, first=1, cut_ms=cut_ms)
    started.read(log.records[1:], more=False)
    assert [settled.offset for settled in started.basis.settled] == [3]
    assert told([*started.basis.settled]) == [copy_of(A), ORIGINAL]


def test_one_that_nobody_settled_and_nobody_can_judge_is_refused_when_it_matters() -> None:
    log, _ = chain()
    started = Replica(HOUR, first=3, cut_ms=START_MS + 2 * 3_600_000)
    assert started.read(log.records[3:], more=False) == []
    log.append(started.basis, D, hours=3)
    with pytest.raises(ClaimLogError, match="record at offset 3 cannot be judged: nobody did"):
        started.read(log.records[4:], more=False)


def test_after_another_window_it_does_not_matter() -> None:
    log, _ = chain()
    started = Replica(HOUR, first=3, cut_ms=START_MS + 2 * 3_600_000)
    started.read(log.records[3:], more=False)
    assert log.written_by(started, COPY[4], hours=3.8) == [ORIGINAL]


def test_a_redo_of_what_is_gone_lives_no_longer_than_its_first_claim() -> None:
    log, worker = Log(), Replica(HOUR)
    log.written_by(worker, A)
    log.written_by(worker, A, B, hours=0.9)
    log.written_by(worker, C, hours=0.95)
    started = Replica(HOUR, first=1, cut_ms=START_MS)
    started.read(log.records[1:], more=False)
    assert log.written_by(worker, COPY[0], hours=1.5) == [ORIGINAL]
    assert told(started.read(log.records[-1:], more=False))[-1:] == [ORIGINAL]


def test_the_shortest_window_of_all_workers_counts() -> None:
    log, worker = Log(), Replica(HOUR)
    log.written_by(worker, A)
    value = encode_claims([B], START_MS + 1_000_000, HOUR // 4, worker.basis)
    worker.read([(1, decode_claims(value))], more=False)
    log.records.append((1, decode_claims(value)))
    assert log.written_by(worker, COPY[0], hours=0.3) == [ORIGINAL]


def test_records_missing_are_named() -> None:
    log, _ = chain()
    with pytest.raises(ClaimLogError, match="records from offset 1 to 1 are missing"):
        Replica(HOUR).read([log.records[0], log.records[2]], more=False)


def test_workers_that_judge_otherwise_are_told() -> None:
    log, worker = Log(), Replica(HOUR)
    log.written_by(worker, A, COPY[0])
    (ours,) = worker.basis.settled
    log.append(replace(worker.basis, settled=(replace(ours, decisions=ours.decisions[:0]),)), B)
    with pytest.raises(ClaimLogError, match="offset 1 says of the one at 0 what this worker judged otherwise"):
        worker.read(log.records[1:], more=False)


def test_a_copy_of_its_own_copy_is_an_original() -> None:
    log, worker = Log(), Replica(HOUR)
    log.written_by(worker, A)
    assert log.written_by(worker, COPY[0], hours=0.9) == [copy_of(A)]
    assert log.written_by(worker, A, hours=1.5) == [ORIGINAL]
