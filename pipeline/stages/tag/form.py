"""What the form of a name and the words around it say: mends the model's names, and finds some that it missed."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence, Set

from pipeline.stages.tag.chain import Kind, Span, Tokens
from pipeline.stages.tag.lone import CLAN, is_first_name, is_speaking
from pipeline.stages.tag.words import rows, stopwords, words

_LONGEST_PERSON = 3
# Longer ones than `JD` in `JD Vance`.
_SHORTEST_ACRONYM = 4
# A digit, or a capital inside a word, but not that of McCain, DeSantis, LeBron or Jean-Luc.
_CODED = re.compile(
    r"\d|(?<![\W_])(?!(?:Ma?c|[Dd][aeiu]|L[aeiou]|Van|Von|Fitz|Saint|Al|El|Jo|Ru)[A-Z])[^\W\d_]*[a-z](?=[A-Z])"
)
_OF = re.compile(r" (?:of|at|from) (?:the )?")
_GENERATIONS = frozenset({"Jr", "Jr.", "Sr", "Sr.", "II", "III"})
# Before a lone name these make a person of it: `President Vucic`.
_BEFORE_A_LONE = frozenset(
    "Mr Mr. Mrs Mrs. Ms Ms. Miss Dr Dr. Prof. Professor President Senator Sen. Rep. Congressman Congresswoman Gov."
    " Governor Mayor Judge Justice Sheriff Chancellor Premier Minister Secretary Sgt. Sergeant Lt. Lieutenant Col."
    " Colonel Capt. Captain Inspector Archbishop Ambassador".split()
)
_SHORTEST_LONE = 4
_AND_MORE = re.compile(r"[A-Z]\w+ & $")
# Heads of a body's name that are a body's name alone, too.
_BODIES = frozenset("Army Party League Union Board House Guild Fund Bank Church Senate".split())
_TITLE_WITHIN = re.compile(r" (?:Mr|Mrs|Ms|Dr)\.? [A-Z]")
_PRESS = (" Secretary", " secretary", " Office", " office")
# `Secretary of State Mike Pompeo`
_OFFICES = frozenset("State Staff Defense Defence Finance Commerce Treasury Justice Health Homeland".split())
_LONGEST_TITLE = 20
# A name that no first name opens is a place's behind these.
_PLACE_OF = re.compile(
    r"(?:\b(?:city|town|village|valley|province|district|region|port|island|suburb|county|state) of| in| near) $"
)
_SECOND_SYLLABLE = re.compile(
    r"-(?!(?:led|run|era|born|made|held|owned|based|style|like|type|wide|free|bound|backed|linked|built)\b)[a-z]{1,6}\b"
)
_PLACE_STARTS = frozenset("Mount Mt Mt. Lake River Cape Gulf Isle Rue Via Calle Avenida Boulevard Piazza Plaza".split())
_OF_MANY = re.compile(r"['’] ([A-Z]\w+)")
_HOLY_PLACE = re.compile(r"['’]s [A-Z]\w+")
# Months that are first names, too, and what may stand behind them.
_MONTHS = frozenset("April May June".split())
_DAYS = frozenset("One Two Three Four Five Six Seven Eight Nine Ten".split())
# Before a first name these make a place of it: San Francisco, New Brunswick.
_SAINTS = frozenset("San Santa Saint Saints St St. Los Las New Fort Port El".split())


def _is_day(parts: Sequence[str]) -> bool:
    """`June Eight`."""
    return parts[0] in _MONTHS and parts[-1] in _DAYS


class Form:
    """Word lists about the form of names; pure."""

    def __init__(self, peoples: Set[str]) -> None:
        """`peoples`: words for a country's people, which are no part of a name: `Brazilian Flavio Saretta`."""
        self._peoples = peoples
        self._titles = words("titles.txt") | words("title_starts.txt")
        self._first_names = words("first_names.txt")
        self._lasts = words("census_last.txt")
        self._families = words("family_first.txt")
        self._body_ends = words("org_words.txt")
        self._heads = words("org_heads.txt")
        self._kinds = self._heads - _BODIES
        self._not = words("not_names.txt") | words("things.txt")
        self._known_people = {name for (name,) in rows("known_people.tsv")}
        self._small = stopwords()["en"]

    def parted(self, spans: Sequence[Span], text: str, known: Callable[[str, Kind], bool]) -> list[Span]:
        """`Rio Tinto and Glencore` are two, `Birmingham Magistrates' Court` is one; `known`: whether a list has it."""
        found: list[Span] = []
        end = 0
        for span in spans:
            if span.start < end:
                continue
            if found and span.start == end + len(" & ") and self._is_firm(text[found[-1].start : span.end]):
                found[-1] = Span(found[-1].start, span.end, "organisation")
            elif span.kind == "organisation" and text[span.end - 1] == "s" and text[span.end : span.end + 1] in "'’":
                more = _OF_MANY.match(text, span.end)
                found.append(span._replace(end=more.end()) if more and more[1] in self._body_ends else span)
            elif text[span.start - 2 : span.start] == "& " and (half := self._first_half(span, text, end)):
                # `Bill & Melinda Gates Foundation`
                found.append(span._replace(start=span.start - len(half)))
            elif span.kind == "person" or text.find(" and ", span.start, span.end) < 0:
                found.append(span)
            else:
                found += self._two_of(span, text, known)
            end = found[-1].end
        return found

    def _first_half(self, span: Span, text: str, end: int) -> str:
        """What belongs to a body's name before it, behind the `end` of the name before: `Bill & `."""
        found = _AND_MORE.search(text[end : span.start]) if span.kind == "organisation" else None
        return found[0] if found else ""

    def _two_of(self, span: Span, text: str, known: Callable[[str, Kind], bool]) -> list[Span]:
        left, _, right = text[span.start : span.end].partition(" and ")
        right = right.removeprefix("the ")
        if span.kind == "organisation" and known(left, "place") and known(right, "place"):
            # `England and Wales`
            span = span._replace(kind="place")
        if not self._are_two(span.kind, left, right, known):
            return [span]
        return [span._replace(end=span.start + len(left)), span._replace(start=span.end - len(right))]

    def _is_firm(self, said: str) -> bool:
        """`Smith & Wesson`, but not `Sam & Dave`."""
        parts = said.split(" ")
        lone = len(parts) == 3 and parts[1] == "&"
        return lone and all(part.upper() in self._lasts and not is_first_name(part) for part in parts[::2])

    def _are_two(self, kind: Kind, left: str, right: str, known: Callable[[str, Kind], bool]) -> bool:
        if known(f"{left} and {right}", kind):
            return False
        both = known(left, kind), known(right, kind)
        return any(both) if kind == "organisation" else all(both)

    def tidied(self, span: Span, text: str) -> list[Span]:
        """A person without titles; what ends like a body is one; a lone word in capitals is nobody's name."""
        said = text[span.start : span.end]
        if text[max(0, span.start - 1) : span.start] in ("@", "#") or text[span.end : span.end + 1] == "@":
            return []
        if span.kind == "organisation" and said.split(" ")[0] in self._titles and (parted := _OF.search(said)):
            # `Dr. Raman of the Health Institute`
            person = Span(span.start, span.start + parted.start(), "person")
            return [*self.tidied(person, text), Span(span.start + parted.end(), span.end, "organisation")]
        parts = said.split(" ")
        if span.kind != "person" and len(parts) > 2 and (at := self._other_person(said)):
            # `At the GDC Mr Allard`
            person = span._replace(start=span.start + at, kind="person")
            return [*self.tidied(span._replace(end=person.start - 1), text), *self.tidied(person, text)]
        if span.kind != "person" and (
            said in self._known_people or (span.kind == "organisation" and self._like_person(parts))
        ):
            span = span._replace(kind="person")
        if span.kind == "person" and len(parts) > 1 and self._is_of_a_place(parts, text, span.start):
            span = span._replace(kind="place")
        if span.kind != "person":
            return self._body(span, said, text)
        if len(parts) > 1 and parts[-1] in self._body_ends:
            return [span._replace(kind="organisation")]
        if " and " in said:
            # `Ben McLachlan and Yasutaka Uchiyama`
            at = span.start + said.index(" and ")
            return [*self.tidied(span._replace(end=at), text), *self.tidied(span._replace(start=at + 5), text)]
        return self._person(span, self._without_title(parts), text)

    def _other_person(self, said: str) -> int:
        """Where in a body's or place's name somebody's begins, with a title or a people before it; 0 if none does."""
        found = _TITLE_WITHIN.search(said)
        if found:
            return found.start() + 1
        first, _, rest = said.partition(" ")
        return len(first) + 1 if first in self._peoples and self._like_person(rest.split(" ")) else 0

    def _body(self, span: Span, said: str, text: str) -> list[Span]:
        """A body or a place without its article; what says only of which kind a body is names none."""
        if said.startswith("The "):
            return [span._replace(start=span.start + len("The "))]
        if span.kind == "place":
            return [span]
        if said.endswith(" Press") and text.startswith(_PRESS, span.end):
            return [span._replace(end=span.end - len(" Press"))]
        acronym = said in self._not and said.removesuffix("s").isupper()
        return [] if acronym or said in self._kinds else [span]

    def _is_of_a_place(self, parts: list[str], text: str, start: int) -> bool:
        """`Mount Lewotobi`, and `the valley of El Carmelo`."""
        if parts[0] in _PLACE_STARTS:
            return True
        behind = _PLACE_OF.search(text[max(0, start - _LONGEST_TITLE) : start])
        return behind is not None and parts[0] not in self._titles and not is_first_name(parts[0])

    def _person(self, span: Span, kept: list[str], text: str) -> list[Span]:
        lone = len(kept) == 1
        if not kept or (lone and (kept[0] in self._titles or (kept[0].isupper() and len(kept[0]) > 1))):
            return []
        if self._like_thing(kept):
            return []
        start = span.end - len(" ".join(kept))
        if kept[0] in _SAINTS and (place := _HOLY_PLACE.match(text, span.end)):
            # `St. Peter's Square`
            return [Span(start, place.end(), "place")]
        return [span._replace(start=start, end=self._end(kept, text, span.end))]

    def _end(self, parts: list[str], text: str, end: int) -> int:
        """Where the name really ends: `Lee Jae-myung`, but `Clark-led`."""
        if len(parts) > 2 or parts[0] not in self._families:
            return end
        second = _SECOND_SYLLABLE.match(text, end)
        return second.end() if second else end

    def _without_title(self, parts: list[str]) -> list[str]:
        """What stands behind the last title (`Emirates President Tim Clark`) and behind small words (`While Clark`)."""
        ranks = [i for i, part in enumerate(parts[:-1]) if part in self._titles and parts[i + 1] not in _GENERATIONS]
        kept = parts[ranks[-1] + 1 :] if ranks else parts
        while len(kept) > 1 and (kept[0].lower() in self._small or (len(kept) > 2 and self._goes_before(kept[0]))):
            kept = kept[1:]
        return kept

    def _goes_before(self, word: str) -> bool:
        return word in _OFFICES or word in self._peoples

    def _like_thing(self, parts: list[str]) -> bool:
        """Whether it is a product, a paper, a day or the like: `MagSafe`, `MkII Ford Escort`, `JAMA Psychiatry`."""
        first, last = parts[0], parts[-1]
        if _is_day(parts):
            return True
        # Jude Law and Benny Hill are people.
        if last in self._not and (len(parts) == 1 or not is_first_name(first)):
            return True
        if first.isupper() and first.isalpha() and len(first) >= _SHORTEST_ACRONYM:
            return True
        return any(_CODED.search(part) for part in parts)

    def _like_person(self, parts: list[str]) -> bool:
        """Two or three words, a frequent first name first and a frequent surname last."""
        first, last = parts[0], parts[-1]
        if not 2 <= len(parts) <= _LONGEST_PERSON or first.isupper() or last in self._body_ends or last in self._not:
            return False
        return is_first_name(first) and last.upper() in self._lasts

    def missed(self, tokens: Tokens, spans: Sequence[Span]) -> Iterator[Span]:
        """People and bodies in stretches that hold no name so far; a person's name may hold a place (`Washington`)."""
        taken = sorted(spans)
        # Where all of a run is a name nothing more can be one.
        whole = {(span.start, span.end) for span in spans}
        runs = [r for r in tokens.runs if (tokens.starts[r[0]], tokens.ends[r[1] - 1]) not in whole]
        for first, after in self._stretches(tokens, runs):
            start, end = tokens.starts[first], tokens.ends[after - 1]
            near = bisect_left(taken, (start,))
            over = [span for span in taken[max(0, near - 1) : near + 2] if span.start < end and start < span.end]
            if over and not (over[0].kind == "place" and over[0].start > start):
                continue
            kind = self._kind([tokens.word(i) for i in range(first, after)], tokens.text, start, end)
            if kind == "person" or (kind and not over):
                yield Span(start, end, kind)

    def _stretches(self, tokens: Tokens, runs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Runs without what belongs to no name in front, and cut at small words unless a body's name holds them."""
        for first, after in runs:
            if after - first < 2:
                continue
            words = [tokens.word(i) for i in range(first, after)]
            skipped = 0
            while skipped < len(words) and (words[skipped].lower() in self._small or words[skipped] in self._titles):
                skipped += 1
            if len(words) - skipped < 2:
                if skipped and len(words) > skipped and self._is_lone(words[skipped - 1], words[skipped]):
                    yield first + skipped, after
                continue
            if words[skipped] in self._heads:
                yield first + skipped, after
                continue
            begin = skipped
            for i in range(skipped, len(words) + 1):
                if i == len(words) or words[i][0].islower():
                    if i - begin > 1:
                        yield first + begin, first + i
                    begin = i + 1

    def _is_lone(self, title: str, word: str) -> bool:
        """Whether a title makes a person of the one word behind it: `President Vucic`, not `Mayor Monday`."""
        belongs_elsewhere = word in self._not or word in self._body_ends or word in self._titles
        return title in _BEFORE_A_LONE and len(word) >= _SHORTEST_LONE and word[1:].islower() and not belongs_elsewhere

    def _kind(self, parts: list[str], text: str, start: int, end: int) -> Kind | None:
        if len(parts) == 1:
            return "person"
        if parts[-1] in self._body_ends or (parts[0] in self._heads and "of" in parts):
            return "organisation"
        if len(parts) > _LONGEST_PERSON or any(p[0].islower() or p == "&" or p in self._not for p in parts):
            return None
        if all(part.isupper() for part in parts) or parts[0] in _SAINTS or _is_day(parts):
            return None
        clan = len(parts) == 2 and parts[0] not in self._titles and CLAN.match(parts[1])
        return "person" if parts[0] in self._first_names or clan or is_speaking(text, start, end) else None
