"""Runs of capitalised words and the segments they fall into: `US President Joe Biden` → `US`, (title) `Joe Biden`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import NamedTuple

from pipeline.stages.tag.words import stopwords, words

_UPPER = "".join(c for c in map(chr, range(0x250)) if c.isupper())
_SHORT = "Mr|Mrs|Ms|Dr|Prof|Sen|Rep|Gov|Gen|Lt|Col|Sgt|Capt|Maj|Adm|Cpl|Rev|Fr|St|Jr|Sr|Inc|Corp|Co|Ltd"
# A name's word: `U.S.`, an initial, `Dr.`, or a capitalised word with hyphens and apostrophes but no possessive 's.
# It begins with the capital, and looks back only then: that makes the search three times as fast.
WORD = re.compile(
    rf"[{_UPPER}](?<![\w@#].)(?:\.(?:[{_UPPER}]\.)+|\.(?= [{_UPPER}])|(?<=(?=(?:{_SHORT})\.).)\w+\."
    rf"|\w*(?:[-'’&](?![sS]\b)\w+)*)"
)
# What may stand between two words of one name.
_OF = frozenset({" of ", " of the ", " for ", " for the ", " on "})
_INSIDE = frozenset(
    f" {w} " for w in "de da do dos das del della di du van von der den ten bin ibn al el la le".split()
)
_GAPS = (
    _OF
    | _INSIDE
    | {" ", " & ", " van der ", " van den ", " von der ", " de la ", " de los ", " al-", " el-", " d'", " d’"}
)
_LONGEST_TITLE = 4
_LONGEST_GAP = max(map(len, _GAPS))


class Word(NamedTuple):
    """One capitalised word; offsets count characters, end exclusive."""

    start: int
    end: int
    text: str
    of: bool
    """Whether `of` or `for` parts it from the word before in its run."""


@dataclass(slots=True)
class Segment:
    """Words that may be one name."""

    words: list[Word] = field(default_factory=list)
    title: str = ""
    """The last word of the title before it, if any, e.g. `President`."""

    @property
    def start(self) -> int:
        """Offset of its first character."""
        return self.words[0].start

    @property
    def end(self) -> int:
        """Offset after its last character."""
        return self.words[-1].end


def runs(text: str) -> Iterator[list[Word]]:
    """Capitalised words of `text`, in groups that only the small words of names part."""
    run: list[Word] = []
    last = -_LONGEST_GAP - 1
    for match in WORD.finditer(text):
        start, end = match.span()
        gap = text[last:start] if start - last <= _LONGEST_GAP else ""
        if gap not in _GAPS and run:
            yield run
            run = []
        run.append(Word(start, end, match[0], bool(run) and gap in _OF))
        last = end
    if run:
        yield run


class Splitter:
    """Cuts runs into segments at titles, weekdays and other words that belong to no name."""

    def __init__(self) -> None:
        self._titles = words("titles.txt")
        self._title_starts = words("title_starts.txt")
        self._breaks = words("not_names.txt")
        self._heads = words("org_heads.txt")
        self._small = stopwords()["en"]
        self._empty = self._titles | self._breaks | {word.capitalize() for word in self._small}

    def is_empty(self, run: list[Word]) -> bool:
        """Whether the run is one word that names nothing (`The`), as half of all runs are."""
        return len(run) == 1 and run[0].text in self._empty

    def segments(self, run: list[Word]) -> list[Segment]:
        """The segments of one run, in order; each has at least one word."""
        done: list[Segment] = []
        current = Segment()
        for i, word in enumerate(run):
            if self._parts(word, current):
                done.append(current)
                current = Segment()
            if self._is_title(run, i):
                done.append(current)
                current = Segment(title=word.text)
            else:
                current.words.append(word)
        done.append(current)
        return [segment for segment in map(self._trim, done) if segment.words]

    def _is_title(self, run: list[Word], i: int) -> bool:
        """Whether word `i` is a title, or opens one (`Prime` before `Minister`)."""
        if run[i].text in self._titles:
            return True
        for word in run[i + 1 : i + _LONGEST_TITLE]:
            if run[i].text not in self._title_starts or word.of:
                return False
            if word.text in self._titles:
                return True
            i += 1
        return False

    def _parts(self, word: Word, current: Segment) -> bool:
        """Whether a new segment begins at `word`: after a break word, or at an `of` that no organisation owns."""
        if not current.words:
            # `Secretary of State`, `President of France`: what follows `of` is not the title's bearer.
            return word.of and bool(current.title)
        if current.words[-1].text in self._breaks or word.text in self._breaks:
            return True
        return word.of and not any(w.text in self._heads for w in current.words)

    def _trim(self, segment: Segment) -> Segment:
        """Without small words in front (`The`, `But`) and without break words."""
        kept = dropwhile(lambda w: w.text.lower() in self._small and not w.text.isupper(), segment.words)
        segment.words = [w for w in kept if w.text not in self._breaks]
        return segment
