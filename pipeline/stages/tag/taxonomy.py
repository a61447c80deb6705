"""Your own terms: names, aliases and rules from `taxonomy.toml`, and which of them an article is about.

    [[term]]
    id = "port-strikes"
    name = "Port strikes"
    target = "topic"
    rule = '(strike or walkout) near/10 (port or harbour) and not "strike price"'

Without a rule, the name and its `aliases` are looked for. Capitals do not count, unless `case = true`.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, get_args

from ahocorasick_rs import AhoCorasick

from pipeline.errors import TaxonomyError
from pipeline.records import Article
from pipeline.stages.tag.rules import Hit, Phrase, Rule, RuleFault, Some, parse_rule
from pipeline.terms import Evidence, Target, Term

TARGETS: tuple[Target, ...] = get_args(Target)
MOST_TERMS = 20_000
MOST_BYTES = 8_388_608
# So much of an article is read, and so many places are named for one term: the record must stay small.
CHARACTERS_READ = 100_000
MOST_EVIDENCE = 5
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_KEYS = {"id", "name", "target", "aliases", "rule", "case"}


@dataclass(frozen=True, slots=True)
class _Entry:
    id: str
    name: str
    target: Target
    case: bool
    rule: Rule


class Taxonomy:
    """Compiled terms; `find` is pure. Build it with `parse`."""

    def __init__(self, entries: Sequence[_Entry], version: str) -> None:
        self.version = version
        """Twelve hex digits of what the file says, so that records tell by which terms they were tagged."""
        self.terms = len(entries)
        self._entries = sorted(entries, key=lambda entry: entry.id)
        self._phrases = sorted({_Spelled.of(text, e.case) for e in entries for text in e.rule.phrases()})
        self._automaton = AhoCorasick([phrase.pattern for phrase in self._phrases]) if self._phrases else None

    def find(self, article: Article) -> tuple[Term, ...]:
        """The terms that hold for `article`, by id, each with the first places that made it hold."""
        if self._automaton is None:
            return ()
        head = "" if article.headline_derived else article.headline[:CHARACTERS_READ] + "\n\n"
        text = head + article.body[:CHARACTERS_READ]
        loose, exact = self._hits(text)
        if not loose and not exact:
            return ()
        found = []
        for entry in self._entries:
            hits = entry.rule.holds(exact if entry.case else loose)
            if hits:
                places = sorted(set(hits), key=lambda hit: hit.start)[:MOST_EVIDENCE]
                evidence = tuple(_evidence(hit, text, len(head)) for hit in places)
                found.append(Term(entry.id, entry.name, entry.target, evidence))
        return tuple(found)

    def _hits(self, text: str) -> tuple[dict[str, list[Hit]], dict[str, list[Hit]]]:
        """Hits by phrase as the rules spell it: whatever the capitals, and with the same capitals."""
        assert self._automaton is not None  # noqa: S101
        low = _low(text)
        starts = [i for i, sign in enumerate(text) if sign.isalnum() and not (i and text[i - 1].isalnum())]
        found: tuple[dict[str, list[Hit]], dict[str, list[Hit]]] = (defaultdict(list), defaultdict(list))
        for number, start, end in self._automaton.find_matches_as_indexes(low, overlapping=True):
            phrase = self._phrases[number]
            if not _whole(text, start, end) or (phrase.case and text[start:end] != phrase.text):
                continue
            hit = Hit(bisect_left(starts, start), bisect_left(starts, end), start, end)
            found[phrase.case][phrase.text].append(hit)
        return found


@dataclass(frozen=True, slots=True, order=True)
class _Spelled:
    """A phrase as a rule spells it, and as the automaton looks for it."""

    pattern: str
    text: str
    case: bool

    @classmethod
    def of(cls, text: str, case: bool) -> _Spelled:
        return cls(_low(text), text, case)


def _low(text: str) -> str:
    """Small letters, one for each character, so that offsets stay."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _whole(text: str, start: int, end: int) -> bool:
    """Whether no letter goes on at either end. Scripts without capitals part no words, so there anything goes."""
    before = start > 0 and _joins(text[start - 1]) and _joins(text[start])
    after = end < len(text) and _joins(text[end]) and _joins(text[end - 1])
    return not before and not after


def _joins(sign: str) -> bool:
    return sign.isdigit() or sign.lower() != sign.upper()


def _evidence(hit: Hit, text: str, head: int) -> Evidence:
    if hit.start < head:
        return Evidence("headline", hit.start, hit.end, text[hit.start : hit.end])
    return Evidence("body", hit.start - head, hit.end - head, text[hit.start : hit.end])


def parse(text: str) -> Taxonomy:
    """The taxonomy that a file says. Raises TaxonomyError that names every fault, one a line."""
    if len(text) > MOST_BYTES:
        raise TaxonomyError(f"it has over {MOST_BYTES:,} characters; make it smaller")
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TaxonomyError(f"it is no TOML: {error}") from error
    faults = [f"there is no {key!r}; a taxonomy has only [[term]]" for key in found if key != "term"]
    tables = found.get("term", [])
    if not isinstance(tables, list) or len(tables) > MOST_TERMS:
        raise TaxonomyError(f"terms are written [[term]], at most {MOST_TERMS:,} of them")
    entries: dict[str, _Entry] = {}
    for number, table in enumerate(tables, 1):
        where = f"term {number}"
        try:
            entry = _entry(table)
            where = f"term {entry.id!r}"
            if entry.id in entries:
                raise RuleFault("another term has this id")
            entries[entry.id] = entry
        except RuleFault as fault:
            named = table.get("id") if isinstance(table, dict) else None
            faults.append(f"{f'term {named!r}' if isinstance(named, str) else where}: {fault}")
    if faults:
        raise TaxonomyError("\n".join(faults))
    return Taxonomy(list(entries.values()), blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest())


def _entry(table: Any) -> _Entry:
    """One term. Raises RuleFault."""
    if not isinstance(table, dict):
        raise RuleFault("it is no table; write [[term]]")
    if fault := next(_faults(table), ""):
        raise RuleFault(fault)
    if "rule" in table:
        rule = parse_rule(table["rule"])
    else:
        rule = Some(tuple(Phrase(name) for name in (table["name"], *table.get("aliases", []))))
    return _Entry(table["id"], table["name"], table["target"], table.get("case", False), rule)


def _faults(table: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the keys of a term, one after the other."""
    if unknown := sorted(table.keys() - _KEYS):
        yield f"there is no {unknown[0]!r}; a term has {', '.join(sorted(_KEYS))}"
    for key in ("id", "name", "target"):
        if not isinstance(table.get(key), str) or not table[key].strip():
            yield f"{key!r} is missing or no text"
    if not _ID.fullmatch(table["id"]):
        yield "an id has letters, digits, dots, dashes and underscores, 64 at most"
    if table["target"] not in TARGETS:
        yield f"target is {table['target']!r}, not one of {', '.join(TARGETS)}"
    if not isinstance(table.get("case", False), bool):
        yield "'case' is neither true nor false"
    if not isinstance(table.get("rule", ""), str):
        yield "'rule' is no text"
    aliases = table.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(alias, str) and alias.strip() for alias in aliases):
        yield "'aliases' is no list of names"
    if "rule" in table and aliases:
        yield "a term has a rule or aliases; write the aliases into the rule"
