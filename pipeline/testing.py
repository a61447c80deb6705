"""Fakes that ship with Copydesk, for our tests and for yours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any


class FakeClock:
    """A clock that moves only when told: `clock.advance(2.5)`. Implements `pipeline.clock.Clock`."""

    def __init__(self, start: datetime = datetime(2025, 3, 18, 9, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        """The pretended moment."""
        return self._now

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both hands."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


@dataclass(frozen=True)
class FakeEntity:
    """A name, as spaCy has it."""

    start_char: int
    end_char: int
    label_: str


@dataclass(frozen=True)
class FakeDocument:
    """A text that a `FakePipeline` has read."""

    ents: tuple[FakeEntity, ...]


class FakePipeline:
    """A spaCy pipeline that knows just the names it is given, each with spaCy's label for it."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._any = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))
        self.batches: list[list[str]] = []
        """The texts of each call."""

    def pipe(self, texts: Iterable[str]) -> Iterator[FakeDocument]:
        """Read all `texts` at once."""
        self.batches.append(list(texts))
        for text in self.batches[-1]:
            found = self._any.finditer(text)
            yield FakeDocument(tuple(FakeEntity(match.start(), match.end(), self._names[match[0]]) for match in found))


class ScriptedConsumer:
    """A consumer of one partition that hands out what it is told: pairs of records and the position after them.

    Once all is handed out, each further question finds nothing and calls `idle`, which may let time pass.
    """

    def __init__(
        self, partition: Any, script: Iterable[tuple[Sequence[Any], int]], idle: Callable[[], None] = lambda: None
    ) -> None:
        self._partition, self._script, self._idle = partition, list(script), idle
        self._position = 0

    async def position(self, partition: Any) -> int:
        """The next offset to read."""
        return self._position

    async def getmany(self, *, timeout_ms: int, max_records: int | None = None) -> dict[Any, list[Any]]:
        """The next records of the script."""
        if not self._script:
            self._idle()
            return {}
        records, self._position = self._script.pop(0)
        return {self._partition: list(records)}
