"""The index against a slow, obviously right one, over random logs with duplicates, redos, revisions and clock moves."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import ClaimLogError
from pipeline.records import ORIGINAL, Verdict
from pipeline.stages.deduplicate import Fingerprint, Index, decode_claims, encode_claims
from pipeline.stages.deduplicate.fingerprint import NO_FIGURES, NO_KEYS, NO_SIGNATURE, NO_TERMS
from tests.properties.slow_stories import SlowStories, Story

WINDOW_SECONDS = 100
STORY_WINDOW_SECONDS = 40
_NO_EMPTY_BIN = bytes((value & 15 or 1) | (value & 240 or 16) for value in range(256))


@cache
def nibbles(signature: bytes) -> list[int]:
    return [half for byte in signature for half in (byte & 15, byte >> 4)]


@cache
def agreement(left: Fingerprint, right: Fingerprint) -> float:
    pairs = list(zip(nibbles(left.signature), nibbles(right.signature), strict=True))
    same = sum(a == b != 0 for a, b in pairs)
    either, both = sum(a != 0 or b != 0 for a, b in pairs), sum(a != 0 and b != 0 for a, b in pairs)
    return round(max(0.0, same - both / 15) / (1 - 1 / 15) / max(either, 1), 3)


def figures(left: Fingerprint, right: Fingerprint) -> tuple[int, int]:
    """Spots with the same words around figures: how many have the same figures, how many others."""
    ours, theirs = ([f.figures[at : at + 2] for at in range(0, 64, 2)] for f in (left, right))
    spots = [at for at in range(16) if ours[at] == theirs[at] != bytes(2)]
    same = sum(ours[at + 16] == theirs[at + 16] for at in spots)
    return same, len(spots) - same


def same_news(left: Fingerprint, right: Fingerprint) -> bool:
    return not figures(left, right)[1] and kept(left, right) >= 0.7 and left.correction == right.correction


def kept(left: Fingerprint, right: Fingerprint) -> float:
    """Share of the figures of the text with fewer of them that the other one has, less what meets by chance."""
    ours, theirs = (int.from_bytes(f.numbers, "little") for f in (left, right))
    fewest, chance = min(ours.bit_count(), theirs.bit_count()), ours.bit_count() * theirs.bit_count() / 128
    common = (ours & theirs).bit_count()
    return 1.0 if fewest < 3 else min(1.0, max(0.0, (common - chance) / max(fewest - chance, 1)))


@cache
def relation(left: Fingerprint, right: Fingerprint) -> str:
    ratio, words = agreement(left, right), min(left.words, right.words)
    same, other = figures(left, right)
    if ratio >= 0.46 + 0.39 * min(1.0, max(0.0, (100 - words) / (100 - 16))) and same_news(left, right):
        return "near"
    common = ratio * (left.shingles + right.shingles) / (1 + ratio)
    contained = round(common / max(min(left.shingles, right.shingles), 1), 3)
    comparable = other <= same and kept(left, right) >= 0.5
    return "derived" if words >= 40 and ratio >= 0.12 and contained >= 0.6 and comparable else ""


def keys(claim: Fingerprint) -> list[tuple[str, bytes]]:
    found = [("shingle", claim.keys[at : at + 4]) for at in range(0, 64, 4)]
    found += [("exact", claim.exact.to_bytes(8)), ("revision", claim.revision.to_bytes(8))]
    return [(kind, value) for kind, value in found if any(value)]


Judged = tuple[Verdict, tuple[str, int], "Entry | None"]
"""Verdict, version, and what it rests on."""


@dataclass
class Entry:
    order: int
    claim: Fingerprint
    time: int
    verdict: Verdict = ORIGINAL
    version: tuple[str, int] = ("", 0)
    story: Story = ("", 0)
    rests_on: Entry | None = None

    @property
    def root(self) -> str:
        return self.verdict.of or "" if self.verdict.kind == "duplicate" else self.claim.id


@dataclass
class SlowIndex:
    """One article at a time, in dicts, forgetting nothing."""

    now: int = 0
    count: int = 0
    by_id: dict[str, Entry] = field(default_factory=dict)
    latest: dict[tuple[str, bytes], Entry] = field(default_factory=dict)
    stories: SlowStories = field(default_factory=SlowStories)

    def live(self, entry: Entry | None) -> Entry | None:
        return entry if entry and entry.time >= self.now - WINDOW_SECONDS * 1000 else None

    def apply_one(self, claim: Fingerprint, claimed_ms: int) -> Verdict:
        self.now = max(self.now, claimed_ms)
        if before := self.live(self.by_id.get(claim.id)):
            return before.verdict
        held = {key: entry for key in keys(claim) if (entry := self.live(self.latest.get(key)))}
        self.count += 1  # not the length of `by_id`: an article may come again when it has left the window
        entry = Entry(self.count, claim, self.now)
        entry.verdict, entry.version, entry.rests_on = self.judge(claim, held)
        if entry.verdict.of == claim.id:  # a copy of its own copy, claimed again when it had left the window
            entry.verdict, entry.version = ORIGINAL, (claim.id, 0)
        entry.story = self.story(entry)
        if entry.story[0] != claim.id or entry.verdict.kind == "duplicate":
            entry.verdict = replace(entry.verdict, story=entry.story[0])
        self.by_id[claim.id] = entry
        self.latest.update(dict.fromkeys(keys(claim), entry))
        return entry.verdict

    def story(self, entry: Entry) -> Story:
        """That of the article which it rests on, whichever came first in `judge`; else that which it is most like."""
        given = entry.rests_on.story if entry.rests_on and entry.verdict.kind != "original" else None
        if given and entry.verdict.kind == "duplicate":
            return given
        horizon = self.now - WINDOW_SECONDS * 1000
        since = max(self.now - STORY_WINDOW_SECONDS * 1000, horizon)
        return self.stories.add(entry.claim, self.now, since, horizon, given)

    def judge(
        self, claim: Fingerprint, held: dict[tuple[str, bytes], Entry]
    ) -> tuple[Verdict, tuple[str, int], Entry | None]:
        exact = next((e for (kind, _), e in held.items() if kind == "exact"), None)
        revision = next((e for (kind, _), e in held.items() if kind == "revision"), None)
        shared = {e.order: e for (kind, _), e in held.items() if kind == "shingle"}.values()
        near, derived = (
            max(
                (e for e in shared if relation(claim, e.claim) == kind),
                key=lambda e: (agreement(claim, e.claim), -e.order),
                default=None,
            )
            for kind in ("near", "derived")
        )
        if exact:
            return (
                Verdict("duplicate", exact.root, "exact", 1.0),
                revision.version if revision else (exact.root, 0),
                exact,
            )
        if revision:
            of, number = revision.version
            return Verdict("revision", of, number=number + 1), (claim.id, number + 1), revision
        if near:
            alike, root = agreement(claim, near.claim), self.live(self.by_id[near.root])
            far = (
                root and root is not near and not (agreement(claim, root.claim) >= 0.3 and same_news(claim, root.claim))
            )
            if not far:
                return Verdict("duplicate", near.root, "near", alike), (near.root, 0), near
            return Verdict("derived", near.root, similarity=alike), (claim.id, 0), near
        if derived:
            return Verdict("derived", derived.root, similarity=agreement(claim, derived.claim)), (claim.id, 0), derived
        return ORIGINAL, (claim.id, 0), None


def some_signature(dice: random.Random) -> bytes:
    return dice.randbytes(128).translate(_NO_EMPTY_BIN)


def changed(values: bytes, share: float, dice: random.Random, size: int = 1) -> bytes:
    """`values`, of which that share of each `size` bytes is another."""
    pieces = [values[at : at + size] for at in range(0, len(values), size)]
    others = some_signature(dice)
    return b"".join(
        others[at * size : at * size + size] if dice.random() < share else piece for at, piece in enumerate(pieces)
    )


def some_figures(dice: random.Random) -> bytes:
    contexts, values = ([dice.choice([0, 1, 2]) if dice.random() < 0.2 else 7 for _ in range(16)] for _ in range(2))
    return dice.choice([NO_FIGURES, b"".join(value.to_bytes(2) for value in contexts + values)])


def some_numbers(dice: random.Random) -> bytes:
    return sum(1 << bit for bit in {dice.randrange(128) for _ in range(dice.choice([0, 2, 6, 40]))}).to_bytes(
        16, "little"
    )


def some_terms(dice: random.Random) -> bytes:
    """Of few words, some of which meet in one bucket, so that chains are long and articles alike."""
    words = dice.sample([(at << 20) + more for at in range(1, 9) for more in (0, 1, 2, 3, 64)], dice.choice([1, 4, 16]))
    found = b"".join(((word % (1 << 24) << 8) | dice.choice([20, 60, 120])).to_bytes(4, "little") for word in words)
    return dice.choice([NO_TERMS, found.ljust(64, b"\0")])


def edited(model: Fingerprint, fresh: Fingerprint, dice: random.Random) -> Fingerprint:
    """Another article that shares more or less with `model`."""
    share = dice.choice([0, 0.05, 0.3, 0.45, 0.6, 0.8])
    figures = model.figures if dice.random() < 0.7 else fresh.figures
    numbers = dice.choice([model.numbers, model.numbers, fresh.numbers, *half_of(model.numbers)])
    signature = changed(model.signature, share, dice) if any(model.signature) else NO_SIGNATURE
    return replace(
        fresh,
        signature=signature,
        keys=changed(model.keys, share, dice, 4),
        figures=figures,
        numbers=numbers,
        words=model.words,
    )


def half_of(numbers: bytes) -> list[bytes]:
    return [bytes(byte & mask for byte in numbers) for mask in (0x55, 0x7F)]


def some_log(dice: random.Random, length: int) -> list[tuple[Fingerprint, int]]:
    """Articles and the times at which they are claimed: fresh ones, and variations on those before."""
    log: list[tuple[Fingerprint, int]] = []
    now = 1_000_000_000
    for number in range(length):
        now += dice.choice([0, 0, 0, 0, 300, 2_000, 30_000, -5_000, 120_000 if dice.random() < 0.1 else 0])
        short = dice.random() < 0.1
        claim = Fingerprint(
            id=dice.randbytes(16).hex(),
            exact=dice.choice([number + 1, number + 1, number + 1, 0]),
            revision=dice.choice([0, 0, 1000 + number, dice.randrange(1, 6)]),
            keys=NO_KEYS if short else dice.randbytes(64),
            signature=NO_SIGNATURE if short else some_signature(dice),
            figures=NO_FIGURES if short else some_figures(dice),
            shingles=dice.choice([10, 60, 300, 600]),
            words=dice.choice([12, 30, 70, 600]),
            numbers=some_numbers(dice),
            correction=dice.random() < 0.1,
            terms=some_terms(dice),
        )
        if log and dice.random() < 0.7:
            model = dice.choice(log[-25:])[0]
            claim = dice.choice(
                [
                    model,  # a redo
                    replace(model, id=claim.id),
                    replace(model, id=claim.id, revision=claim.revision),
                    edited(model, claim, dice),
                    replace(edited(model, claim, dice), revision=0),
                    replace(edited(model, claim, dice), revision=model.revision),
                    replace(edited(model, claim, dice), exact=model.exact),
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


def fresh() -> Index:
    return Index(WINDOW_SECONDS, STORY_WINDOW_SECONDS)


def verdicts(index: Index, values: list[bytes]) -> list[Verdict]:
    return [verdict for value in values for verdict in index.apply(decode_claims(value))]


@settings(deadline=None)  # the machine may be busy; speed has a benchmark of its own
@given(seed=st.integers(0, 2**32), length=st.integers(1, 100))
@example(11241, 78)  # a near duplicate of a duplicate, and after it, in the same batch, their original once more
@example(1020, 160)  # a copy comes again after the window that had begun its original's story: that must not live anew
def test_the_index_judges_as_the_slow_one_does(seed: int, length: int) -> None:
    dice = random.Random(seed)
    log = some_log(dice, length)
    slow = SlowIndex()
    expected = [slow.apply_one(claim, claimed_ms) for claim, claimed_ms in log]
    assert verdicts(fresh(), records(log, dice)) == expected


@settings(deadline=None)  # the machine may be busy; speed has a benchmark of its own
@given(seed=st.integers(0, 2**32), length=st.integers(1, 100))
def test_how_a_log_is_cut_into_records_does_not_matter(seed: int, length: int) -> None:
    dice = random.Random(seed)
    log = some_log(dice, length)
    one_by_one = [encode_claims([claim], claimed_ms) for claim, claimed_ms in log]
    assert verdicts(fresh(), records(log, dice)) == verdicts(fresh(), one_by_one)


@settings(deadline=None)  # the machine may be busy; speed has a benchmark of its own
@given(seed=st.integers(0, 2**32), length=st.integers(1, 100))
def test_what_a_verdict_names_was_published(seed: int, length: int) -> None:
    dice = random.Random(seed)
    log = some_log(dice, length)
    found = verdicts(fresh(), records(log, dice))
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
    keys=st.binary(min_size=64, max_size=64),
    signature=st.binary(min_size=128, max_size=128),
    figures=st.binary(min_size=64, max_size=64),
    shingles=st.integers(0, 2**32 - 1),
    words=st.integers(0, 2**16 - 1),
    numbers=st.binary(min_size=16, max_size=16),
    correction=st.booleans(),
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
            row["keys"].tobytes(),
            row["signature"].tobytes(),
            row["figures"].tobytes(),
            int(row["shingles"]),
            int(row["words"]),
            row["numbers"].tobytes(),
            bool(row["correction"]),
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
