"""When a worker stops over bad input: late, and with a reason."""

from __future__ import annotations

from itertools import repeat

import pytest

from pipeline.errors import PoisonError
from pipeline.settings import Settings
from pipeline.stream.poison import WINDOW_ARTICLES, Limits, Tally

DEFAULT = Limits(Settings().reject_ratio, Settings().reject_run)


def after(*batches: tuple[int, int]) -> Tally:
    """The tally after batches of so many good and so many bad articles."""
    tally = Tally()
    for good, bad in batches:
        tally = tally.after(good, ["parse"] * bad)
    return tally


@pytest.mark.parametrize(
    "batches",
    [
        [(0, 500)] * 19,  # a folder of 9,500 bad files and nothing else
        [(1, 499)] * 10 + [(60, 440)] * 30,  # bad as can be, and yet somewhat good
        [(500, 0)] * 40 + [(0, 500)] * 19,
        [],
    ],
)
def test_an_ordinary_folder_with_bad_files_never_stops_a_worker(batches: list[tuple[int, int]]) -> None:
    tally = Tally()
    for good, bad in batches:
        tally = tally.after(good, ["empty"] * bad)
        DEFAULT.check(tally)


def test_a_run_of_rejections_stops_it_and_one_good_article_ends_the_run() -> None:
    limits = Limits(ratio=1, run=100)
    limits.check(after((0, 99)))
    limits.check(after((0, 99), (1, 0), (0, 99)))
    with pytest.raises(PoisonError, match="the last 100 articles were all rejected, most of them as parse; no more"):
        limits.check(after((0, 99), (0, 1)))


def test_a_ratio_stops_it_once_enough_was_seen() -> None:
    limits = Limits(ratio=0.5, run=0)
    limits.check(after((0, WINDOW_ARTICLES - 1)))
    limits.check(after((WINDOW_ARTICLES // 2, WINDOW_ARTICLES // 2)))
    with pytest.raises(PoisonError, match=f"{WINDOW_ARTICLES} of the last {WINDOW_ARTICLES} .* raise --reject-ratio"):
        limits.check(after((0, WINDOW_ARTICLES)))


def test_a_good_year_is_no_excuse_for_a_bad_hour() -> None:
    limits, tally = Limits(ratio=0.8, run=0), after(*repeat((500, 0), 1_000))
    for _ in range(4 * WINDOW_ARTICLES // 500):
        tally = tally.after(0, ["parse"] * 500)
    with pytest.raises(PoisonError):
        limits.check(tally)


def test_limits_can_be_turned_off() -> None:
    Limits(ratio=1, run=0).check(after(*repeat((0, 500), 1_000)))


def test_the_commonest_reason_is_named() -> None:
    tally = Tally().after(0, ["parse", "empty", "empty"])
    with pytest.raises(PoisonError, match="most of them as empty"):
        Limits(1, 3).check(tally)
