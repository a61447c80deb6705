"""The newest articles, their duplicates folded under them, and the newest dead letters: bounded, searchable. Pure."""

from __future__ import annotations

from bisect import insort
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Any

from pipeline.monitor.looks import Look
from pipeline.monitor.web.cards import TAGS, Card, article, duplicate_of, folded, letter, searched

MOST_ARTICLES, MOST_LETTERS, MOST_ORPHANS = 500, 200, 500
MOST_FOLDED = 20
_MOST_FACETS = 60

Order = tuple[int, int, int]


@dataclass(slots=True)
class _Story:
    """One article in the window. `changed`: the version at which it last looked different."""

    card: Card
    words: str
    changed: int
    copies: list[Card] = field(default_factory=list)
    copies_total: int = 0

    def shown(self) -> Card:
        return {**self.card, "changed": self.changed, "copies": self.copies, "copies_total": self.copies_total}


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; an empty field asks for nothing. Words must all occur."""

    words: str = ""
    tag: str = ""
    source: str = ""
    language: str = ""

    def matches(self, card: Card, words: str) -> bool:
        """Whether an article answers to all of it."""
        tag = folded(self.tag.strip())
        return (
            (not self.language or card["language"] == self.language)
            and folded(self.source.strip()) in folded(card["source"])
            and (not tag or any(tag in folded(name) for kind in TAGS for name in card["tags"][kind]))
            and all(word in words or word in folded(card["source"]) for word in folded(self.words).split())
        )


class Window:
    """What the page can show. `version` rises with every change.

    At most 500 articles with 20 copies each, 200 dead letters, and 500 copies whose article has not come yet: a
    copy may be read before its original, since they stand on two topics.
    """

    def __init__(self) -> None:
        self.version = 0
        self._stories: dict[str, _Story] = {}
        self._order: list[tuple[Order, str]] = []
        self._letters: list[tuple[Order, Card]] = []
        self._orphans: OrderedDict[str, tuple[str, Card]] = OrderedDict()

    def add(self, look: Look, record: Any) -> None:
        """Take in one record of an outcome topic; `record` is its value as JSON. Foreign ones are passed over."""
        self.version += 1
        order = (look.timestamp_ms, look.partition, look.offset)
        if look.name == "rejected":
            insort(self._letters, (order, letter(look)), key=lambda pair: pair[0])
            del self._letters[:-MOST_LETTERS]
            return
        card = article(look, record)
        if card and look.name == "enriched":
            self._add_article(order, card, searched(record, card))
        elif card and look.name == "duplicates":
            self._add_copy(duplicate_of(record), card)

    def _add_article(self, order: Order, card: Card, words: str) -> None:
        name = card["id"]
        if name in self._stories:
            return
        self._stories[name] = _Story(card, words, self.version)
        insort(self._order, (order, name))
        for copy, (of, _) in list(self._orphans.items()):
            if of == name:
                self._fold(self._orphans.pop(copy)[1], self._stories[name])
        while len(self._order) > MOST_ARTICLES:
            del self._stories[self._order.pop(0)[1]]

    def _add_copy(self, said: Card, card: Card) -> None:
        copy = {name: card[name] for name in ("id", "time", "headline", "source")} | said
        story = self._stories.get(said["of"])
        if story:
            self._fold(copy, story)
        else:
            self._orphans[card["id"]] = (said["of"], copy)
            while len(self._orphans) > MOST_ORPHANS:
                self._orphans.popitem(last=False)

    def _fold(self, copy: Card, story: _Story) -> None:
        if any(known["id"] == copy["id"] for known in story.copies):
            return
        story.copies.append(copy)
        story.copies_total += 1
        del story.copies[:-MOST_FOLDED]
        story.changed = self.version

    def find(self, query: Query, most: int = 60) -> dict[str, Any]:
        """The newest `most` articles that match, how many do, and what can be chosen from."""
        newest = (self._stories[name] for _, name in reversed(self._order))
        found = [story for story in newest if query.matches(story.card, story.words)]
        return {
            "version": self.version,
            "total": len(self._order),
            "found": len(found),
            "articles": [story.shown() for story in found[:most]],
            "facets": self._facets(),
        }

    def letters(self, most: int = 100) -> list[Card]:
        """The newest dead letters, newest first."""
        return [card for _, card in self._letters[: -most - 1 : -1]]

    def _facets(self) -> dict[str, list[str]]:
        cards = [story.card for story in self._stories.values()]
        tags = Counter(name for card in cards for kind in TAGS for name in set(card["tags"][kind]))
        sources = Counter(card["source"].rpartition("/")[0] or card["source"] for card in cards)
        return {
            "languages": sorted({card["language"] for card in cards} - {""}),
            "tags": [name for name, _ in tags.most_common(_MOST_FACETS)],
            "sources": [name for name, _ in sources.most_common(_MOST_FACETS)],
        }
