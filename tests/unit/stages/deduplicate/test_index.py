from __future__ import annotations

import random
from dataclasses import replace

import pytest

from pipeline.records import ORIGINAL, Verdict
from pipeline.stages.deduplicate import Fingerprint, Index, decode_claims, encode_claims
from pipeline.stages.deduplicate.fingerprint import NO_FIGURES, NO_KEYS, NO_SIGNATURE

START_MS = 1_742_300_000_000
HOUR = 3600


def claim(number: int, **fields: int) -> Fingerprint:
    """An article unlike all others, save for what is given."""
    dice = random.Random(number)
    signature = bytes(dice.randrange(1, 16) << 4 | dice.randrange(1, 16) for _ in range(128))
    found = Fingerprint(f"{number:032x}", number, 0, dice.randbytes(64), signature, NO_FIGURES, shingles=498, words=500)
    return replace(found, **fields)  # type: ignore[arg-type]  # the fields given are the whole numbers


def figures(*values: int) -> bytes:
    """Figures in the first spots, each between words of its own."""
    spots = [at + 1 if at < len(values) else 0 for at in range(16)] + [*values] + [0] * (16 - len(values))
    return b"".join(value.to_bytes(2, "little") for value in spots)


def edited(model: Fingerprint, number: int, share: float, start: float = 0.0) -> Fingerprint:
    """Another article whose signature differs from `model` in `share` of its values from `start` on, both 0..1."""
    signature = bytearray(model.signature)
    for at in range(int(128 * start), int(128 * (start + share))):
        signature[at] = ((signature[at] >> 4) % 15 + 1) << 4 | (signature[at] & 15) % 15 + 1
    keys = model.keys[:32] + claim(number).keys[32:]
    return replace(model, id=f"{number:032x}", exact=number, signature=bytes(signature), keys=keys)


def apply(index: Index, *claims: Fingerprint, after_seconds: float = 0) -> list[Verdict]:
    return index.apply(decode_claims(encode_claims(claims, START_MS + int(after_seconds * 1000))))


def test_nothing_claimed_nothing_judged() -> None:
    index = Index(HOUR)
    assert apply(index) == []
    assert (len(index), index.expired) == (0, 0)


def test_the_first_is_the_original_of_a_chain_of_duplicates() -> None:
    first = claim(1)
    second = edited(first, 2, 0.2)
    third = edited(second, 3, 0.2)
    again = replace(third, id=claim(4).id)
    verdicts = apply(Index(HOUR), first, second, third, again)
    assert [v.of for v in verdicts] == [None, first.id, first.id, first.id]
    assert [v.method for v in verdicts] == [None, "near", "near", "exact"]
    assert verdicts[1].similarity == pytest.approx(0.8, abs=0.01)


def test_too_far_apart_is_no_duplicate() -> None:
    first = claim(1)
    assert apply(Index(HOUR), first, edited(first, 2, 0.7))[1] == ORIGINAL


def test_the_closest_wins() -> None:
    first = claim(1)
    second = replace(edited(first, 2, 0.4), revision=7)
    third = replace(edited(second, 3, 0.4), revision=7)  # a revision, so that it is no duplicate of the second
    verdicts = apply(Index(HOUR), second, third, replace(edited(third, 4, 0.05), revision=0))
    assert [v.kind for v in verdicts] == ["original", "revision", "duplicate"]
    assert verdicts[2].of == third.id


def test_short_texts_need_more_in_common() -> None:
    first = claim(1)
    verdicts = [
        apply(Index(HOUR), replace(first, words=words), replace(edited(first, 2, 0.25), words=words))[1]
        for words in (300, 60, 20)
    ]
    assert [v.kind for v in verdicts] == ["duplicate", "duplicate", "original"]


def test_other_figures_in_the_same_frame_are_other_news() -> None:
    first = replace(claim(1), figures=figures(5, 6, 7, 8))
    told = [(5, 6, 7, 8), (5, 6, 7, 9), (1, 2, 3, 8)]
    copies = [replace(edited(first, 2, 0.1), figures=figures(*values)) for values in told]
    assert [apply(Index(HOUR), first, copy)[1].kind for copy in copies] == ["duplicate", "derived", "original"]


def numbers(*bits: int) -> bytes:
    return sum(1 << bit for bit in bits).to_bytes(16, "little")


def test_a_report_of_the_same_series_keeps_few_of_the_figures() -> None:
    first = replace(claim(1), numbers=numbers(*range(10)))
    told = [range(10), range(2, 20), range(4, 14), range(7, 17)]
    copies = [replace(edited(first, 2, 0.1), numbers=numbers(*bits)) for bits in told]
    assert [apply(Index(HOUR), first, copy)[1].kind for copy in copies] == [
        "duplicate", "duplicate", "derived", "original",
    ]  # fmt: skip


def test_two_figures_are_too_few_to_judge_by() -> None:
    first = replace(claim(1), numbers=numbers(1, 2))
    assert apply(Index(HOUR), first, replace(edited(first, 2, 0.1), numbers=numbers(8, 9)))[1].kind == "duplicate"


def test_a_correction_is_published_and_sent_again_only_once() -> None:
    first = claim(1)
    corrected = replace(edited(first, 2, 0.1), correction=True)
    again = replace(edited(corrected, 3, 0.05), correction=True)
    verdicts = apply(Index(HOUR), first, corrected, again)
    assert [(v.kind, v.of) for v in verdicts[1:]] == [("derived", first.id), ("duplicate", corrected.id)]


def test_a_copy_of_a_copy_says_nothing_else_than_the_original() -> None:
    first = replace(claim(1), numbers=numbers(1, 2, 3, 4))
    second = replace(edited(first, 2, 0.05), numbers=numbers())
    third = replace(edited(second, 3, 0.05), numbers=numbers(5, 6, 7, 8))
    assert [v.kind for v in apply(Index(HOUR), first, second, third)] == ["original", "duplicate", "derived"]


def test_a_part_is_derived_from_the_whole() -> None:
    whole = claim(1)
    part = replace(edited(whole, 2, 0.75), shingles=125, words=127)
    for pair in ([whole, part], [part, whole]):
        verdict = apply(Index(HOUR), *pair)[1]
        assert (verdict.kind, verdict.of) == ("derived", pair[0].id)
        assert verdict.similarity == pytest.approx(0.25, abs=0.06)
    assert apply(Index(HOUR), whole, replace(part, words=39))[1] == ORIGINAL
    assert apply(Index(HOUR), whole, replace(part, shingles=498))[1] == ORIGINAL


def test_copies_of_copies_do_not_drift_from_the_original() -> None:
    first = claim(1)
    second = edited(first, 2, 0.3)
    third = edited(second, 3, 0.3, start=0.3)
    fourth = edited(third, 4, 0.3, start=0.6)
    verdicts = apply(Index(HOUR), first, second, third, fourth)
    assert [(v.kind, v.of) for v in verdicts[1:]] == [("duplicate", first.id)] * 2 + [("derived", first.id)]
    assert apply(Index(HOUR), second, third, fourth)[2].kind == "duplicate"


def test_revisions_are_counted_and_linked() -> None:
    versions = [claim(number, revision=9) for number in (1, 2, 3)]
    verdicts = apply(Index(HOUR), *versions)
    assert verdicts == [
        ORIGINAL,
        Verdict("revision", versions[0].id, number=1, story=versions[0].id),
        Verdict("revision", versions[1].id, number=2, story=versions[0].id),
    ]


def test_an_older_text_that_comes_back_does_not_reset_the_count() -> None:
    versions = [claim(number, revision=9) for number in (1, 2)]
    back = claim(3, exact=1, revision=9)
    verdicts = apply(Index(HOUR), *versions, back, claim(4, revision=9))
    assert verdicts[2] == Verdict("duplicate", versions[0].id, "exact", 1.0, story=versions[0].id)
    assert verdicts[3] == Verdict("revision", versions[1].id, number=2, story=versions[0].id)


def test_a_redo_gets_its_first_verdict_and_changes_nothing() -> None:
    index = Index(HOUR)
    batch = [claim(1, revision=5), claim(2, revision=5), claim(3, exact=1)]
    first = apply(index, *batch)
    size = len(index)
    assert apply(index, *batch, after_seconds=9) == first
    assert apply(index, batch[2], batch[2], claim(4), after_seconds=9) == [first[2], first[2], ORIGINAL]
    assert len(index) == size + 1


def test_ids_that_share_a_key_are_told_apart() -> None:
    index = Index(HOUR)
    words = [(1, 2), (3, 3), (5, 0)]  # the key is made of the first word and twice the second, by exclusive or
    ids = [b"".join(word.to_bytes(8, "little") for word in pair).hex() for pair in words]
    claims = [replace(claim(number), id=name) for number, name in enumerate(ids, 1)]
    claims.append(replace(claim(9, exact=1), id=((7).to_bytes(8, "little") + (1).to_bytes(8, "little")).hex()))
    first = apply(index, *claims)
    assert [v.kind for v in first] == ["original", "original", "original", "duplicate"]
    assert apply(index, *claims) == first


def test_what_left_the_window_is_not_matched_and_then_dropped() -> None:
    index = Index(HOUR)
    apply(index, claim(1))
    on_the_edge, beyond = Index(HOUR), Index(HOUR)
    apply(on_the_edge, claim(1))
    apply(beyond, claim(1))
    assert apply(on_the_edge, claim(2, exact=1), after_seconds=HOUR)[0].kind == "duplicate"
    assert apply(beyond, claim(2, exact=1), after_seconds=HOUR + 0.001)[0] == ORIGINAL
    apply(index, after_seconds=3 * HOUR)
    assert (len(index), index.expired) == (0, 1)


def test_a_slow_clock_does_not_turn_log_time_back() -> None:
    index = Index(HOUR)
    apply(index, claim(1))
    apply(index, claim(2), after_seconds=2 * HOUR)
    assert apply(index, claim(3, exact=1), after_seconds=-HOUR)[0] == ORIGINAL


def test_texts_without_signature_meet_only_exactly() -> None:
    first = replace(claim(1), signature=NO_SIGNATURE, keys=NO_KEYS)
    verdicts = apply(Index(HOUR), first, replace(first, id=claim(2).id, exact=2), replace(first, id=claim(3).id))
    assert [v.kind for v in verdicts] == ["original", "original", "duplicate"]


def test_memory_is_bounded_and_given_back() -> None:
    index = Index(HOUR)
    for batch in range(20):
        apply(index, *(claim(batch * 1000 + number) for number in range(1, 1001)))
    duplicates = index.memory_bytes - index.story_bytes
    assert duplicates / len(index) < 760  # at most 700 where there are more of them
    assert (index.story_bytes - (1 << 22)) / len(index) < 200
    apply(index, after_seconds=3 * HOUR)
    assert index.memory_bytes < 500_000
