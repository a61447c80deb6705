"""What an article says, word by word, as language, topics and keywords see it: the headline, then the body."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from pipeline.records import Article
from pipeline.stages.tag.letters import Hashes, Ints, Words, able, cut, hashes, numeric

# Topics and keywords are settled within 2,000 words; what stands behind them only costs time.
CHARACTERS_READ = 12_000
# Of `2025`, and of `2025-03-18`.
_DATE_LENGTHS = (4, 10)


class Page(NamedTuple):
    """One article; the arrays and `words` have an entry for each word and sign."""

    words: list[int]
    """The word in small letters, by its hash."""
    headline: int
    """So many of them are the headline's; none of a headline that was taken from the body."""
    able: list[int]
    """Which of them may be keywords."""
    numbers: list[int]
    """Which words of the body may be a year, or all of a date, in digits."""
    lowers: Hashes
    """The same as `words`."""
    forms: Hashes
    """The word as it is written."""
    starts: Ints
    ends: Ints
    """Where it stands: in the headline, or in the body."""
    article: Article

    def spelled(self, i: int) -> str:
        """Word `i` as it is written."""
        text = self.article.headline if i < self.headline else self.article.body
        return text[self.starts[i] : self.ends[i]]

    def plain(self, which: list[int]) -> list[bool]:
        """Which of the words `which` are written in small letters."""
        found: list[bool] = (self.forms[which] == self.lowers[which]).tolist()
        return found


def pages(articles: Sequence[Article], bodies: Words) -> list[Page]:
    """The pages of `articles`, whose bodies, or the beginnings of them, were cut into `bodies`."""
    heads = cut(["" if a.headline_derived else a.headline[:CHARACTERS_READ] for a in articles])
    return [_page(article, i, heads, bodies) for i, article in enumerate(articles)]


def _page(article: Article, i: int, heads: Words, bodies: Words) -> Page:
    last = bodies.begins[i] + CHARACTERS_READ
    # The line break behind a text is nobody's word.
    head = slice(heads.bounds[i], heads.bounds[i + 1] - 1)
    body = slice(bodies.bounds[i], min(bodies.bounds[i + 1], int(np.searchsorted(bodies.starts, last))))
    both = ((heads, head), (bodies, body))
    lowers = np.concatenate([words.lowers[part] for words, part in both])
    return Page(
        lowers.tolist(),
        head.stop - head.start,
        np.flatnonzero(np.concatenate([able(words, part) for words, part in both])).tolist(),
        (head.stop - head.start + np.flatnonzero(numeric(bodies, body, _DATE_LENGTHS))).tolist(),
        lowers,
        np.concatenate([words.forms[part] for words, part in both]),
        np.concatenate([words.starts[part] - words.begins[i] for words, part in both]),
        np.concatenate([words.ends[part] - words.begins[i] for words, part in both]),
        article,
    )


def numbers(words: Iterable[str]) -> frozenset[int]:
    """What `Page.words` has for each of `words`, which are in small letters."""
    return frozenset(hashes(words).tolist())
