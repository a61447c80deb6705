"""text ─▶ known spellings and names by the model ─▶ pieces ─▶ who is named in full ─▶ mentions and places.

The model says that a stretch is a name and of which kind; the lists say whom it names. Where they differ, well-known
bodies and countries are what the list says, and of two stretches the longer one is the name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.records import Article
from pipeline.stages.tag.chain import Batch, Chain, Runs, Span, Tokens, find_runs, tokens
from pipeline.stages.tag.found import Found, Piece, Reading
from pipeline.stages.tag.gazetteer import Gazetteer
from pipeline.stages.tag.hints import Clues, Hints, is_located
from pipeline.stages.tag.letters import Words
from pipeline.stages.tag.lexicon import Lexicon
from pipeline.stages.tag.names import acronym, crowned
from pipeline.stages.tag.pieces import COMPASS, Pieces
from pipeline.stages.tag.places import Atlas, country_of
from pipeline.stages.tag.stretches import InOrder, Known
from pipeline.stages.tag.whereabouts import Whereabouts
from pipeline.stages.tag.words import arrays
from pipeline.terms import Place

# Of all words; above it the text is in Title Case or capitals, and a capital says nothing.
MOST_CAPITALISED = 0.7
# The names of a text that long, some 16,000 words, have all been said; a dump of megabytes must not hold the stream up.
CHARACTERS_READ = 100_000
# Before a lone name these make a place of it: `in Venice`.
_INSIDE = (" in ", "In ", " near ")
Reader = Callable[[Batch], list[list[Span]]]
"""What finds names: texts and known spellings in, spans of each text out."""


def _names_stand_out(tokens: Tokens) -> bool:
    """Whether most words begin with a small letter."""
    return len(tokens.starts) <= MOST_CAPITALISED * (tokens.text.count(" ") + tokens.text.count("\n") + 1)


class EntityFinder:
    """Holds the gazetteer and the model; `find` is pure."""

    def __init__(self, reader: Reader | None = None) -> None:
        self._atlas = Atlas()
        self._clues = Clues(self._atlas)
        self._whereabouts = Whereabouts(self._atlas)
        self._gazetteer = Gazetteer(self._atlas)
        self._pieces = Pieces(self._atlas, self._gazetteer)
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
        reading = Reading(tokens.text, english, Hints())
        known = self._gazetteer.with_datelines(tokens.text, known)
        for part in filter(None, (article.headline[:CHARACTERS_READ], article.place)):
            self._clues.read(reading.hints, part, self._gazetteer.find(part))
        reading.hints.regions = self._clues.read(reading.hints, tokens.text, known)
        self._note_regions(known, reading)
        if article.place:
            reading.home = self._whereabouts.dateline(article.place, reading.hints)
            if reading.home and reading.home.region:
                reading.hints[reading.home.region] += 1
        pieces = self._pieces.find(tokens, known, spans, names, reading.hints.meant)
        for piece in pieces:
            self._introduce(piece, reading)
        if names:
            pieces = sorted([*pieces, *self._pieces.again(tokens, pieces, reading)])
        for piece in pieces:
            self._mention(piece, reading)
        if not english:
            self._note_local(reading, self._gazetteer.local(tokens.text, language))
        if reading.home and reading.home not in reading.found.places:
            reading.found.places.append(reading.home)
        return reading.found

    def _note_regions(self, known: list[Known], reading: Reading) -> None:
        """Note which city the text puts in which region: `Portland, Maine`, `Spokane, Wash.`"""
        for start, end, spelling in known:
            name = self._atlas.names.get(spelling)
            if name is None or name.country or not reading.text.startswith((", ", " ("), end):
                continue
            if start in reading.hints.regions:
                continue
            region = self._atlas.region_after(reading.text, end, spelling) if name.cities or name.towns else None
            if region:
                reading.regions.setdefault(spelling, region)
                reading.regions_at[start] = region
                reading.hints.meant.add(spelling)
                if self._atlas.is_short_form(reading.text, end + len(", ")):
                    reading.states.add(end + len(", "))
                    if len(region) == 1:
                        reading.hints.update(code for at in region for code in (at, country_of(at)))

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
            if not reading.people.known(text, piece.start):
                reading.people.add(text, piece.start)
        elif piece.kind == "person":
            reading.people.add_lone(text, reading.before(piece))
        elif piece.kind == "organisation" and (short := acronym(text, reading.text, piece.end)):
            reading.acronyms[short] = " ".join(text.split())

    def _mention(self, piece: Piece, reading: Reading) -> None:
        """Decide what one stretch is and note it."""
        text = reading.text[piece.start : piece.end]
        if piece.start in reading.states and reading.text[piece.end : piece.end + 1] == ".":
            return None
        person = reading.people.known(text, piece.start)
        if person and not self._placed(piece, person, reading):
            return reading.note(piece, "person", person, "full-name" if person != text else "model")
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
        return piece.start in reading.regions_at

    def _place(self, piece: Piece, reading: Reading) -> bool:
        """Note a place if the stretch is one, in the list or by the model."""
        text, spelling = reading.text[piece.start : piece.end], piece.spelling
        if not spelling and piece.kind == "person" and text.isupper() and self._atlas.is_place(text.title()):
            # `SAN FRANCISCO (AP)`
            spelling = text.title()
        if piece.kind in ("person", "organisation") and not self._known_place(piece, spelling, reading):
            return False
        if not spelling and piece.kind == "place":
            piece, spelling = self._without_compass(piece, reading.text)
        place = reading.home if reading.is_home(spelling) and piece.start not in reading.hints.regions else None
        if spelling and not place:
            located = piece.kind == "place" or text.isupper() or is_located(reading.text, piece.start)
            region = reading.regions_at.get(piece.start) or reading.regions.get(spelling, frozenset())
            place = self._whereabouts.resolve(
                Known(piece.start, piece.end, spelling), located, reading.text, reading.hints, reading.english, region
            )
        if place:
            reading.note(piece, "place", place.name, "list")
            reading.found.places.append(place)
        return place is not None

    def _known_place(self, piece: Piece, spelling: str, reading: Reading) -> bool:
        """Whether the list is to be believed where the model takes the stretch for something else."""
        if not spelling:
            return False
        if reading.is_home(spelling) or self._atlas.is_country(spelling) or spelling in reading.regions:
            return True
        if self._atlas.is_region(spelling) and self._atlas.is_place(spelling):
            return True
        return piece.kind == "person" and (
            self._atlas.is_well_known(spelling) or reading.before(piece).endswith(_INSIDE)
        )

    def _without_compass(self, piece: Piece, text: str) -> tuple[Piece, str]:
        """`Northern Ireland` is known as such; of `Northern Iraq` only `Iraq` is."""
        first, _, rest = text[piece.start : piece.end].partition(" ")
        if first in COMPASS and self._atlas.is_place(rest):
            return piece._replace(start=piece.end - len(rest)), rest
        return piece, ""

    def _name(self, piece: Piece, text: str, reading: Reading) -> None:
        """Note what only the model knows."""
        name = " ".join(text.split())
        if piece.kind == "person":
            name = reading.people.canonical(text) if " " in text else crowned(text, reading.before(piece))
        if piece.kind:
            reading.note(piece, piece.kind, name, "model")
