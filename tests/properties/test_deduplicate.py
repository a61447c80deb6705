"""The index against a slow, obviously right one, over random logs with duplicates, redos, revisions and clock moves."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ClaimLogError
from pipeline.records import ORIGINAL, Verdict
from pipeline.stages.deduplicate import Fingerprint, Index, decode_claims, encode_claims
from pipeline.stages.deduplicate.fingerprint import NO_SIGNATURE

WINDOW_SECONDS = 100


def agreement(left: Fingerprint, right: Fingerprint) -> float:
    same = sum(a == b for a, b in zip(left.signature, right.signature, strict=True)) / 128
    return round(max(0.0, (same - 1 / 256) / (1 - 1 / 256)), 3)


def alike(left: Fingerprint, right: Fingerprint) -> bool:
    shortness = min(1.0, max(0.0, (100 - min(left.tokens, right.tokens)) / (100 - 16)))
    figures = [f.figures.bit_count() for f in (left, right)]
    shared, either = (left.figures & right.figures).bit_count(), (left.figures | right.figures).bit_count()
    other_facts = min(figures) >= 4 and shared < 0.34 * either
    return agreement(left, right) >= 0.5 + 0.35 * shortness and not other_facts


def keys(claim: Fingerprint) -> list[tuple[str, int, bytes]]:
    bands = [("band", at, claim.signature[at : at + 4]) for at in range(0, 128, 4)]
    found = bands if claim.signature != NO_SIGNATURE else []
    if claim.exact:
        found = [*found, ("exact", 0, claim.exact.to_bytes(8))]
    if claim.revision:
        found = [*found, ("revision", 0, claim.revision.to_bytes(8))]
    return found


@dataclass
class Entry:
    order: int
    claim: Fingerprint
    time: int
    verdict: Verdict = ORIGINAL
    version: tuple[str, int] = ("", 0)

    @property
    def root(self) -> str:
        return self.verdict.of or "" if self.verdict.kind == "duplicate" else self.claim.id


@dataclass
class SlowIndex:
    """One article at a time, in dicts, forgetting nothing."""

    now: int = 0
    by_id: dict[str, Entry] = field(default_factory=dict)
    latest: dict[tuple[str, int, bytes], Entry] = field(default_factory=dict)

    def live(self, entry: Entry | None) -> Entry | None:
        return entry if entry and entry.time >= self.now - WINDOW_SECONDS * 1000 else None

    def apply_one(self, claim: Fingerprint, claimed_ms: int) -> Verdict:
        self.now = max(self.now, claimed_ms)
        if before := self.live(self.by_id.get(claim.id)):
            return before.verdict
        held = {key: entry for key in keys(claim) if (entry := self.live(self.latest.get(key)))}
        entry = Entry(len(self.by_id), claim, self.now)
        entry.verdict, entry.version = self.judge(claim, held)
        self.by_id[claim.id] = entry
        self.latest.update(dict.fromkeys(keys(claim), entry))
        return entry.verdict

    def judge(self, claim: Fingerprint, held: dict[tuple[str, int, bytes], Entry]) -> tuple[Verdict, tuple[str, int]]:
        exact = next((e for (kind, _, _), e in held.items() if kind == "exact"), None)
        revision = next((e for (kind, _, _), e in held.items() if kind == "revision"), None)
        near = [e for (kind, _, _), e in held.items() if kind == "band" and alike(claim, e.claim)]
        if exact:
            return Verdict("duplicate", exact.root, "exact", 1.0), revision.version if revision else (exact.root, 0)
        if revision:
            of, number = revision.version
            return Verdict("revision", of, number=number + 1), (claim.id, number + 1)
        if near:
            best = max(near, key=lambda e: (agreement(claim, e.claim), -e.order))
            return Verdict("duplicate", best.root, "near", agreement(claim, best.claim)), (best.root, 0)
        return ORIGINAL, (claim.id, 0)


def changed(signature: bytes, share: float, dice: random.Random) -> bytes:
    return bytes(dice.randrange(256) if dice.random() < share else value for value in signature)


def some_log(dice: random.Random, length: int) -> list[tuple[Fingerprint, int]]:
    """Articles and the times at which they are claimed: fresh ones, and variations on those before."""
    log: list[tuple[Fingerprint, int]] = []
    now = 1_000_000_000
    for number in range(length):
        now += dice.choice([0, 0, 0, 0, 300, 2_000, 30_000, -5_000, 120_000 if dice.random() < 0.1 else 0])
        claim = Fingerprint(
            id=dice.randbytes(16).hex(),
            exact=dice.choice([number + 1, number + 1, number + 1, 0]),
            revision=dice.choice([0, 0, 1000 + number, dice.randrange(1, 6)]),
            signature=dice.randbytes(128) if dice.random() < 0.9 else NO_SIGNATURE,
            figures=dice.choice([0, 0b11, 0b1111 << dice.randrange(8)]),
            tokens=dice.choice([12, 30, 70, 600]),
        )
        if log and dice.random() < 0.7:
            model = dice.choice(log[-25:])[0]
            signature = (
                model.signature
                if model.signature == NO_SIGNATURE
                else changed(model.signature, dice.choice([0, 0.05, 0.3, 0.45, 0.6]), dice)
            )
            claim = dice.choice(
                [
                    model,  # a redo
                    replace(model, id=claim.id),
                    replace(model, id=claim.id, revision=claim.revision),
                    replace(claim, signature=signature, tokens=model.tokens),
                    replace(claim, signature=signature, revision=model.revision),
                    replace(claim, signature=signature, figures=model.figures, exact=model.exact),
                ]
            )
        log.append((claim, now))
    return log


def records(log: list[tuple[Fingerprint, int]], dice: random.Random) -> list[bytes]:
    """The log cut into records of articles claimed at the same time."""
    found: list[bytes] = []
    batch: list[Fingerprint] = []
    for place, (claim, claimed_ms) in enumerate(log):
        batch.append(claim)
        last = place + 1 == len(log) or log[place + 1][1] != claimed_ms
        if last or dice.random() < 0.2:
            found.append(encode_claims(batch, claimed_ms))
            batch = []
    return found


def verdicts(index: Index, values: list[bytes]) -> list[Verdict]:
    return [verdict for value in values for verdict in index.apply(decode_claims(value))]


@settings(deadline=None)  # the machine may be busy; speed has a benchmark of its own
@given(seed=st.integers(0, 2**32), length=st.integers(1, 150))
def test_the_index_judges_as_the_slow_one_does(seed: int, length: int) -> None:
    dice = random.Random(seed)
    log = some_log(dice, length)
    slow = SlowIndex()
    expected = [slow.apply_one(claim, claimed_ms) for claim, claimed_ms in log]
    assert verdicts(Index(WINDOW_SECONDS), records(log, dice)) == expected


@settings(deadline=None)  # the machine may be busy; speed has a benchmark of its own
@given(seed=st.integers(0, 2**32), length=st.integers(1, 150))
def test_how_a_log_is_cut_into_records_does_not_matter(seed: int, length: int) -> None:
    dice = random.Random(seed)
    log = some_log(dice, length)
    one_by_one = [encode_claims([claim], claimed_ms) for claim, claimed_ms in log]
    assert verdicts(Index(WINDOW_SECONDS), records(log, dice)) == verdicts(Index(WINDOW_SECONDS), one_by_one)


@settings(deadline=None)  # the machine may be busy; speed has a benchmark of its own
@given(seed=st.integers(0, 2**32), length=st.integers(1, 150))
def test_what_a_verdict_names_was_published(seed: int, length: int) -> None:
    dice = random.Random(seed)
    log = some_log(dice, length)
    found = verdicts(Index(WINDOW_SECONDS), records(log, dice))
    published: set[str] = set()
    for (claim, _), verdict in zip(log, found, strict=True):
        assert verdict.of is None or verdict.of in published
        if verdict.kind != "duplicate":
            published.add(claim.id)


fingerprints = st.builds(
    Fingerprint,
    id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    exact=st.integers(0, 2**64 - 1),
    revision=st.integers(0, 2**64 - 1),
    signature=st.binary(min_size=128, max_size=128),
    figures=st.integers(0, 2**64 - 1),
    tokens=st.integers(0, 2**40),
)


@given(claims=st.lists(fingerprints, max_size=5), claimed_ms=st.integers(-(2**63), 2**63 - 1))
def test_claims_survive_the_log(claims: list[Fingerprint], claimed_ms: int) -> None:
    found = decode_claims(encode_claims(claims, claimed_ms))
    assert found.claimed_ms == claimed_ms
    assert [
        Fingerprint(
            row["id"].tobytes().hex(),
            int(row["exact"]),
            int(row["revision"]),
            row["signature"].tobytes(),
            int(row["figures"]),
            int(row["tokens"]),
        )
        for row in found.rows
    ] == claims


@given(claims=st.lists(fingerprints, max_size=3), data=st.data())
def test_a_torn_record_is_refused(claims: list[Fingerprint], data: st.DataObject) -> None:
    value = encode_claims(claims, 1)
    with pytest.raises(ClaimLogError):
        decode_claims(value[: data.draw(st.integers(0, len(value) - 1))])
    with pytest.raises(ClaimLogError):
        decode_claims(value + b"\0")
