"""Makes `common.tsv`: how little a word tells of what an article is about, since many articles have it.

Run it by hand: `python pipeline/stages/deduplicate/data/make_common.py SENTENCES FOLDER…`. Each FOLDER is one
collection of English texts, a `.txt` file a text; a word's share of texts is the mean of its shares in the collections
(of their squares, so that the formulas of one trade, qtr and shr, tell little). SENTENCES holds a file `LANGUAGE.txt`
for each of many languages, a sentence a line, of which fifteen count as a text; only their most frequent words are
taken, and they overrule English only where two of five texts have them. The file has words and a number from 0 (tells
nothing) to 254; a word that is not in it tells most (255). Facts only, no text.

The file that ships was made of the Brown corpus in pieces of 400 words, the BBC's articles of 2004 and 2005, 5,000
reports of Reuters' wire of 1987, and the sentences on which the language detector lingua is tested.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from pipeline.stages.deduplicate.normal import SPACE
from pipeline.stages.deduplicate.texts import texts_of

HERE = Path(__file__).parent
LEAST = 1 / 1500
"""Of the texts must have a word before its share means anything."""
LEAST_ELSEWHERE, SURELY_COMMON = 0.2, 0.4
SENTENCES = 15
TELLING, MOST_TELLING = 2.2, 8.7
"""Natural logarithms of one over the share: words below the first tell nothing, those above the second no more."""


def grams(text: str) -> set[str]:
    """The different words of `text`, or runs of signs where no spaces part words, in normal form."""
    texts = texts_of([text])
    size = int(texts.word[0])
    ends = texts.end[size - 1 :].tolist()
    found = (texts.codes[a:b] for a, b in zip(texts.begin.tolist(), ends, strict=False))
    return {gram.tobytes().decode("utf-16-le", "replace") for gram in found if SPACE not in gram}


def shares(texts: Iterable[str]) -> dict[str, float]:
    """The share of `texts` that has each word."""
    found = [grams(text) for text in texts]
    counts = Counter(word for one in found for word in one)
    return {word: count / len(found) for word, count in counts.items()}


def code(share: float) -> int:
    """What a word tells that this share of texts has, 0 to 254."""
    rarity = -math.log(share)
    return 0 if rarity < TELLING else min(254, round(255 * (rarity / MOST_TELLING) ** 1.2))


def collections(folders: list[Path]) -> dict[str, float]:
    """The words of all collections, with their mean share."""
    squares: defaultdict[str, float] = defaultdict(float)
    for folder in folders:
        found = shares(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.txt")))
        for word, share in found.items():
            squares[word] += share**2 / len(folders)
    return {word: math.sqrt(square) for word, square in squares.items() if math.sqrt(square) >= LEAST}


def languages(folder: Path) -> dict[str, float]:
    """The most frequent words of each language, with their share in the one where it is highest."""
    best: dict[str, float] = {}
    for path in sorted(folder.glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        found = shares(" ".join(lines[at : at + SENTENCES]) for at in range(0, len(lines), SENTENCES))
        for word, share in found.items():
            if share >= LEAST_ELSEWHERE:
                best[word] = max(share, best.get(word, 0))
    return best


def main(sentences: Path, folders: list[Path]) -> None:
    """Write the file beside this one."""
    every = languages(sentences)
    for word, share in collections(folders).items():
        elsewhere = every.get(word, 0)
        every[word] = max(share, elsewhere if elsewhere >= SURELY_COMMON else 0)
    by_code: defaultdict[int, list[str]] = defaultdict(list)
    for word, share in every.items():
        if len(word) > 1 and not word[0].isdigit() and "\ufffd" not in word:
            by_code[code(share)].append(word)
    lines = (f"{number}\t{' '.join(sorted(words))}\n" for number, words in sorted(by_code.items()))
    (HERE / "common.tsv").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
