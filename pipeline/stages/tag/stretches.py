"""Stretches of a text in order, and which of them lie over another one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar


class Stretch(Protocol):
    """A piece of a text."""

    @property
    def start(self) -> int:
        """Its first character."""
        ...

    @property
    def end(self) -> int:
        """The character after its last one."""
        ...


class Known(NamedTuple):
    """One known spelling in a text; offsets count characters, end exclusive."""

    start: int
    end: int
    spelling: str


S = TypeVar("S", bound=Stretch)


class InOrder(Generic[S]):
    """Stretches in the order of the text, none over another."""

    def __init__(self, spans: Sequence[S]) -> None:
        self._spans = spans
        self._starts, self._ends = [s.start for s in spans], [s.end for s in spans]

    def over(self, start: int, end: int) -> Sequence[S]:
        """Those that share a character with the stretch from `start` to `end`."""
        return self._spans[bisect_right(self._ends, start) : bisect_left(self._starts, end)]
