"""The newest articles, their duplicates folded under them, the largest stories, the newest dead letters. Pure."""

from __future__ import annotations

from bisect import insort
from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import Any

from pipeline.monitor.looks import Look
from pipeline.monitor.web.cards import TAGS, Card, article, duplicate_of, folded, letter, searched
from pipeline.monitor.web.stories import Stories

MOST_ARTICLES, MOST_LETTERS, MOST_ORPHANS = 500, 200, 500
MOST_FOLDED = 20
_MOST_FACETS = 60
_MOST_LARGEST = 8

Order = tuple[int, int, int]


@dataclass(slots=True)
class _Shown:
    """One article in the window. `changed`: the version at which it last looked different."""

    card: Card
    words: str
    changed: int
    copies: list[Card] = field(default_factory=list)
    copies_total: int = 0

    def as_card(self, story_articles: int) -> Card:
        """`story_articles`: how many articles its story has, itself among them."""
        return {
            **self.card,
            "changed": self.changed,
            "copies": self.copies,
            "copies_total": self.copies_total,
            "story_articles": story_articles,
        }


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; an empty field asks for nothing. Words must all occur; `story` is a story's id."""

    words: str = ""
    tag: str = ""
    source: str = ""
    language: str = ""
    story: str = ""

    def matches(self, card: Card, words: str) -> bool:
        """Whether an article answers to all of it."""
        tag = folded(self.tag.strip())
        return (
            (not self.language or card["language"] == self.language)
            and (not self.story or card["story"] == self.story)
            and folded(self.source.strip()) in folded(card["source"])
            and (not tag or any(tag in folded(name) for kind in TAGS for name in card["tags"][kind]))
            and all(word in words or word in folded(card["source"]) for word in folded(self.words).split())
        )


class Window:
    """What the page can show. `version` rises with every change.

    At most 500 articles with 20 copies each, 200 dead letters, 1,000 stories, and 500 copies whose article has not
    come yet: a copy may be read before its original, since they stand on two topics.
    """

    def __init__(self) -> None:
        self.version = 0
        self._articles: dict[str, _Shown] = {}
        self._order: list[tuple[Order, str]] = []
        self._stories = Stories()
        self._by_story: defaultdict[str, set[str]] = defaultdict(set)
        self._letters: list[tuple[Order, Card]] = []
        self._orphans: OrderedDict[str, tuple[str, Card]] = OrderedDict()

    def add(self, look: Look, record: Any) -> None:
        """Take in one record of an outcome topic or of the stories topic; `record` is its value as JSON.

        Foreign ones are passed over.
        """
        self.version += 1
        order = (look.timestamp_ms, look.partition, look.offset)
        if look.name == "rejected":
            insort(self._letters, (order, letter(look)), key=lambda pair: pair[0])
            del self._letters[:-MOST_LETTERS]
            return
        if look.name == "stories":
            self._touch(self._stories.add(look, record))
            return
        card = article(look, record)
        if card and look.name == "enriched":
            self._add_article(order, card, searched(record, card))
        elif card and look.name == "duplicates":
            self._add_copy(duplicate_of(record), card)

    def _add_article(self, order: Order, card: Card, words: str) -> None:
        name = card["id"]
        if name in self._articles:
            return
        self._articles[name] = _Shown(card, words, self.version)
        insort(self._order, (order, name))
        if card["story"]:
            self._by_story[card["story"]].add(name)
            self._touch(card["story"])
        for copy, (of, _) in list(self._orphans.items()):
            if of == name:
                self._fold(self._orphans.pop(copy)[1], self._articles[name])
        while len(self._order) > MOST_ARTICLES:
            self._drop(self._order.pop(0)[1])

    def _drop(self, name: str) -> None:
        story = self._articles.pop(name).card["story"]
        if story:
            self._by_story[story].discard(name)
            if not self._by_story[story]:
                del self._by_story[story]

    def _touch(self, story: str) -> None:
        """Cards of this story may look different now."""
        for name in self._by_story.get(story, ()):
            self._articles[name].changed = self.version

    def _add_copy(self, said: Card, card: Card) -> None:
        copy = {name: card[name] for name in ("id", "time", "headline", "source")} | said
        original = self._articles.get(said["of"])
        if original:
            self._fold(copy, original)
        else:
            self._orphans[card["id"]] = (said["of"], copy)
            while len(self._orphans) > MOST_ORPHANS:
                self._orphans.popitem(last=False)

    def _fold(self, copy: Card, original: _Shown) -> None:
        if any(known["id"] == copy["id"] for known in original.copies):
            return
        original.copies.append(copy)
        original.copies_total += 1
        del original.copies[:-MOST_FOLDED]
        original.changed = self.version

    def find(self, query: Query, most: int = 60) -> dict[str, Any]:
        """The newest `most` articles that match, how many do, the largest stories, and what can be chosen from."""
        newest = (self._articles[name] for _, name in reversed(self._order))
        found = [one for one in newest if query.matches(one.card, one.words)]
        return {
            "version": self.version,
            "total": len(self._order),
            "found": len(found),
            "articles": [one.as_card(self._story_articles(one.card["story"])) for one in found[:most]],
            "stories": self._stories.largest(_MOST_LARGEST),
            "facets": self._facets(),
        }

    def _story_articles(self, story: str) -> int:
        # What is in the window counts where nobody tells the stories, or is behind.
        return max(self._stories.articles(story), len(self._by_story.get(story, ())))

    def letters(self, most: int = 100) -> list[Card]:
        """The newest dead letters, newest first."""
        return [card for _, card in self._letters[: -most - 1 : -1]]

    def _facets(self) -> dict[str, list[str]]:
        cards = [one.card for one in self._articles.values()]
        tags = Counter(name for card in cards for kind in TAGS for name in set(card["tags"][kind]))
        sources = Counter(card["source"].rpartition("/")[0] or card["source"] for card in cards)
        return {
            "languages": sorted({card["language"] for card in cards} - {""}),
            "tags": [name for name, _ in tags.most_common(_MOST_FACETS)],
            "sources": [name for name, _ in sources.most_common(_MOST_FACETS)],
        }
