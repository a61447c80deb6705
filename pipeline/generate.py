"""Made-up articles in any number, the same for the same seed: for benchmarks and for tests under load.

The words are nonsense with some real names among them, so that every stage has its usual work to do and no text
belongs to anybody.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

_SYLLABLES = "ba ce di fo gu la me ni po ru sa te vi wo ka len mar sol tur nes dal pri ston bel".split()
_NAMES = ("Maria Santos", "John Miller", "Aiko Tanaka", "Peter Novak", "the United Nations", "Acme Corp", "Lisbon",
          "Nairobi", "Japan", "Brazil", "the Ministry of Health", "Osaka", "Poland", "the World Bank")  # fmt: skip
_LINKS = "the of and to in a for that on with as by at from".split()
_PARAGRAPHS, _WORDS = 6, 95
_CHANGED_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Made:
    """One generated article as a line of JSON Lines, and which original it repeats."""

    line: bytes
    """JSON object with `title`, `body`, `published`; no newline at the end."""
    cluster: int
    """Number of the original; articles of one cluster are the same news."""
    kind: str
    """`original`, `exact` or `near`."""


def articles(count: int, seed: int = 1, exact: float = 0.05, near: float = 0.10) -> Iterator[Made]:
    """`count` articles of about 4 KB, of which the shares `exact` and `near` (0..1) repeat an earlier one.

    A near-duplicate has 3% of its words replaced and another headline.
    """
    rng = random.Random(seed)  # noqa: S311 - nothing here is a secret
    words = ["".join(rng.choices(_SYLLABLES, k=rng.randint(1, 4))) for _ in range(9000)]
    originals: list[int] = []
    for number in range(count):
        draw = rng.random()
        if originals and draw < exact + near:
            cluster = rng.choice(originals)
            kind = "exact" if draw < exact else "near"
        else:
            cluster, kind = number, "original"
            originals.append(number)
        yield Made(_line(seed, cluster, number, kind, words), cluster, kind)


def _line(seed: int, cluster: int, number: int, kind: str, words: list[str]) -> bytes:
    rng = random.Random(f"{seed}/{cluster}")  # noqa: S311
    paragraphs = [_paragraph(rng, words) for _ in range(_PARAGRAPHS)]
    title = " ".join(rng.choices(words, k=8)).capitalize()
    if kind == "near":
        edit = random.Random(f"{seed}/{cluster}/{number}")  # noqa: S311
        paragraphs = [[edit.choice(words) if edit.random() < _CHANGED_SHARE else w for w in p] for p in paragraphs]
        title = " ".join(edit.choices(words, k=8)).capitalize()
    body = "\n\n".join(_sentence(p) for p in paragraphs)
    return orjson.dumps({"title": title, "body": body, "published": "2025-03-18T09:00:00Z"})


def _sentence(words: list[str]) -> str:
    text = " ".join(words)
    return text[0].upper() + text[1:] + "."


def _paragraph(rng: random.Random, words: list[str]) -> list[str]:
    found = rng.choices(words, k=_WORDS)
    for position in range(3, _WORDS, 4):
        found[position] = rng.choice(_LINKS)
    found[rng.randrange(_WORDS)] = rng.choice(_NAMES)
    return found
