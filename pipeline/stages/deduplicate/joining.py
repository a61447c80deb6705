"""Which story each article of a batch belongs to, in order, since each may rest on those before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.deduplicate.claims import Rows
from pipeline.stages.deduplicate.decisions import DECISION, EXACT, NEAR, Decisions
from pipeline.stages.deduplicate.judge import Flags
from pipeline.stages.deduplicate.slices import names
from pipeline.stages.deduplicate.stories import PLACED, SAME, Alike, Placed, Stories
from pipeline.stages.deduplicate.table import Numbers, nonzero
from pipeline.stages.deduplicate.terms import Terms


@dataclass(frozen=True, slots=True)
class Batch:
    """Articles that are new to the index, in log order, and what was decided about them so far."""

    own: Placed
    """The story that each would begin."""
    terms: Terms
    times: Numbers
    horizons: Numbers
    """What was claimed before is out of the window; a story that began before takes no more articles."""
    since: Numbers
    """Articles from before are out of the story window."""
    decisions: Decisions
    via: Numbers
    """For each decision, the place in the batch of the article that it rests on, or else -1."""
    given: Placed
    """For each decision, the story of the article that it rests on, where that was there before the batch."""
    first: int
    """Address of the first of them; the others follow it."""
    placed: Callable[[Numbers], Placed]
    """Addresses → the stories of articles that were there before the batch."""
    series: Callable[[Numbers, Numbers], Flags]
    """Places in the batch, and addresses: whether both are of one series, which makes no story."""


def own_stories(ids: NDArray[np.uint64], times: Numbers) -> Placed:
    """The story that each article would begin."""
    own = np.empty(len(ids), dtype=PLACED)
    own["story"], own["began"] = names(ids), times
    return own


def enter(stories: Stories, own: Placed, rows: Rows, times: Numbers, decisions: Decisions, address: int) -> None:
    """Enter articles whose stories are known; `address`: of the first."""
    placed = own.copy()
    elsewhere = decisions["began"] > 0
    at = decisions["row"][elsewhere]
    placed["story"][at] = names(decisions["story"])[elsewhere]
    placed["began"][at] = decisions["began"][elsewhere]
    kept = nonzero(_published(len(own), decisions))
    stories.enter(rows["terms"][kept], times[kept], address + kept)
    stories.place(placed[kept][(placed["story"] != own["story"])[kept]])


def join(stories: Stories, batch: Batch) -> Decisions:
    """Enter articles, find the story of each, and return the decisions with it: one more for each that joins one."""
    kept = nonzero(_published(len(batch.own), batch.decisions))
    entered = stories.enter(batch.terms[kept], batch.times[kept], batch.first + kept)
    alike = stories.alike(entered, batch.since[kept])
    apart = nonzero(~batch.series(kept[alike.article], stories.addresses(alike.entry)))
    alike = Alike(alike.article[apart], alike.entry[apart], alike.cosine[apart])
    joined = _Joining(stories, batch, kept, alike).all()
    placed = batch.own.copy()
    others = np.zeros(len(placed), dtype=np.bool_)
    for at, (story, began) in joined.items():
        placed[at], others[at] = (story, began), True
    stories.place(placed[kept][others[kept]])
    return _with_stories(batch.decisions, placed, nonzero(others))


def _published(count: int, decisions: Decisions) -> NDArray[np.bool_]:
    """Which articles of a batch are no duplicates."""
    published = np.ones(count, dtype=np.bool_)
    published[decisions["row"][(decisions["how"] == EXACT) | (decisions["how"] == NEAR)]] = False
    return published


def _with_stories(decisions: Decisions, placed: Placed, rows: Numbers) -> Decisions:
    more = np.setdiff1d(rows, decisions["row"], assume_unique=True)
    every = np.zeros(len(decisions) + len(more), dtype=DECISION)
    every[: len(decisions)] = decisions
    every["row"][len(decisions) :] = more
    every = every.take(np.argsort(every["row"], kind="stable"))
    at = np.searchsorted(every["row"], rows)
    every["story"][at] = placed["story"][rows].view("<u8").reshape(-1, 2)
    every["began"][at] = placed["began"][rows]
    return every


Story = tuple[bytes, int]


class _Joining:
    """Goes through the articles that rest on others or are like others."""

    def __init__(self, stories: Stories, batch: Batch, kept: Numbers, alike: Alike) -> None:
        self._horizons: list[int] = batch.horizons.tolist()
        self._own: list[Story] = batch.own.tolist()
        self._joined: dict[int, Story] = {}
        self._published = set(kept.tolist())
        via, given = batch.via.tolist(), batch.given.tolist()
        linked = batch.decisions["row"].tolist()
        self._linked = {at: (of, story) for at, of, story in zip(linked, via, given, strict=True)}
        self._many = stories.joined
        self._more: set[bytes] = set()
        self._plain: dict[int, tuple[Story, int, int]] = {}
        """Articles that can join one story alone, whose articles were all there before the batch: it, and the cosines
        to the nearest two of them; -1 where only one is like them."""
        self._alike: dict[int, list[tuple[int, int, Story, int]]] = {}
        """The others that are like any, with the pairs of each: place in the batch or less than 0, story, cosine."""
        if alike.article.size:
            self._sort(kept[alike.article], stories.addresses(alike.entry), alike.cosine, batch)

    def _sort(self, article: Numbers, addresses: Numbers, cosine: Numbers, batch: Batch) -> None:
        """Fill `_plain` and `_alike` from pairs of an article and an earlier one, those of each the nearest first."""
        ours, placed = addresses - batch.first, batch.placed(addresses)
        begins = np.append(True, article[1:] != article[:-1])
        heads = nonzero(begins)
        group = np.cumsum(begins) - 1
        words = placed.view("<u8").reshape(-1, 3)
        same = (words == words[heads][group]).all(axis=1)
        # A story whose nearest article is not near enough by itself can only be joined where there is none.
        apart = (ours >= 0) | ((cosine >= SAME) & ~same)
        apart[heads] |= placed["began"][heads] < batch.horizons[article[heads]]
        plain = ~np.logical_or.reduceat(apart, heads)
        second = np.full(len(heads), -1, dtype=np.int64)
        others = nonzero(same & ~begins)
        second[group[others[::-1]]] = cosine[others[::-1]]  # of several numpy leaves the last: the nearest
        firsts = heads[plain]
        nearest = zip(placed[firsts].tolist(), cosine[firsts].tolist(), second[plain].tolist(), strict=True)
        self._plain = dict(zip(article[firsts].tolist(), nearest, strict=True))
        rest = nonzero(~plain[group])
        columns = (column[rest].tolist() for column in (article, ours, placed, cosine))
        self._alike = {at: list(pairs) for at, pairs in groupby(zip(*columns, strict=True), key=itemgetter(0))}

    def all(self) -> dict[int, Story]:
        """The story of each article that begins none."""
        for at in sorted(self._linked.keys() | self._plain.keys() | self._alike.keys()):
            if at in self._linked:
                of, given = self._linked[at]
                found: Story | None = given if of < 0 else self._story(of)
            elif at in self._plain:
                story, nearest, second = self._plain[at]
                cosines = [nearest] if second < 0 else [nearest, second]
                found = story if self._common(_called(story), cosines) >= 2 * SAME else None
            else:
                found = self._nearest(at)
            published = at in self._published
            # Where a copy of its own of longer ago began the story, what is published begins another one.
            if found and not (published and found[0] == self._own[at][0]):
                self._joined[at] = found
                if published:
                    self._more.add(_called(found))
        return self._joined

    def _story(self, at: int) -> Story:
        return self._joined.get(at) or self._own[at]

    def _nearest(self, at: int) -> Story | None:
        """The story that this article is most like, if it is like enough."""
        nearest: dict[Story, list[int]] = {}
        for _, ours, story, cosine in self._alike[at]:
            if ours >= 0:
                story = self._story(ours)
            if story[1] >= self._horizons[at]:
                nearest.setdefault(story, []).append(cosine)
        common = {story: self._common(_called(story), cosines) for story, cosines in nearest.items()}
        best = max(common, key=lambda story: common[story], default=None)
        return best if best and common[best] >= 2 * SAME else None

    def _common(self, story: bytes, cosines: list[int]) -> int:
        """Twice the mean cosine to the story's two nearest articles; the only one that there is counts twice."""
        if len(cosines) > 1:
            return cosines[0] + cosines[1]
        return cosines[0] if story in self._many or story in self._more else 2 * cosines[0]


def _called(story: Story) -> bytes:
    """As `stories.called`."""
    return story[0] + story[1].to_bytes(8, "little")
