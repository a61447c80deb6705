"""Which language: py3langid on the headline and the beginning of the body."""

from __future__ import annotations

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier

# More than this costs time (0.2 ms for 1000) and does not change the answer on news.
SAMPLE_CHARACTERS = 600
FEWEST_LETTERS = 20
LETTERS_LOOKED_AT = 200
# Below this the model is guessing; between two languages it doubts, the article's own word decides.
LEAST_CONFIDENCE = 0.4
SURE = 0.9
# What is written in newspapers, plus `zxx` (no language at all). Fewer candidates, fewer wild guesses on short texts.
CANDIDATES = (
    "af am ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gl gu ha he hi hr hu hy id is it ja ka kk km"
    " kn ko ku ky la lb lo lt lv mg mk ml mn ms mt my ne nl no nn or pa pl ps pt ro ru rw si sk sl so sq sr sv sw ta te"
    " tg th tk tl tr ug uk ur uz vi xh yo zh zu zxx"
)


class LanguageGuesser:
    """Holds py3langid's model, about 100 MB of it, so build one a process."""

    def __init__(self) -> None:
        self._model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._model.set_languages(CANDIDATES.split())
        # Choosing columns leaves the table in column order, while scoring reads rows: 0.2 ms an article for nothing.
        self._model.nb_ptc = np.ascontiguousarray(self._model.nb_ptc)

    def guess(self, text: str, declared: str | None = None) -> tuple[str | None, float]:
        """Language code and confidence 0..1 (two decimals) of `text`; (None, 0.0) where it is too short or none.

        `declared` is what the article says of itself (BCP 47); it counts only where the model is in doubt.
        """
        sample = text[:SAMPLE_CHARACTERS]
        if sum(map(str.isalpha, sample[:LETTERS_LOOKED_AT])) < FEWEST_LETTERS:
            return None, 0.0
        # A lone surrogate cannot be encoded; the model wants bytes it can read.
        found, confidence = self._model.classify(sample.encode("utf-8", "replace").decode())
        if confidence < SURE and declared:
            found, confidence = self._side_with(declared, sample, found, confidence)
        if found == "zxx" or confidence < LEAST_CONFIDENCE:
            return None, 0.0
        return str(found), round(float(confidence), 2)

    def _side_with(self, declared: str, sample: str, found: str, confidence: float) -> tuple[str, float]:
        """The declared language where the model gives it at least a third of the best one's share."""
        base = declared.replace("_", "-").split("-")[0].lower()
        share = dict(self._model.rank(sample.encode("utf-8", "replace").decode())).get(base, 0.0)
        return (base, confidence) if share * 3 >= confidence else (found, confidence)
