"""What one word looks like and which lists it stands on, as numbers that the chain's features are made of."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh32_intdigest

from pipeline.stages.tag.places import Atlas
from pipeline.stages.tag.words import alternatives, rows, stopwords, words

WIDTH = 6
"""Numbers a word: its form, small letters, shape, last three letters, first three, and lists."""
# So many different words are remembered; then all are forgotten, which costs time but changes nothing.
MOST_WORDS = 100_000
_LONG_RUN = re.compile(r"(.)\1{2,}")
_LETTERS = [letter for letter in map(chr, range(0x250)) if letter.isalpha()]
_CLASSES = str.maketrans({c: "X" if c.isupper() else "x" for c in _LETTERS} | dict.fromkeys("0123456789", "d"))


class Lexicon:
    """Turns words into rows of hashed attributes. Remembers rows, so it is no good for threads; results are pure."""

    def __init__(self, atlas: Atlas) -> None:
        self._lists = _lists(atlas)
        self._small = stopwords()["en"]
        self._cities = {
            name: max(people for _, people in known.cities) for name, known in atlas.names.items() if known.cities
        }
        self._index: dict[str, int] = {}
        self._rows: NDArray[np.uint32] = np.zeros((1024, WIDTH), np.uint32)

    def rows(self, tokens: list[str]) -> NDArray[np.uint32]:
        """One row of `WIDTH` numbers for every token."""
        if len(self._index) > MOST_WORDS:
            self._index.clear()
        index = self._index
        numbers = [index[token] if token in index else self._learn(token) for token in tokens]
        found: NDArray[np.uint32] = self._rows[numbers]
        return found

    def _learn(self, token: str) -> int:
        number = len(self._index)
        if number == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        lower = token.lower()
        shape = _LONG_RUN.sub(r"\1\1", token.translate(_CLASSES))
        parts = (token, lower, shape, lower[-3:], lower[:3], self.lists(token))
        self._rows[number] = [hashed(f"{kind}{part}") for kind, part in enumerate(parts)]
        self._index[token] = number
        return number

    def lists(self, token: str) -> str:
        """The letters of all lists that `token` stands on; cities say how large they are."""
        upper = token.upper()
        found = [letter for letter, members in self._lists if token in members or upper in members]
        if token.lower() in self._small:
            found.append("s")
        people = self._cities.get(token, 0)
        return "".join(found) + (str(min(9, people // 250_000)) if people else "")


def hashed(text: str) -> int:
    """A 32-bit number that is the same on every machine. A lone surrogate has no bytes of its own."""
    return xxh32_intdigest(text.encode("utf-8", "surrogatepass"))


def _lists(atlas: Atlas) -> list[tuple[str, frozenset[str]]]:
    places = atlas.names.items()
    organisations = {spelling for name, other in rows("organisations.tsv") for spelling in (name, *alternatives(other))}
    return [
        ("f", words("first_names.txt") | words("census_first.txt")),
        ("l", words("census_last.txt")),
        ("t", words("titles.txt")),
        ("u", words("title_starts.txt")),
        ("n", words("not_names.txt")),
        ("e", words("org_words.txt")),
        ("h", words("org_heads.txt")),
        ("g", words("things.txt")),
        ("c", frozenset(name for name, known in places if known.country)),
        ("p", frozenset(name for name, known in places if known.hints)),
        ("o", frozenset(organisations)),
        ("q", words("city_stop.txt")),
    ]
