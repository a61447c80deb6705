"""words ─▶ runs of capitalised words ─▶ best labels ─▶ spans: names by a linear chain that we trained.

A label is B (a name begins) or I (it goes on) with a kind, or O. Every word of a run is scored by hashed features of
itself and its neighbours, and the best allowed sequence of labels is read off (Viterbi 1967). The weights are those
of a conditional random field (Lafferty et al. 2001); `data/README.md` says on what text, and what trained them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.tag.letters import Ints, Mask, Table, Words, all_capitals, among, hashes, spread
from pipeline.stages.tag.lexicon import Lexicon
from pipeline.stages.tag.words import stopwords

Kind = Literal["person", "organisation", "place"]
KINDS: tuple[Kind, ...] = ("person", "organisation", "place")
OUTSIDE = 0
_PERSON = 1
LABELS = 7
"""Outside, then begin and inside of each kind."""
BITS = 19
# As much as the heaviest weight: a lone word that is ahead by less needs other evidence that it is a person.
_SURE = 2_000
INSIDE = frozenset("of the for and & de da do dos das del della di du van von der den ten bin ibn al el la le".split())
_MOST_INSIDE = 2
_INSIDE = Table(hashes(INSIDE))
_ALONE_NO_NAME = Table(hashes(stopwords()["en"]))


Known = tuple[int, int, str]
"""A spelling that the gazetteer found: start, end, and a letter for what it may be."""
_TEXT = np.uint64(0xD6E8FEB86659FD93)


class Span(NamedTuple):
    """One name; offsets count characters, end exclusive."""

    start: int
    end: int
    kind: Kind
    doubtful: bool = False
    """A lone word that the model takes for a person, but only just."""


class Runs(NamedTuple):
    """The runs of a batch: capitalised words, and what may stand between them."""

    firsts: Ints
    lengths: Ints
    """Of each run: which of all words is its first, and how many it has."""
    bounds: list[int]
    """The runs of text `i` are those from `bounds[i]` up to `bounds[i + 1]`."""


class Tokens(NamedTuple):
    """The words of the runs of one text."""

    text: str
    starts: list[int]
    ends: list[int]
    """Where each word begins and ends, in characters."""
    runs: list[tuple[int, int]]
    """Of the words, each run's first and the one after its last."""

    def word(self, i: int) -> str:
        """Word `i` as it is written."""
        return self.text[self.starts[i] : self.ends[i]]


class Batch(NamedTuple):
    """Some texts in which names are to be found."""

    words: Words
    runs: Runs
    texts: list[Tokens]
    """Of all texts of `words`; those in which no names are looked for have no runs here."""
    known: list[list[Known]]
    """What the gazetteer found in each of them."""


def find_runs(words: Words) -> Runs:
    """All runs; a lone small word (`The`) makes none."""
    capital = np.flatnonzero(words.capital)
    inside = _INSIDE.has(words.forms)
    joined = _joined(capital, inside)
    edge = np.ones(min(1, len(capital)), bool)
    firsts, lasts = capital[np.concatenate([edge, ~joined])], capital[np.concatenate([~joined, edge])]
    lengths = lasts - firsts + 1
    lone = np.flatnonzero(lengths == 1)
    small = lone[_ALONE_NO_NAME.has(words.lowers[firsts[lone]])]
    kept = np.ones(len(firsts), bool)
    kept[small] = all_capitals(words, firsts[small])
    firsts, lengths = firsts[kept], lengths[kept]
    return Runs(firsts, lengths, np.searchsorted(firsts, words.bounds).tolist())


def _joined(capital: Ints, inside: Mask) -> Mask:
    """Whether each word with a capital is in one run with the next one: two words at most stand between them."""
    left, steps = capital[:-1], np.diff(capital)
    joined: Mask = (steps == 1) | ((steps == _MOST_INSIDE) & inside[left + 1])
    far = np.flatnonzero(steps == _MOST_INSIDE + 1)
    joined[far] = inside[left[far] + 1] & inside[left[far] + 2]
    return joined


def tokens(texts: Sequence[str], words: Words, runs: Runs) -> list[Tokens]:
    """The runs text by text, with offsets in the text."""
    at = spread(runs.firsts, runs.lengths)
    afters = [0, *np.cumsum(runs.lengths).tolist()]
    found = []
    for text, begin, first, after in zip(texts, words.begins, runs.bounds, runs.bounds[1:], strict=False):
        here = at[afters[first] : afters[after]]
        ends = [end - afters[first] for end in afters[first : after + 1]]
        found.append(
            Tokens(
                text,
                (words.starts[here] - begin).tolist(),
                (words.ends[here] - begin).tolist(),
                list(pairwise(ends)),
            )
        )
    return found


class Chain:
    """The weights; `spans` is pure."""

    def __init__(self, lexicon: Lexicon, weights: NDArray[np.int16], transitions: NDArray[np.int32]) -> None:
        self._lexicon = lexicon
        # One more label makes a row 16 bytes long, which numpy copies as one number: three times as fast.
        wide = np.zeros((len(weights), LABELS + 1), np.int16)
        wide[:, :LABELS] = weights
        self._weights = wide.view(np.complex128).ravel()
        self._moves = transitions

    def spans(self, batch: Batch) -> list[list[Span]]:
        """The names of each text of `batch`, in order."""
        if not len(batch.runs.firsts):
            return [[] for _ in batch.texts]
        rows = self._weights[features(batch, self._lexicon)].view(np.int16)
        scores = rows.reshape(len(rows), -1, LABELS + 1).sum(axis=0, dtype=np.int32)[:, :LABELS]
        labels = best(scores, batch.runs.lengths, self._moves)
        doubtful = self._doubtful(scores, labels, batch.runs.lengths).tolist()
        every, found, done = labels.tolist(), [], 0
        for text in batch.texts:
            after = done + len(text.starts)
            found.append(_spans(every[done:after], text, doubtful[done:after]))
            done = after
        return found

    def _doubtful(self, scores: NDArray[np.int32], labels: NDArray[np.int64], lengths: Ints) -> Mask:
        """Which words are lone people that score little more than as something else."""
        goes_on = np.append(labels[1:] == _PERSON + 1, False)
        lone = np.flatnonzero((labels == _PERSON) & ~goes_on)
        first = np.full(len(labels), OUTSIDE)
        first[np.cumsum(lengths) - lengths] = LABELS
        totals = scores[lone] + self._moves[first[lone]]
        person = totals[:, _PERSON].copy()
        totals[:, _PERSON] = np.iinfo(np.int32).min
        found = np.zeros(len(labels), bool)
        found[lone[person - totals.max(axis=1) < _SURE]] = True
        return found


def best(scores: NDArray[np.int32], lengths: Ints, moves: NDArray[np.int32]) -> NDArray[np.int64]:
    """The labels of each run with the highest sum of scores and of moves between them, all runs side by side.

    `scores` has a row for each word, run after run; `moves[LABELS]` are the moves into a first word.
    """
    size = lengths
    start = np.cumsum(size) - size
    totals = scores[start] + moves[LABELS]
    back = np.zeros((len(scores), LABELS), np.int64)
    for i in range(1, int(size.max())):
        live = np.flatnonzero(size > i)
        options = totals[live][:, :, None] + moves[None, :LABELS]
        back[start[live] + i] = options.argmax(axis=1)
        totals[live] = options.max(axis=1) + scores[start[live] + i]
    labels = np.zeros(len(scores), np.int64)
    last = start + size - 1
    labels[last] = totals.argmax(axis=1)
    for i in range(int(size.max()) - 1, 0, -1):
        at = start[size > i] + i
        labels[at - 1] = back[at, labels[at]]
    return labels


def _spans(labels: list[int], text: Tokens, doubtful: list[bool]) -> list[Span]:
    found: list[Span] = []
    for i, label in enumerate(labels):
        if label == OUTSIDE:
            continue
        start = text.starts[i]
        if label % 2 == 0 and found:
            start = found.pop().start
        found.append(Span(start, text.ends[i], KINDS[(label - 1) // 2], doubtful[i]))
    return found


_A, _B, _C = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_FORM, _LOWER, _SHAPE, _END, _BEGINNING, _LISTS = range(6)
# Where a feature looks: from two words before to two after, at the run's ends, and at what stands outside them.
_BEFORE2, _BEFORE, _HERE, _AFTER, _AFTER2, _FIRST, _LAST, _OUT_LEFT, _OUT_RIGHT, _OUT_RIGHT2 = range(10)
_LOOKS = [
    (_FORM, _HERE), (_LOWER, _HERE), (_SHAPE, _HERE), (_END, _HERE), (_BEGINNING, _HERE), (_LISTS, _HERE),
    (_LOWER, _BEFORE2), (_LOWER, _BEFORE), (_LOWER, _AFTER), (_LOWER, _AFTER2), (_LISTS, _BEFORE), (_LISTS, _AFTER),
    (_SHAPE, _BEFORE), (_SHAPE, _AFTER), (_LISTS, _FIRST), (_LISTS, _LAST), (_LOWER, _FIRST), (_LOWER, _LAST),
    (_LOWER, _OUT_LEFT), (_LOWER, _OUT_RIGHT), (_LOWER, _OUT_RIGHT2), (_LISTS, _OUT_LEFT), (_END, _OUT_LEFT),
    (_END, _OUT_RIGHT),
]  # fmt: skip
_ATTRIBUTE = np.array([attribute for attribute, _ in _LOOKS])[:, None]
_WHERE = np.array([where for _, where in _LOOKS])
# Beside what words look like: place in the run, what the gazetteer knows, where else the word stands; and nothing.
_PLACE, _GAZ, _SEEN, _NONE = range(len(_LOOKS), len(_LOOKS) + 4)
(_W, _L, _S, _E, _B3, _G, _L2B, _LB, _LA, _L2A, _GB, _GA, _SB, _SA, _GF, _GL, _LF, _LL,
 _LOL, _LOR, _LOR2, _GOL, _EOL, _EOR) = range(len(_LOOKS))  # fmt: skip
_FEATURES = [
    (_W,), (_L,), (_S, _PLACE), (_E, _S), (_B3, _S), (_G,), (_G, _S), (_LB,), (_LA,), (_L2B,), (_L2A,),
    (_GB, _G), (_G, _GA), (_GB, _G, _GA), (_SB, _S, _SA), (_LB, _L), (_L, _LA), (_L2B, _LB), (_LA, _L2A),
    (_GF, _PLACE), (_GL, _PLACE), (_LL, _PLACE), (_LF, _PLACE), (_LOL, _PLACE), (_LOR, _PLACE), (_LOL, _LOR, _PLACE),
    (_GAZ, _G), (_GAZ, _LOL), (_SEEN, _S), (_SEEN, _G), (_EOL, _G), (_EOR, _G), (_GOL, _G, _PLACE), (_LOR, _LOR2),
    (_GF, _GL, _PLACE),
]  # fmt: skip
_PARTS = np.array([(*parts, _NONE, _NONE)[:3] for parts in _FEATURES]).T
_NUMBERS = (np.arange(1, len(_FEATURES) + 1, dtype=np.uint32) * np.uint32(0x27D4EB2F))[:, None]
_ENDS_A_SENTENCE = Table(hashes('.!?“”:"'))
# Beyond the letters of the gazetteer: the next word of a name.
_GOES_ON = 256


def features(batch: Batch, lexicon: Lexicon) -> NDArray[np.uint32]:
    """One row a feature, one column a word of a run: up to three attributes, hashed together."""
    words, runs, texts, known = batch
    at = spread(runs.firsts, runs.lengths)
    firsts = np.repeat(runs.firsts, runs.lengths)
    lasts = np.repeat(runs.firsts + runs.lengths - 1, runs.lengths)
    where = np.stack([at - 2, at - 1, at, at + 1, at + 2, firsts, lasts, firsts - 1, lasts + 1, lasts + 2])
    counts = [len(text.starts) for text in texts]
    begins, ends = np.repeat(words.bounds[:-1], counts), np.repeat(words.bounds[1:], counts)
    beyond = (where < begins) | (where >= ends)
    where[beyond] = 0
    needed = np.zeros(len(words.starts), bool)
    needed[where] = True
    which = np.flatnonzero(needed)
    columns = (np.cumsum(needed) - 1)[where]
    # What is beyond the text is the last column, for no word at all.
    columns[beyond] = len(which)
    place = np.minimum(at - firsts, 3) * 4 + np.minimum(lasts - at, 3)
    extra = np.stack([place, _known(texts, known), _seen(words, runs, at), np.zeros_like(at)]).astype(np.uint32)
    looks = np.concatenate([lexicon.rows(words, which)[_ATTRIBUTE, columns[_WHERE]], extra])
    one, two, three = looks[_PARTS]
    mixed = one * _A + _NUMBERS
    mixed = (mixed ^ (mixed >> np.uint32(15))) * _B + two * _C
    mixed = (mixed ^ (mixed >> np.uint32(15))) * _B + three * _C
    mixed = (mixed ^ (mixed >> np.uint32(13))) * _A
    found: NDArray[np.uint32] = mixed >> np.uint32(32 - BITS)
    return found


def _known(texts: Sequence[Tokens], known: Sequence[Sequence[Known]]) -> NDArray[np.int64]:
    """For each word, what the gazetteer knows it as: a letter's code, another where it is not the first of a name."""
    found: list[int] = []
    for text, spellings in zip(texts, known, strict=True):
        codes = [0] * len(text.starts)
        for start, end, letter in spellings:
            i = bisect_left(text.starts, start)
            if i == len(codes) or text.starts[i] != start:
                continue
            after = bisect_right(text.ends, end)
            codes[i:after] = [ord(letter)] + [ord(letter) * _GOES_ON] * (after - i - 1) if after > i else []
        found += codes
    return np.array(found)


def _seen(words: Words, runs: Runs, at: Ints) -> NDArray[np.int64]:
    """Whether the text has the word in small letters too, and how it stands: first in a sentence, part of a name."""
    # With the number of the text in it, the same word of two texts is two.
    text = np.repeat(np.arange(1, len(words.bounds), dtype=np.uint64), np.diff(words.bounds)) * _TEXT
    forms = words.forms ^ text
    long = runs.lengths > 1
    heads, parts = runs.firsts[long], runs.firsts[long] + runs.lengths[long] - 1
    ends = words.breaks | _ENDS_A_SENTENCE.has(words.forms)
    begins = ends[at - 1] | np.isin(at, words.bounds)
    small = among(words.lowers[at] ^ text[at], forms)
    here = forms[at]
    among_parts, among_heads = among(here, forms[parts]), among(here, forms[heads])
    found: NDArray[np.int64] = small + 2 * begins + 4 * among_parts + 8 * among_heads
    return found
