"""Generated articles: the same for the same seed, and in the shares that were asked for."""

from __future__ import annotations

import json
from collections import Counter

from pipeline.generate import articles


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    assert list(articles(50, seed=3)) == list(articles(50, seed=3))
    assert {one.line for one in articles(50, seed=3)}.isdisjoint(one.line for one in articles(50, seed=4))


def test_more_of_a_seed_begins_with_less_of_it() -> None:
    assert list(articles(80, seed=3))[:50] == list(articles(50, seed=3))


def test_shares_and_size_are_about_what_was_asked_for() -> None:
    made = list(articles(2_000, seed=1, exact=0.05, near=0.10))
    kinds = Counter(one.kind for one in made)
    assert 60 < kinds["exact"] < 140
    assert 140 < kinds["near"] < 260
    assert 3_000 < sum(len(one.line) for one in made) / len(made) < 5_000


def test_exact_repeats_are_their_original_and_near_ones_are_not() -> None:
    made = list(articles(400, seed=2))
    for one in made:
        original = made[one.cluster]
        assert original.kind == "original"
        assert (one.line == original.line) == (one.kind != "near")
        assert b"\n" not in one.line
        assert set(json.loads(one.line)) == {"title", "body", "published"}


def test_shares_of_nothing_give_originals_alone() -> None:
    assert {one.kind for one in articles(100, exact=0, near=0)} == {"original"}
