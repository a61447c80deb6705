"""Known spellings and names by the model ─▶ the stretches of a text that may be names, none over another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import takewhile

from pipeline.stages.tag.chain import INSIDE, Span, Tokens
from pipeline.stages.tag.form import Form
from pipeline.stages.tag.found import Piece, Reading
from pipeline.stages.tag.gazetteer import Gazetteer
from pipeline.stages.tag.lone import Lone
from pipeline.stages.tag.places import Atlas
from pipeline.stages.tag.stretches import InOrder, Known
from pipeline.stages.tag.words import stopwords, words

COMPASS = frozenset(
    "North South East West Northern Southern Eastern Western Central Greater Downtown Upper Lower".split()
)


class Pieces:
    """Holds what is known of names and of their form; pure."""

    def __init__(self, atlas: Atlas, gazetteer: Gazetteer) -> None:
        self._atlas = atlas
        self._gazetteer = gazetteer
        self._form = Form(atlas.peoples)
        self._lone = Lone()
        self._small = stopwords()["en"]
        self._titles = words("titles.txt")
        self._beside = self._small | {w.lower() for w in self._titles | words("not_names.txt") | COMPASS}

    def find(self, tokens: Tokens, known: list[Known], spans: list[Span], names: bool, towns: set[str]) -> list[Piece]:
        """The stretches in order, none over another."""
        spans = self._form.parted(spans, tokens.text, self._gazetteer.has)
        spans = self._lone.somebodies(spans, tokens.text)
        by_model = InOrder(spans)
        taken = [k for k in known if self._holds(k, tokens, by_model, names, towns)]
        by_list = InOrder(taken)
        free = [s for s in spans if not by_list.over(s.start, s.end)]
        free = [tidy for s in free for tidy in self._form.tidied(s, tokens.text)]
        left = [k for k in known if by_model.over(k.start, k.end) and not by_list.over(k.start, k.end)]
        if left:
            # What the form of a name has left over: `Georgia` of `Georgia Gov. Brian Kemp`.
            tidied = InOrder(sorted(free))
            left = [k for k in left if not tidied.over(k.start, k.end)]
            taken += [k for k in left if self._holds(k, tokens, tidied, names, towns)]
        if names:
            more = list(self._form.missed(tokens, [*free, *(Span(k.start, k.end, "organisation") for k in taken)]))
            by_form = InOrder(more)
            free = [s for s in free if not by_form.over(s.start, s.end)] + more
        same = {(k.start, k.end): k.spelling for k in known}
        pieces = [Piece(s.start, s.end, s.kind, same.get((s.start, s.end), "")) for s in free]
        kinds = {(s.start, s.end): s.kind for s in spans}
        pieces += [Piece(k.start, k.end, kinds.get((k.start, k.end)), k.spelling) for k in taken]
        return sorted(pieces)

    def _holds(self, known: Known, tokens: Tokens, spans: InOrder[Span], names: bool, towns: set[str]) -> bool:
        """Whether a known spelling stands by itself, whatever the model says of the words in it."""
        body = known.spelling in self._gazetteer.organisations
        if body and not names:
            return False
        if known.spelling.isupper() and known.spelling.lower() in self._small and _is_shouted(known, tokens.text):
            # `SO WHO WON?`
            return False
        if not body and not self._atlas.is_place(known.spelling) and known.spelling not in towns:
            return False
        if tokens.text[known.start : known.end] != known.spelling:
            # `PARIS` that opens a paragraph
            return True
        over = spans.over(known.start, known.end)
        if over:
            inside = all(known.start <= s.start and s.end <= known.end for s in over)
            country = not body and self._atlas.names[known.spelling].country is not None
            return inside and (body or country or " " in known.spelling)
        return body or self._stands_alone(known, tokens)

    def _stands_alone(self, known: Known, tokens: Tokens) -> bool:
        """Whether no other name's word touches it: `Paris`, not `Paris Hilton`."""
        # The word may begin before the name, as in `L'Ukraine`; that of `l'Ukraine` is in no run.
        begin, end = bisect_right(tokens.ends, known.start), bisect_right(tokens.ends, known.end)
        run = bisect_right(tokens.runs, (begin, len(tokens.starts))) - 1
        if run < 0 or begin == end or begin >= tokens.runs[run][1]:
            return True
        first, after = tokens.runs[run]
        around = [*takewhile(_is_no_and, map(tokens.word, reversed(range(first, begin))))]
        # What a title stands before is no part of it: `Georgia Gov. Brian Kemp`.
        around += takewhile(lambda w: w not in self._titles and _is_no_and(w), map(tokens.word, range(end, after)))
        return all(word.lower() in self._beside for word in around)

    def again(self, tokens: Tokens, pieces: list[Piece], reading: Reading) -> Iterator[Piece]:
        """Lone words that the article has introduced, where nothing else was made of them."""
        if not reading.people and not reading.acronyms:
            return
        taken = InOrder(pieces)
        for first, after in tokens.runs:
            for i in (first,) if after - first == 1 else self._lone_in(tokens, first, after):
                word, start = tokens.word(i), tokens.starts[i]
                introduced = word in reading.people or word in reading.acronyms
                if introduced and not taken.over(start, start + 1):
                    yield Piece(start, start + len(word), None, "")

    def _lone_in(self, tokens: Tokens, first: int, after: int) -> Iterator[int]:
        """The words of a run that stand alone in it: in `Biden and Xi`, and in `Later Trump`."""
        begin = first
        for i in range(first, after + 1):
            if i < after and tokens.word(i) not in INSIDE:
                continue
            if i - begin == 2 and self._begins_a_sentence(tokens, begin):
                begin += 1
            if i - begin == 1:
                yield begin
            begin = i + 1

    def _begins_a_sentence(self, tokens: Tokens, i: int) -> bool:
        """Whether word `i` may have its capital from that alone."""
        before = tokens.text[max(0, tokens.starts[i] - 2) : tokens.starts[i]].rstrip(" ")
        return before == "" or before[-1] in ".!?\n“" or tokens.word(i).lower() in self._beside


def _is_no_and(word: str) -> bool:
    return word not in ("and", "&")


def _is_shouted(known: Known, text: str) -> bool:
    """Whether all of its line is in capitals."""
    line = text[text.rfind("\n", 0, known.start) + 1 :].partition("\n")[0]
    return line.isupper() and line != known.spelling
