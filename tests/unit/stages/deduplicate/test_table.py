from __future__ import annotations

import random

import numpy as np

from pipeline.stages.deduplicate.table import Keys, Numbers, Table


def keys(*values: int) -> Keys:
    return np.array(values, dtype=np.uint64)


def numbers(*values: int) -> Numbers:
    return np.array(values, dtype=np.int64)


def test_an_empty_table_knows_nothing() -> None:
    assert Table().find(keys(1, 2**40 - 1)).tolist() == [-1, -1]
    assert Table().find(keys()).tolist() == []


def test_swap_tells_before_and_now() -> None:
    table = Table()
    before, now = table.swap(keys(5, 9, 5), numbers(0, 1, 2))
    assert (before.tolist(), now.tolist(), len(table)) == ([-1, -1, -1], [2, 1, 2], 2)
    before, now = table.swap(keys(5, 7), numbers(3, 4))
    assert (before.tolist(), now.tolist(), len(table)) == ([2, -1], [3, 4], 3)
    assert table.find(keys(9, 5, 7, 6)).tolist() == [1, 3, 4, -1]


def test_it_does_what_a_dict_does_while_it_grows() -> None:
    dice = random.Random(1)
    table, known = Table(), dict[int, int]()
    for number in range(300):
        # Half of the keys come again and again, or are neighbours.
        batch = [dice.choice((dice.randrange(1, 2**40), 2**39 + dice.randrange(2000))) for _ in range(200)]
        before, now = table.swap(keys(*batch), numbers(*range(number * 200, number * 200 + 200)))
        assert before.tolist() == [known.get(key, -1) for key in batch]
        known.update(zip(batch, range(number * 200, number * 200 + 200), strict=True))
        assert now.tolist() == [known[key] for key in batch]
        assert len(table) == len(known)
    assert table.find(keys(*known)).tolist() == list(known.values())
    assert table.nbytes < 17 * len(known)


def test_it_does_what_a_dict_does_where_it_follows_another_one() -> None:
    dice = random.Random(2)
    table = Table()
    for _ in range(3):
        table, known = Table(like=table), dict[int, int]()
        for number in range(200):
            batch = [dice.randrange(1, 2**40) for _ in range(dice.choice((1, 7, 2500)))]
            batch += dice.sample(list(known), min(len(known), 20))
            places = range(number * 3000, number * 3000 + len(batch))
            before, now = table.swap(keys(*batch), numbers(*places))
            assert before.tolist() == [known.get(key, -1) for key in batch]
            known.update(zip(batch, places, strict=True))
            assert now.tolist() == [known[key] for key in batch]
        asked = [*known, *(dice.randrange(1, 2**40) for _ in range(5000))]
        assert table.find(keys(*asked)).tolist() == [known.get(key, -1) for key in asked]
        assert len(table) == len(known)


def test_articles_cannot_be_written_that_all_meet_in_one_row() -> None:
    table = Table()
    # One row would hold all of them, and the last one would have 600 rows behind it.
    many = np.arange(2**40 - 5000, 2**40, dtype=np.uint64)
    table.swap(many, np.arange(many.size))
    assert table.find(many).tolist() == list(range(many.size))
