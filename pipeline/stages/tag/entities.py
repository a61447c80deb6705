"""text ─▶ known spellings and names by the model ─▶ pieces ─▶ who is named in full ─▶ mentions and places.

The model says that a stretch is a name and of which kind; the lists say whom it names. Where they differ, well-known
bodies and countries are what the list says, and of two stretches the longer one is the name.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile

import numpy as np

from pipeline.records import Article
from pipeline.stages.tag.chain import Batch, Chain, Runs, Span, Tokens, find_runs, tokens
from pipeline.stages.tag.form import Form
from pipeline.stages.tag.found import Found, Piece, Reading
from pipeline.stages.tag.gazetteer import Gazetteer, Known
from pipeline.stages.tag.letters import Words
from pipeline.stages.tag.lexicon import Lexicon
from pipeline.stages.tag.names import acronym, crowned
from pipeline.stages.tag.places import Atlas
from pipeline.stages.tag.stretches import InOrder
from pipeline.stages.tag.words import arrays, stopwords, words
from pipeline.terms import Place

# Of all words; above it the text is in Title Case or capitals, and a capital says nothing.
MOST_CAPITALISED = 0.7
# The names of a text that long, some 16,000 words, have all been said; a dump of megabytes must not hold the stream up.
CHARACTERS_READ = 100_000
_COMPASS = frozenset(
    "North South East West Northern Southern Eastern Western Central Greater Downtown Upper Lower".split()
)
# Before a lone name these make a place of it: `in Venice`.
_INSIDE = (" in ", "In ", " near ")
# What may be a place and opens a paragraph in capitals.
_DATELINE = re.compile(r"^[A-Z][A-Z.'’ -]{2,24}[A-Z](?=[,:]| ?[(/]| [-–—])", re.MULTILINE)
Reader = Callable[[Batch], list[list[Span]]]
"""What finds names: texts and known spellings in, spans of each text out."""


def _is_no_and(word: str) -> bool:
    return word not in ("and", "&")


def _is_shouted(known: Known, text: str) -> bool:
    """Whether all of its line is in capitals."""
    line = text[text.rfind("\n", 0, known.start) + 1 :].partition("\n")[0]
    return line.isupper() and line != known.spelling


def _names_stand_out(tokens: Tokens) -> bool:
    """Whether most words begin with a small letter."""
    return len(tokens.starts) <= MOST_CAPITALISED * (tokens.text.count(" ") + tokens.text.count("\n") + 1)


class EntityFinder:
    """Holds the gazetteer and the model; `find` is pure."""

    def __init__(self, reader: Reader | None = None) -> None:
        self._atlas = Atlas()
        self._gazetteer = Gazetteer(self._atlas)
        self._form = Form()
        self._small = stopwords()["en"]
        self._beside = self._small | {w.lower() for w in words("titles.txt") | words("not_names.txt") | _COMPASS}
        if reader is None:
            file = arrays("chain.npz")
            reader = Chain(Lexicon(self._atlas), file["weights"], file["moves"]).spans
        self._read = reader

    def find(self, articles: Sequence[Article], words: Words, languages: Sequence[str | None]) -> list[Found]:
        """Mentions and places of each of `articles`, whose bodies were cut into `words`.

        People and organisations only where the language is English.
        """
        texts = [article.body[:CHARACTERS_READ] for article in articles]
        runs = find_runs(words)
        every = tokens(texts, words, runs)
        known = [self._gazetteer.find(text) for text in texts]
        named = [code == "en" and _names_stand_out(text) for code, text in zip(languages, every, strict=True)]
        spans = self._read(self._batch(words, runs, every, known, named))
        return [self._one(*each) for each in zip(articles, every, known, spans, languages, named, strict=True)]

    def _batch(
        self, words: Words, runs: Runs, every: list[Tokens], known: list[list[Known]], named: list[bool]
    ) -> Batch:
        """What the model is to read: the texts that may name people and organisations."""
        kept = np.repeat(named, np.diff(runs.bounds))
        bounds = np.concatenate([[0], np.cumsum(kept)])[runs.bounds].tolist()
        read = [text if is_named else Tokens("", [], [], []) for text, is_named in zip(every, named, strict=True)]
        letters = [self._gazetteer.letters(k) if is_named else [] for k, is_named in zip(known, named, strict=True)]
        return Batch(words, Runs(runs.firsts[kept], runs.lengths[kept], bounds), read, letters)

    def _one(
        self,
        article: Article,
        tokens: Tokens,
        known: list[Known],
        spans: list[Span],
        language: str | None,
        names: bool,
    ) -> Found:
        english = language == "en"
        headline = self._gazetteer.find(article.headline[:CHARACTERS_READ])
        spellings = [k.spelling for k in (*headline, *known) if k.spelling in self._atlas.names]
        reading = Reading(tokens.text, english, self._atlas.hints(spellings))
        reading.home = self._atlas.dateline(article.place, reading.hints) if article.place else None
        known = self._with_datelines(tokens.text, known)
        self._note_regions(known, reading)
        pieces = self._pieces(tokens, known, spans, names)
        for piece in pieces:
            self._introduce(piece, reading)
        if names:
            pieces = sorted([*pieces, *self._again(tokens, pieces, reading)])
        for piece in pieces:
            self._mention(piece, reading)
        if not english:
            self._note_local(reading, self._gazetteer.local(tokens.text, language))
        if reading.home and reading.home not in reading.found.places:
            reading.found.places.append(reading.home)
        return reading.found

    def _with_datelines(self, text: str, known: list[Known]) -> list[Known]:
        """`known`, and the places in capitals that open a paragraph: `LONDON, March 18`, `NEW DELHI:`."""
        there = InOrder(known)
        more = [
            Known(found.start(), found.end(), spelling)
            for found in _DATELINE.finditer(text)
            if self._atlas.is_place(spelling := found[0].title()) and not there.over(found.start(), found.end())
        ]
        return sorted([*known, *more]) if more else known

    def _note_regions(self, known: list[Known], reading: Reading) -> None:
        for _, end, spelling in known:
            if reading.text.startswith(", ", end) and self._atlas.is_place(spelling):
                region = self._atlas.region_after(reading.text, end)
                if region and not self._atlas.is_country(spelling):
                    reading.regions.setdefault(spelling, region)
                    if self._atlas.is_state_in_short(reading.text, end + len(", ")):
                        reading.states.add(end + len(", "))

    def _note_local(self, reading: Reading, named: list[tuple[int, int, Place]]) -> None:
        """Places by the names that the article's own language has for them, where nothing longer was found."""
        there = InOrder(reading.found.mentions)
        for start, end, place in named:
            if not there.over(start, end):
                reading.note(Piece(start, end, None, ""), "place", place.name, "list")
                reading.found.places.append(place)
        reading.found.mentions.sort(key=lambda mention: mention.start)

    def _introduce(self, piece: Piece, reading: Reading) -> None:
        """Learn who is named in full, and which short form stands in brackets after a name."""
        text = reading.text[piece.start : piece.end]
        if piece.kind == "person" and " " in text:
            reading.people.add(text, piece.start)
        elif piece.kind == "organisation" and (short := acronym(text, reading.text, piece.end)):
            reading.acronyms[short] = " ".join(text.split())

    def _again(self, tokens: Tokens, pieces: list[Piece], reading: Reading) -> Iterator[Piece]:
        """Lone words that the article has introduced, where nothing else was made of them."""
        if not reading.people and not reading.acronyms:
            return
        taken = InOrder(pieces)
        for first, after in tokens.runs:
            if after - first > 1 and self._begins_a_sentence(tokens, first):
                # `Later Trump left`
                first += 1
            word, start = tokens.word(first), tokens.starts[first]
            if after - first > 1 or taken.over(start, start + 1):
                continue
            if word in reading.acronyms or reading.people.known(word, start):
                yield Piece(start, start + len(word), None, "")

    def _begins_a_sentence(self, tokens: Tokens, i: int) -> bool:
        """Whether word `i` may have its capital from that alone."""
        before = tokens.text[max(0, tokens.starts[i] - 2) : tokens.starts[i]].rstrip(" ")
        return before == "" or before[-1] in ".!?\n“" or tokens.word(i).lower() in self._beside

    def _pieces(self, tokens: Tokens, known: list[Known], spans: list[Span], names: bool) -> list[Piece]:
        """The stretches in order, none over another."""
        spans = self._form.parted(spans, tokens.text, self._gazetteer.has)
        by_model = InOrder(spans)
        taken = [k for k in known if self._holds(k, tokens, by_model, names)]
        by_list = InOrder(taken)
        free = [s for s in spans if not by_list.over(s.start, s.end)]
        free = [tidy for s in free for tidy in self._form.tidied(s, tokens.text)]
        if names:
            more = list(self._form.missed(tokens, [*free, *(Span(k.start, k.end, "organisation") for k in taken)]))
            by_form = InOrder(more)
            free = [s for s in free if not by_form.over(s.start, s.end)] + more
        same = {(k.start, k.end): k.spelling for k in known}
        pieces = [Piece(s.start, s.end, s.kind, same.get((s.start, s.end), "")) for s in free]
        kinds = {(s.start, s.end): s.kind for s in spans}
        pieces += [Piece(k.start, k.end, kinds.get((k.start, k.end)), k.spelling) for k in taken]
        return sorted(pieces)

    def _holds(self, known: Known, tokens: Tokens, spans: InOrder[Span], names: bool) -> bool:
        """Whether a known spelling stands by itself, whatever the model says of the words in it."""
        body = known.spelling in self._gazetteer.organisations
        if body and not names:
            return False
        if known.spelling.isupper() and known.spelling.lower() in self._small and _is_shouted(known, tokens.text):
            # `SO WHO WON?`
            return False
        if not body and not self._atlas.is_place(known.spelling):
            return False
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
        around += takewhile(_is_no_and, map(tokens.word, range(end, after)))
        return all(word.lower() in self._beside for word in around)

    def _mention(self, piece: Piece, reading: Reading) -> None:
        """Decide what one stretch is and note it."""
        text = reading.text[piece.start : piece.end]
        if piece.start in reading.states and reading.text[piece.end : piece.end + 1] == ".":
            return None
        person = reading.people.known(text, piece.start) if " " not in text else None
        if person and person != text and not self._placed(piece, person, reading):
            return reading.note(piece, "person", person, "full-name")
        body = self._gazetteer.organisations.get(piece.spelling)
        if body:
            return reading.note(piece, "organisation", body, "list")
        if text in reading.acronyms:
            return reading.note(piece, "organisation", reading.acronyms[text], "short-form")
        if piece.spelling in self._atlas.peoples or self._place(piece, reading) or piece.kind is None:
            return None
        return self._name(piece, text, reading)

    def _placed(self, piece: Piece, person: str, reading: Reading) -> bool:
        """Whether it is a place although a `person` is called so: `Jackson, Mississippi`, or Montana."""
        if person.startswith(f"{piece.spelling} ") and self._atlas.is_region(piece.spelling):
            return True
        return piece.spelling in reading.regions and bool(self._atlas.region_after(reading.text, piece.end))

    def _place(self, piece: Piece, reading: Reading) -> bool:
        """Note a place if the stretch is one, in the list or by the model."""
        text, spelling = reading.text[piece.start : piece.end], piece.spelling
        if not spelling and piece.kind == "person" and self._atlas.is_place(text.title()):
            # `SAN FRANCISCO (AP)`
            spelling = text.title()
        before = reading.text[max(0, piece.start - 10) : piece.start]
        if piece.kind in ("person", "organisation") and not self._known_place(piece, spelling, before, reading):
            return False
        if not spelling and piece.kind == "place":
            piece, spelling = self._without_compass(piece, reading.text)
        place = reading.home if reading.is_home(spelling) else None
        if spelling and not place:
            before = " in " if piece.kind == "place" or text.isupper() else before
            region = reading.regions.get(spelling, frozenset())
            place = self._atlas.resolve(spelling, before, reading.text, reading.hints, reading.english, region)
        if place:
            reading.note(piece, "place", place.name, "list")
            reading.found.places.append(place)
        return place is not None

    def _known_place(self, piece: Piece, spelling: str, before: str, reading: Reading) -> bool:
        """Whether the list is to be believed where the model takes the stretch for something else."""
        if not spelling:
            return False
        if reading.is_home(spelling) or self._atlas.is_country(spelling) or spelling in reading.regions:
            return True
        return piece.kind == "person" and (self._atlas.is_well_known(spelling) or before.endswith(_INSIDE))

    def _without_compass(self, piece: Piece, text: str) -> tuple[Piece, str]:
        """`Northern Ireland` is known as such; of `Northern Iraq` only `Iraq` is."""
        first, _, rest = text[piece.start : piece.end].partition(" ")
        if first in _COMPASS and self._atlas.is_place(rest):
            return piece._replace(start=piece.end - len(rest)), rest
        return piece, ""

    def _name(self, piece: Piece, text: str, reading: Reading) -> None:
        """Note what only the model knows."""
        name = " ".join(text.split())
        if piece.kind == "person":
            before = reading.text[max(0, piece.start - 10) : piece.start]
            name = reading.people.canonical(text) if " " in text else crowned(text, before)
        if piece.kind:
            reading.note(piece, piece.kind, name, "model")
