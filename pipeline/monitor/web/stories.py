"""The largest stories of late, as their topic tells them: bounded. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from pipeline.monitor.looks import Look
from pipeline.monitor.web.cards import Card, story

MOST_STORIES = 1_000
# A story takes no more articles some days after its last, so what changed longer ago is yesterday's news.
_LATE_MS = 3 * 86_400_000


class Stories:
    """What was said last of each story that has several articles, duplicates not counted: the 1,000 changed last."""

    def __init__(self) -> None:
        self._told: OrderedDict[str, tuple[int, Card]] = OrderedDict()

    def add(self, look: Look, record: Any) -> str:
        """Take in one record of the stories topic, `record` its JSON; the story's id, empty where it is not kept."""
        told = story(record)
        if told is None:
            return ""
        name: str = told["id"]
        self._told[name] = look.timestamp_ms, told
        self._told.move_to_end(name)
        if len(self._told) > MOST_STORIES:
            self._told.popitem(last=False)
        return name

    def articles(self, name: str) -> int:
        """How many articles the story has, duplicates not counted; 0 where that is not known."""
        return self._told[name][1]["articles"] if name in self._told else 0

    def largest(self, most: int) -> list[Card]:
        """The `most` largest that changed in the three days before the newest change, largest first."""
        newest = max((changed for changed, _ in self._told.values()), default=0)
        # From the last on, so that of two alike in size the one that changed last comes first.
        late = [told for changed, told in reversed(self._told.values()) if changed > newest - _LATE_MS]
        return sorted(late, key=lambda told: -told["articles"])[:most]
