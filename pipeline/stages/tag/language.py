"""Which language: py3langid on the headline and the beginning of the body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from pipeline.stages.tag.letters import Table, hashes
from pipeline.stages.tag.page import Page

# More than this costs time (0.2 ms for 1000) and does not change the answer on news.
SAMPLE_CHARACTERS = 600
FEWEST_LETTERS = 20
LETTERS_LOOKED_AT = 200
# Below this the model is guessing; between two languages it doubts, the article's own word decides.
LEAST_CONFIDENCE = 0.4
SURE = 0.9
# Above this, with its close relatives, each of two languages in one text is really there.
LIKELY = 0.7
# What is written in newspapers, plus `zxx` (no language at all). Fewer candidates, fewer wild guesses on short texts.
CANDIDATES = (
    "af am ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gl gu ha he hi hr hu hy id is it ja ka kk km"
    " kn ko ku ky la lb lo lt lv mg mk ml mn ms mt my ne nl no nn or pa pl ps pt ro ru rw si sk sl so sq sr sv sw ta te"
    " tg th tk tl tr ug uk ur uz vi xh yo zh zu zxx"
)


# A language that the model gives a third of the best one's share is close to it.
CLOSE = 3
_CANDIDATES_KEPT = 8
_SHOUTED = 0.7
# From Hebrew on scripts belong to few languages each; from the radicals on a letter is a syllable or a word.
_OWN_SCRIPTS, _IDEOGRAPHS = "\u0590", "\u2e80"
# Of English news one word in six is one of these, and no other language of the newspapers has them. This decides on
# nearly all English articles and spares them the model.
_ENGLISH = Table(hashes("the and of that with from this were have been which would they their what who said".split()))
_ENOUGH, _ONE_IN = 8, 14
# A text may be in two languages where some stretches of so many words have none of these, and others that many.
_STRETCH, _FEWEST_ENGLISH = 40, 3
# So much of a text, at least, makes a language of its own in it; less is a quotation.
_LEAST_SHARE = 0.15
_PIECE, _SHORTEST = 300, 60


class Guess(NamedTuple):
    """A language."""

    code: str | None
    """None where the text is too short, or no language."""
    confidence: float
    """0..1, two decimals."""
    alternatives: tuple[tuple[str, float], ...] = ()
    """Languages that it might be as well, likeliest first, each with its share."""


UNKNOWN = Guess(None, 0.0)


class LanguageGuesser:
    """Holds py3langid's model, about 100 MB of it, so build one a process."""

    def __init__(self) -> None:
        self._model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._model.set_languages(CANDIDATES.split())
        # Choosing columns leaves the table in column order, while scoring reads rows: 0.2 ms an article for nothing.
        self._model.nb_ptc = np.ascontiguousarray(self._model.nb_ptc)

    def guess_all(self, pages: Sequence[Page]) -> list[Guess]:
        """The language of each of `pages`; what an article says of itself (BCP 47) counts only in doubt.

        Of a text that is part in one language and part in another: the larger part's, with its share of the text as
        confidence, and the other one with its share.
        """
        english = _ENGLISH.has(np.concatenate([page.lowers for page in pages]))
        ends = np.cumsum([len(page.words) for page in pages]).tolist()
        return [
            self._guess(page, english[end - len(page.words) + page.headline : end])
            for page, end in zip(pages, ends, strict=True)
        ]

    def _guess(self, page: Page, english: NDArray[np.bool_]) -> Guess:
        """The language of one article; `english`: which words of its body only English has."""
        foreign, first = _without_english(page, english)
        article = page.article
        if np.count_nonzero(english) >= max(_ENOUGH, len(english) // _ONE_IN):
            whole = Guess("en", 1.0)
        else:
            whole = self.of(f"{article.headline}\n{article.body[:SAMPLE_CHARACTERS]}", article.language)
            if not foreign:
                return self._of_ends(whole, article.body)
        if _LEAST_SHARE <= foreign <= 1 - _LEAST_SHARE:
            other = self.of(article.body[first : first + _PIECE])
            return _both(Guess("en", 1.0), other, 1 - foreign) or whole
        return whole

    def _of_ends(self, whole: Guess, body: str) -> Guess:
        """`whole`, the guess by the beginning, unless the two ends of `body` are in two languages."""
        third = len(body) // 3
        if third < _SHORTEST:
            return whole
        end = self.of(body[2 * third :][:_PIECE])
        if len(body) > SAMPLE_CHARACTERS + third:
            return _both(whole, end, 0.5) or whole
        return _both(self.of(body[:third]), end, 0.5) or whole

    def of(self, text: str, declared: str | None = None) -> Guess:
        """The language of `text`, by the model."""
        sample = text[:SAMPLE_CHARACTERS]
        if sum(map(_weight, filter(str.isalpha, sample[:LETTERS_LOOKED_AT]))) < FEWEST_LETTERS:
            return UNKNOWN
        if sum(map(str.isupper, sample)) > _SHOUTED * sum(map(str.isalpha, sample)):
            # The model knows no language in capitals.
            sample = sample.lower()
        # A lone surrogate cannot be encoded; the model wants bytes it can read.
        ranked = self._model.rank(sample.encode("utf-8", "replace").decode())[:_CANDIDATES_KEPT]
        shares = {str(code): float(share) for code, share in ranked}
        found, best = next(iter(shares.items()))
        if best < SURE and declared:
            # The declared language where the model gives it at least a third of the best one's share.
            base = declared.replace("_", "-").split("-")[0].lower()
            found = base if shares.get(base, 0.0) * CLOSE >= best else found
        if found == "zxx" or best < LEAST_CONFIDENCE:
            return UNKNOWN
        near = [(code, round(share, 2)) for code, share in shares.items() if code not in (found, "zxx")]
        close = tuple((code, share) for code, share in near if share * CLOSE >= best)
        return Guess(found, round(best, 2), close)


def _weight(letter: str) -> int:
    """How many letters of an alphabet that many languages share one letter is worth: a headline in Chinese is short."""
    return 1 if letter < _OWN_SCRIPTS else 2 if letter < _IDEOGRAPHS else 3


def _both(one: Guess, other: Guess, share: float) -> Guess | None:
    """The guess for a text of which `share` is in the first language and the rest in the second; None if they are one.

    One they are, too, where either is not sure: Indonesian for all that it may be Malay, but not Spanish.
    """
    if one.code is None or other.code is None:
        return None
    first, second = ({guess.code: guess.confidence, **dict(guess.alternatives)} for guess in (one, other))
    if first.keys() & second.keys() or min(sum(first.values()), sum(second.values())) < LIKELY:
        return None
    (most, code), (less, behind) = sorted(((share, one.code), (1 - share, other.code)), key=lambda s: -s[0])
    return Guess(code, round(most, 2), ((behind, round(less, 2)),))


def _without_english(page: Page, english: NDArray[np.bool_]) -> tuple[float, int]:
    """Which share of the body has no word that only English has, and where that begins; 0 where none or all of it.

    `english`: which words of the body only English has.
    """
    count = len(english) // _STRETCH
    if count < 2:
        return 0.0, 0
    hits = np.count_nonzero(english[: count * _STRETCH].reshape(count, _STRETCH), axis=1)
    if hits.all() or hits.max() < _FEWEST_ENGLISH:
        return 0.0, 0
    starts = page.starts[page.headline :][np.arange(count) * _STRETCH]
    sizes = np.diff(starts, append=page.ends[page.headline + count * _STRETCH - 1])
    none, some = int(sizes[hits == 0].sum()), int(sizes[hits >= _FEWEST_ENGLISH].sum())
    return none / (none + some), int(starts[hits == 0][0])
