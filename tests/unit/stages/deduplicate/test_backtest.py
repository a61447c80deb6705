"""The back-test's promises on a few generated articles, so that a change of parameters cannot lose them unseen."""

from __future__ import annotations

import random

import pytest

from tests.bench.backtest import Log, bodies_of, score_of
from tests.bench.edits import COPIES, Stock, number_corrected
from tests.bench.series import SERIES

BODIES = bodies_of([])[:100]


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_duplicates_of_their_original_and_of_no_other(name: str) -> None:
    dice, stock = random.Random(name), Stock(BODIES)
    score = score_of(BODIES, [COPIES[name](body, dice, stock) for body in BODIES], False)
    assert score.wrong == 0
    assert score.right >= 97


@pytest.mark.parametrize("name", SERIES)
def test_reports_of_one_series_are_no_duplicates(name: str) -> None:
    dice = random.Random(name)
    verdicts = Log().claim(dict.fromkeys(SERIES[name](dice) for _ in range(50)))
    assert {verdict.kind for verdict, _ in verdicts} == {"original"}


def test_a_corrected_number_is_no_duplicate() -> None:
    dice, log = random.Random(1), Log()
    bodies = [
        body.replace("the", "some 12 people of forty and 40 houses: 12 of them in the", 1)
        for body in BODIES
        if " the " in body
    ]
    log.claim(bodies)
    corrected = [text for body in bodies if (text := number_corrected(body, dice))]
    assert len(corrected) > 50
    assert {verdict.kind for verdict, _ in log.claim(corrected)} == {"derived"}
