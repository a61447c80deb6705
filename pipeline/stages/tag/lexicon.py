"""What one word looks like and which lists it stands on, as numbers that the chain's features are made of."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.tag.letters import Ints, Table, Words, edges, hashes, shapes
from pipeline.stages.tag.places import Atlas
from pipeline.stages.tag.words import alternatives, rows, stopwords, words

WIDTH = 6
"""Numbers a word: its form, small letters, shape, last three letters, first three, and lists."""
_PEOPLE_A_STEP, _STEPS = 250_000, 9


class Lexicon:
    """Turns words into rows of attributes; pure."""

    def __init__(self, atlas: Atlas) -> None:
        exact: dict[str, int] = defaultdict(int)
        # The census has its names in capitals, and a text may have them either way.
        either: dict[str, int] = defaultdict(int)
        lists = _lists(atlas)
        for bit, members in enumerate(lists):
            for member in members:
                if member.isupper():
                    either[member.lower()] |= 1 << bit
                else:
                    exact[member] |= 1 << bit
        for small in stopwords()["en"]:
            either[small] |= 1 << len(lists)
        for name, known in atlas.names.items():
            if known.cities:
                size = min(_STEPS, max(people for _, people in known.cities) // _PEOPLE_A_STEP)
                exact[name] |= (size + 1) << (len(lists) + 1)
        self._exact, self._either = Table(hashes(exact), exact.values()), Table(hashes(either), either.values())

    def rows(self, words: Words, which: Ints) -> NDArray[np.uint32]:
        """One column of `WIDTH` numbers for each of the words `which`, and one for no word at all."""
        forms, lowers = words.forms[which], words.lowers[which]
        first, last = edges(words, which)
        found = np.zeros((WIDTH, len(which) + 1), np.uint32)
        parts = (forms, lowers, shapes(words, which), last, first)
        for row, part in enumerate(parts):
            found[row, :-1] = part >> np.uint64(32)
        found[-1, :-1] = self._exact.of(forms) | self._either.of(lowers)
        return found


def _lists(atlas: Atlas) -> list[frozenset[str]]:
    places = atlas.names.items()
    organisations = {spelling for name, other in rows("organisations.tsv") for spelling in (name, *alternatives(other))}
    return [
        words("first_names.txt") | words("census_first.txt"),
        words("census_last.txt"),
        words("titles.txt"),
        words("title_starts.txt"),
        words("not_names.txt"),
        words("org_words.txt"),
        words("org_heads.txt"),
        words("things.txt"),
        frozenset(name for name, known in places if known.country),
        frozenset(name for name, known in places if known.hints),
        frozenset(organisations),
        words("city_stop.txt"),
    ]
