"""A story and how an article changes it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Story:
    """The value of a record of the stories topic; its key is the story's id."""

    size: int = 0
    """Articles, duplicates included."""
    duplicates: int = 0
    first_seen: str = ""
    """When the first of its articles was received, RFC 3339 UTC."""
    last_seen: str = ""
    headline: str = ""
    """Of the article that began it; until that was read, of the one that was read first."""
    languages: Mapping[str, int] = field(default_factory=dict)
    """How many enriched articles are in each, by BCP 47 code; nobody looked which language a duplicate is in."""

    def plus(self, article: Mapping[str, Any]) -> Story:
        """The story with one more article, the value of a record of the enriched or duplicates topic.

        Raises KeyError, TypeError or IndexError where it is no record of ours.
        """
        ours, received = article["x_copydesk"], article["firstCreated"]
        duplicate = "duplicate" in ours
        languages = dict(self.languages)
        if not duplicate and article["language"] != "und":
            languages[article["language"]] = languages.get(article["language"], 0) + 1
        begins = ours["story"] == ours["id"]
        return replace(
            self,
            size=self.size + 1,
            duplicates=self.duplicates + duplicate,
            first_seen=min(self.first_seen or received, received),
            last_seen=max(self.last_seen, received),
            headline=article["headlines"][0]["value"] if begins or not self.headline else self.headline,
            languages=languages,
        )

    def to_json(self, key: str) -> bytes:
        """The record's value; `key`: the story's id."""
        languages = dict(sorted(self.languages.items(), key=lambda one: (-one[1], one[0])))
        return orjson.dumps(
            {
                "story": key,
                "size": self.size,
                "duplicates": self.duplicates,
                "first_seen": self.first_seen,
                "last_seen": self.last_seen,
                "headline": self.headline,
                "languages": languages,
            }
        )

    @classmethod
    def from_json(cls, value: bytes) -> Story:
        """The inverse of `to_json`. Raises KeyError, TypeError or ValueError."""
        found = orjson.loads(value)
        names = ("size", "duplicates", "first_seen", "last_seen", "headline", "languages")
        return cls(**{name: found[name] for name in names})


def story_of(article: Mapping[str, Any]) -> str:
    """Id of the story that a record says it belongs to; empty where it was written before stories were known."""
    found = (article.get("x_copydesk") or {}).get("story", "")
    return found if isinstance(found, str) else ""


class Shelf:
    """The stories that may still get articles, as bytes, since there are many."""

    def __init__(self) -> None:
        self._stories: dict[str, tuple[int, bytes]] = {}

    def __len__(self) -> int:
        return len(self._stories)

    def put(self, key: str, value: bytes, touched_ms: int) -> None:
        """Remember the story `key` as `value` says, which was changed at `touched_ms`."""
        self._stories[key] = touched_ms, value

    def add(self, articles: Iterable[Mapping[str, Any]]) -> dict[str, bytes]:
        """Count articles; the new values of the stories that changed.

        Nothing is remembered: `put` does that once they are committed. Raises as `Story.plus` and `from_json`.
        """
        changed: dict[str, Story] = {}
        for article in articles:
            key = story_of(article)
            if key:
                changed[key] = (changed.get(key) or self._story(key)).plus(article)
        return {key: story.to_json(key) for key, story in changed.items()}

    def forget(self, before_ms: int) -> None:
        """Let go of what was not changed since."""
        gone = [key for key, (touched_ms, _) in self._stories.items() if touched_ms < before_ms]
        for key in gone:
            del self._stories[key]

    def _story(self, key: str) -> Story:
        found = self._stories.get(key)
        return Story.from_json(found[1]) if found else Story()
