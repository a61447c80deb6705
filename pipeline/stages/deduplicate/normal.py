"""The normal form of a text: what is left when case, quotes, dashes, spacing and look-alike signs do not count.

Letters, marks, digits, currency and percent signs stay, lower-cased; everything between them becomes one space.
It is an array of 16-bit codes, so that shingling is a handful of numpy operations on it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint16]
Positions = NDArray[np.intp]

SPACE = 32
_COMPOSITE = 1  # marks, in the table, a sign whose compatibility form is several signs (ﬁ, ½, ㈱)
_ASTRAL = 0x10000
_LONG_WORDS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
)
_SPACELESS = (
    *_LONG_WORDS,
    (0x3005, 0x3007),  # Han repetition and zero
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # Han
    (0xD800, 0xDFFF),  # halves of rarer Han; emoji never get this far
    (0xF900, 0xFAFF),  # Han for compatibility
)


def _kept(sign: str) -> bool:
    category = unicodedata.category(sign)
    return category[0] in "LMN" or category == "Sc" or sign in "%‰"


def _code(sign: str) -> int:
    """What stands for `sign` in the normal form: a code, SPACE or _COMPOSITE."""
    flat = unicodedata.normalize("NFKC", sign)
    if not any(map(_kept, flat)):
        return SPACE
    return ord(flat.lower()[0]) if len(flat) == 1 and flat < "\U00010000" else _COMPOSITE


@cache
def _table() -> Codes:
    """Code of every sign of the basic plane; 0.1 s, hence not at import. Halves of others stand for themselves."""
    return np.array([c if 0xD800 <= c < 0xE000 else _code(chr(c)) for c in range(_ASTRAL)], dtype=np.uint16)


@cache
def spaceless_signs() -> NDArray[np.bool_]:
    """For every code, whether it belongs to a script that writes no spaces between words."""
    return _among(_SPACELESS)


@cache
def long_word_signs() -> NDArray[np.bool_]:
    """For every code, whether it belongs to one of those where a word takes four signs rather than two."""
    return _among(_LONG_WORDS)


def _among(stretches: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    found = np.zeros(_ASTRAL, dtype=np.bool_)
    for first, last in stretches:
        found[first : last + 1] = True
    return found


def _flatten(text: str) -> str:
    """The slow path: compatibility forms resolved; emoji and halves of signs gone."""
    flat = unicodedata.normalize("NFKC", text)
    return "".join(sign if _kept(sign) else " " for sign in flat)


def normal_form(text: str) -> Codes:
    """`text` as lower-case codes with single spaces between words, none at the ends; empty if nothing is left."""
    codes, _, starts, ends = normal_forms([text])
    return codes[starts[0] : ends[0]]


def normal_forms(texts: Sequence[str]) -> tuple[Codes, Codes, Positions, Positions]:
    """Normal forms of several texts in one array, a space behind each, and where each starts and ends in it.

    Second, the sign that each code was made of; of a run of signs that became one space, the first.
    """
    codes, written, lengths = _codes(texts)
    strange = np.flatnonzero((codes == _COMPOSITE) | (codes >> 11 == 0x1B))
    if strange.size:
        which = set(np.searchsorted(np.cumsum(lengths), strange, side="right").tolist())
        codes, written, lengths = _codes([_flatten(text) if at in which else text for at, text in enumerate(texts)])
    solid = codes != SPACE
    kept = solid.copy()
    kept[1:] |= solid[:-1]  # of each run of spaces the first stays
    places = np.flatnonzero(kept)
    behind = np.cumsum(lengths)
    starts, ends = np.searchsorted(places, behind - lengths), np.searchsorted(places, behind - 1)
    found: Codes = codes[places]
    if found.size:
        ends = ends - ((ends > starts) & (found.take(ends - 1, mode="clip") == SPACE))
    return found, written[places], starts, ends


def _codes(texts: Sequence[str]) -> tuple[Codes, Codes, Positions]:
    """Codes of all texts, a space behind each; the signs they stand for; how many each text takes with its space."""
    encoded = [text.encode("utf-16-le", "surrogatepass") for text in texts]
    written = np.frombuffer(b"\n\0".join([*encoded, b""]), dtype="<u2")
    return _table().take(written), written, np.array([len(each) // 2 + 1 for each in encoded], dtype=np.intp)
