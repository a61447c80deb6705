"""The rules of a taxonomy: `("interest rate" or "rate cut") and bank near/5 central and not river`.

A phrase stands in quotes, or is one bare word. `near/N` binds first, then `not`, `and`, `or`; brackets group. A rule
that holds says where: the hits that made it hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

DEEPEST = 40
_TOKEN = re.compile(r"""\s*(?:(?P<sign>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()"']+))""")
_NEAR = re.compile(r"near/(\d{1,3})", re.IGNORECASE)


class Hit(NamedTuple):
    """Where a phrase stands: number of its first word and of the one after its last, and offsets of characters."""

    word: int
    after: int
    start: int
    end: int


Hits = Mapping[str, Sequence[Hit]]
"""Hits by phrase; a phrase without hits is missing."""


class RuleFault(ValueError):
    """A rule that cannot be read; the message says where and why."""


class Rule(Protocol):
    """A rule or a part of one."""

    def holds(self, hits: Hits) -> list[Hit] | None:
        """The hits that make it hold, None where it does not; an empty list where nothing had to be there."""
        ...

    def phrases(self) -> Iterator[str]:
        """All phrases in it."""
        ...


@dataclass(frozen=True, slots=True)
class Phrase:
    """Holds where the phrase occurs."""

    text: str

    def holds(self, hits: Hits) -> list[Hit] | None:
        """See `Rule`."""
        return list(hits.get(self.text, ())) or None

    def phrases(self) -> Iterator[str]:
        """See `Rule`."""
        yield self.text


@dataclass(frozen=True, slots=True)
class All:
    """Holds where all parts do."""

    parts: tuple[Rule, ...]

    def holds(self, hits: Hits) -> list[Hit] | None:
        """See `Rule`."""
        found: list[Hit] = []
        for part in self.parts:
            here = part.holds(hits)
            if here is None:
                return None
            found += here
        return found

    def phrases(self) -> Iterator[str]:
        """See `Rule`."""
        return (phrase for part in self.parts for phrase in part.phrases())


@dataclass(frozen=True, slots=True)
class Some:
    """Holds where at least one part does; all that do say where."""

    parts: tuple[Rule, ...]

    def holds(self, hits: Hits) -> list[Hit] | None:
        """See `Rule`."""
        found = [here for part in self.parts if (here := part.holds(hits)) is not None]
        return [hit for here in found for hit in here] if found else None

    def phrases(self) -> Iterator[str]:
        """See `Rule`."""
        return (phrase for part in self.parts for phrase in part.phrases())


@dataclass(frozen=True, slots=True)
class Without:
    """Holds where its part does not."""

    part: Rule

    def holds(self, hits: Hits) -> list[Hit] | None:
        """See `Rule`."""
        return [] if self.part.holds(hits) is None else None

    def phrases(self) -> Iterator[str]:
        """See `Rule`."""
        yield from self.part.phrases()


@dataclass(frozen=True, slots=True)
class Near:
    """Holds where hits of both parts have at most `most` words between them, in either order."""

    left: Rule
    right: Rule
    most: int

    def holds(self, hits: Hits) -> list[Hit] | None:
        """See `Rule`."""
        left, right = self.left.holds(hits) or [], self.right.holds(hits) or []
        close = [hit for a in left for b in right if 0 <= _between(a, b) <= self.most for hit in (a, b)]
        return list(dict.fromkeys(close)) or None

    def phrases(self) -> Iterator[str]:
        """See `Rule`."""
        yield from self.left.phrases()
        yield from self.right.phrases()


def _between(one: Hit, other: Hit) -> int:
    """Words between two hits; negative where they overlap."""
    return max(one.word, other.word) - min(one.after, other.after)


def parse_rule(text: str) -> Rule:
    """The rule that `text` says. Raises RuleFault."""
    parser = _Parser(list(_tokens(text)))
    rule = parser.either(0)
    if parser.ahead is not None:
        raise RuleFault(f"{parser.ahead[1]!r} is too much at the end")
    if rule.holds({}) is not None:
        raise RuleFault("it holds for articles that have none of its words; say what must be there")
    return rule


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise RuleFault(f"a quote is opened and not closed at {text[at:].strip()[:20]!r}")
        at = match.end()
        if match["sign"]:
            yield "sign", match["sign"]
        elif match["word"]:
            word = match["word"]
            binds = word.lower() in ("and", "or", "not") or _NEAR.fullmatch(word)
            yield ("operator", word.lower()) if binds else ("phrase", word)
        else:
            yield "phrase", match["double"] or match["single"] or ""


class _Parser:
    """Reads a rule from the loosest binding to the tightest."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens[::-1]

    @property
    def ahead(self) -> tuple[str, str] | None:
        return self._tokens[-1] if self._tokens else None

    def _take(self, text: str) -> bool:
        if self.ahead is None or self.ahead[0] == "phrase" or self.ahead[1] != text:
            return False
        self._tokens.pop()
        return True

    def either(self, depth: int) -> Rule:
        if depth > DEEPEST:
            raise RuleFault(f"brackets and nots are nested deeper than {DEEPEST}")
        parts = [self._both(depth)]
        while self._take("or"):
            parts.append(self._both(depth))
        return Some(tuple(parts)) if len(parts) > 1 else parts[0]

    def _both(self, depth: int) -> Rule:
        parts = [self._without(depth)]
        while self._take("and"):
            parts.append(self._without(depth))
        return All(tuple(parts)) if len(parts) > 1 else parts[0]

    def _without(self, depth: int) -> Rule:
        if self._take("not"):
            if depth > DEEPEST:
                raise RuleFault(f"brackets and nots are nested deeper than {DEEPEST}")
            return Without(self._without(depth + 1))
        return self._near(depth)

    def _near(self, depth: int) -> Rule:
        rule = self._part(depth)
        if self.ahead and self.ahead[0] == "operator" and (near := _NEAR.fullmatch(self.ahead[1])):
            self._tokens.pop()
            return Near(rule, self._part(depth), int(near[1]))
        return rule

    def _part(self, depth: int) -> Rule:
        if self._take("("):
            rule = self.either(depth + 1)
            if not self._take(")"):
                raise RuleFault("a bracket is opened and not closed")
            return rule
        if self.ahead is None or self.ahead[0] != "phrase":
            raise RuleFault(f"a phrase is missing before {self.ahead[1]!r}" if self.ahead else "it ends too early")
        _, text = self._tokens.pop()
        if not re.search(r"\w", text):
            raise RuleFault(f"{text!r} holds no word")
        return Phrase(text)
