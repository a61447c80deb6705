"""text ─▶ tokens ─▶ runs of capitalised words ─▶ best labels ─▶ spans: names by a linear chain that we trained.

A label is B (a name begins) or I (it goes on) with a kind, or O. Every word of a run is scored by hashed features of
itself and its neighbours, and the best allowed sequence of labels is read off (Viterbi 1967). The weights come from an
averaged structured perceptron (Collins 2002); `data/README.md` says on what text, `data/make_chain.py` does it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.tag.lexicon import Lexicon

Kind = Literal["person", "organisation", "place"]
KINDS: tuple[Kind, ...] = ("person", "organisation", "place")
OUTSIDE = 0
LABELS = 7
"""Outside, then begin and inside of each kind."""
BITS = 19
_SHORT = "Mr|Mrs|Ms|Dr|Prof|Sen|Rep|Gov|Gen|Lt|Col|Sgt|Capt|Maj|Adm|Cpl|Rev|Fr|St|Jr|Sr|Inc|Corp|Co|Ltd"
# Blanks and plain words first: nine pieces of ten are such, and this halves the time.
_PIECE = re.compile(
    r" |[a-z]++(?![^\W_]|['’&-])|"
    rf"(?:[A-Z]\.){{2,}}|(?:{_SHORT})\.|[A-Z]\.(?= [A-Z])"
    r"|[^\W_]+(?:['’](?![sS]\b)[^\W_]+|-[A-Z0-9][^\W_]*|&[A-Z][^\W_]*)*|\n+|['’][sS]\b|[^\w\s]|_|[^\S\n]+"
)
INSIDE = frozenset("of the for and & de da do dos das del della di du van von der den ten bin ibn al el la le".split())
_MOST_INSIDE = 2


class Span(NamedTuple):
    """One name; offsets count characters, end exclusive."""

    start: int
    end: int
    kind: Kind


class Tokens(NamedTuple):
    """A text cut into words and signs, and the runs in it that may hold names."""

    text: str
    words: list[str]
    kept: list[int]
    """Which pieces of the text the words are: blanks are pieces, too."""
    ends: list[int]
    """Where each piece ends."""
    runs: list[tuple[int, int]]
    """First token and the one after the last."""

    def start(self, token: int) -> int:
        """Offset of the token's first character."""
        return self.ends[self.kept[token]] - len(self.words[token])

    def end(self, token: int) -> int:
        """Offset after the token's last character."""
        return self.ends[self.kept[token]]


def tokenise(text: str, small: frozenset[str]) -> Tokens:
    """Tokens and runs; a lone word of `small` (`The`) makes no run."""
    # The pieces, blanks among them, are the whole text, so their lengths add up to their offsets.
    pieces = _PIECE.findall(text)
    kept = [i for i, piece in enumerate(pieces) if piece != " " and (piece[0] == "\n" or not piece.isspace())]
    words = [pieces[i] for i in kept]
    return Tokens(text, words, kept, list(accumulate(map(len, pieces))), _runs(words, small))


def _runs(words: list[str], small: frozenset[str]) -> list[tuple[int, int]]:
    # Comparing words is faster than looking at their first letters; outside ASCII there is no way around it.
    capital = [
        i
        for i, word in enumerate(words)
        if "A" <= word < "[" or (word > "\x7f" and word[0].isupper()) or word.startswith(("al-", "el-"))
    ]
    runs: list[tuple[int, int]] = []
    for i in capital:
        if runs:
            first, after = runs[-1]
            if i - after <= _MOST_INSIDE and (i == after or all(word in INSIDE for word in words[after:i])):
                runs[-1] = (first, i + 1)
                continue
        runs.append((i, i + 1))
    return [
        (first, after)
        for first, after in runs
        if after - first > 1 or words[first].lower() not in small or (len(words[first]) > 1 and words[first].isupper())
    ]


class Chain:
    """The weights; `spans` is pure."""

    def __init__(self, lexicon: Lexicon, weights: NDArray[np.int16], transitions: NDArray[np.int32]) -> None:
        self._lexicon = lexicon
        self._weights = weights
        self._moves = transitions

    def spans(self, tokens: Tokens, known: Sequence[tuple[int, int, str]]) -> list[Span]:
        """Names in order. `known` are spellings found by the gazetteer: start, end and a letter for their kind."""
        if not tokens.runs:
            return []
        scores = self._weights[self.features(tokens, known)].sum(axis=1, dtype=np.int32)
        lengths = [after - first for first, after in tokens.runs]
        labels = best(scores, lengths, self._moves).tolist()
        found: list[Span] = []
        done = 0
        for (first, _), length in zip(tokens.runs, lengths, strict=True):
            found.extend(_spans(labels[done : done + length], tokens, first))
            done += length
        return found

    def features(self, tokens: Tokens, known: Sequence[tuple[int, int, str]]) -> NDArray[np.uint32]:
        """Rows of the table that speak for each word of each run, in order."""
        return features(tokens, known, self._lexicon)


def best(scores: NDArray[np.int32], lengths: Sequence[int], moves: NDArray[np.int32]) -> NDArray[np.int64]:
    """The labels of each run with the highest sum of scores and of moves between them, all runs side by side.

    `scores` has a row for each word, run after run; `moves[LABELS]` are the moves into a first word.
    """
    size = np.asarray(lengths)
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


def _spans(labels: list[int], tokens: Tokens, first: int) -> list[Span]:
    found: list[Span] = []
    for i, label in enumerate(labels):
        if label == OUTSIDE:
            continue
        kind = KINDS[(label - 1) // 2]
        start, end = tokens.start(first + i), tokens.end(first + i)
        if label % 2 == 0 and found:
            start = found.pop().start
        found.append(Span(start, end, kind))
    return found


_PAD = 3
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


def features(tokens: Tokens, known: Sequence[tuple[int, int, str]], lexicon: Lexicon) -> NDArray[np.uint32]:
    """The features of each word of each run, one row a word: up to three attributes, hashed together."""
    pad = [""] * _PAD
    rows = lexicon.rows([*pad, *tokens.words, *pad]).T
    lengths = [after - first for first, after in tokens.runs]
    firsts = np.repeat([first for first, _ in tokens.runs], lengths)
    lasts = np.repeat([after - 1 for _, after in tokens.runs], lengths)
    at = np.array([i for first, after in tokens.runs for i in range(first, after)])
    where = np.stack([at - 2, at - 1, at, at + 1, at + 2, firsts, lasts, firsts - 1, lasts + 1, lasts + 2]) + _PAD
    place = np.minimum(at - firsts, 3) * 4 + np.minimum(lasts - at, 3)
    extra = np.stack([place, _known(tokens, known, at), _seen(tokens, at), np.zeros_like(at)]).astype(np.uint32)
    looks = np.concatenate([rows[_ATTRIBUTE, where[_WHERE]], extra])
    one, two, three = looks[_PARTS]
    mixed = one * _A + _NUMBERS
    mixed = (mixed ^ (mixed >> np.uint32(15))) * _B + two * _C
    mixed = (mixed ^ (mixed >> np.uint32(15))) * _B + three * _C
    mixed = (mixed ^ (mixed >> np.uint32(13))) * _A
    return np.ascontiguousarray((mixed >> np.uint32(32 - BITS)).T)


def _known(tokens: Tokens, known: Sequence[tuple[int, int, str]], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each word, what the gazetteer knows it as: a letter's code, another where it is not the first of a name."""
    found = np.zeros(len(at), np.int64)
    starts = {tokens.start(token): i for i, token in enumerate(at.tolist())}
    for start, end, letter in known:
        i = starts.get(start)
        code = ord(letter)
        while i is not None and i < len(at) and tokens.end(int(at[i])) <= end:
            found[i] = code
            code = ord(letter) * 256
            i += 1
    return found


def _seen(tokens: Tokens, at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whether the text has the word in small letters too, and how it stands: first in a sentence, part of a name."""
    words = tokens.words
    small = frozenset(words)
    parts = {words[after - 1] for first, after in tokens.runs if after - first > 1}
    heads = {words[first] for first, after in tokens.runs if after - first > 1}
    codes = []
    for i in at.tolist():
        word = words[i]
        begins = i == 0 or words[i - 1][0] in '.!?\n"“”:'
        codes.append((word.lower() in small) + 2 * begins + 4 * (word in parts) + 8 * (word in heads))
    return np.array(codes)
