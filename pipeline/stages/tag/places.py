"""Countries, regions and cities: which names are known, and what each of them can stand for."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from pipeline.stages.tag.words import alternatives, rows, words
from pipeline.terms import Place

# A city that large is meant even where nothing else in the text speaks of its country.
WELL_KNOWN_POPULATION = 500_000
FAR = 10
# `, Maine,` and `, Me. -`; in the third group what stands behind goes on in small letters: `, Maine on Friday`.
_REGION_AFTER = re.compile(
    r"(, | \()((?:[A-Z]\.){2,3}|[A-Z]\.[A-Z][a-z]\.|[A-Z][\w'’-]+(?:\.|(?: [A-Z][\w'’-]+){0,2}))"
    r"(?:(?=[,.;:()!?”\"—–]|\s*(?:\n|\Z)| [-–—])|(?=( [a-z(])))"
)
# Letters of a country in the code of its region.
_COUNTRY = 2
_STEM = 3
_OF_A_PEOPLE = ("i", "is", "an", "ans", "ese", "ish", "ic", "er", "ers")


@dataclass(slots=True)
class Name:
    """Everything that one spelling can stand for."""

    country: Place | None = None
    region: Place | None = None
    cities: list[tuple[Place, int]] = field(default_factory=list)
    """With population, largest first."""
    towns: list[tuple[Place, int]] = field(default_factory=list)
    """Smaller ones, which are meant only where the text speaks of their region."""
    hints: list[str] = field(default_factory=list)
    """Codes of countries and regions that this word speaks for, e.g. `French` or `Texas`."""
    within: frozenset[str] = frozenset()
    """Codes of the regions in which its cities and towns lie."""
    says: tuple[str, ...] = ()
    """What it speaks for in a text: countries, regions and continents."""
    large: Place | None = None
    """The city, where it is large, and by far the largest of its name."""
    is_only_a_town: bool = False
    """Whether nothing but small towns is called so."""
    is_only_a_region: bool = False
    """Whether no city or country is called so, but a region is."""

    @property
    def codes(self) -> list[str]:
        """Codes of the countries and regions that it names, or else speaks for."""
        region = self.region.region if self.region else None
        country = [self.country.code] if self.country else []
        return [*country, region] if region else [*country, *self.hints]


class Atlas:
    """The place names, by spelling."""

    def __init__(self) -> None:
        self.names: dict[str, Name] = {}
        self.by_key: dict[str, Place] = {}
        """Countries by their code, and cities by their number in GeoNames."""
        self.peoples: set[str] = set()
        """Words for a country's people, which name no place: `Israeli`, `Iranians`."""
        self.continents: dict[str, str] = {}
        self.common = words("city_stop.txt") | words("first_names.txt")
        """Names that mostly mean something else."""
        self.needs: dict[str, tuple[str, ...]] = {}
        """Of a country whose name means other things too: the words of which one must stand in a text that means it."""
        self._short: dict[str, set[str]] = defaultdict(set)
        self._load_countries()
        self._load_regions()
        self._load_cities()
        for spelling, entry in self.names.items():
            self._settle(spelling, entry)

    def _name(self, spelling: str) -> Name:
        return self.names.setdefault(spelling, Name())

    def _load_countries(self) -> None:
        for code, number, name, continent in rows("countries.tsv"):
            self.continents[code] = f"continent {continent}"
            self.by_key[code] = self._name(name).country = Place(name, "country", code, geonames_id=int(number))
        by_code = {n.country.code: n.country for n in self.names.values() if n.country}
        for code, aliases, people, needs in rows("country_words.tsv"):
            for alias in alternatives(aliases):
                self._name(alias).country = by_code[code]
            for word in alternatives(people):
                self._name(word).hints.append(code)
                if word[:_STEM] == by_code[code].name[:_STEM] and word.endswith(_OF_A_PEOPLE):
                    self.peoples.add(word)
            if needs:
                self.needs[code] = tuple(alternatives(needs))

    def _load_regions(self) -> None:
        for region, number, name, short, others in rows("regions.tsv"):
            code = country_of(region)
            self._name(name).region = Place(name, "region", code, geonames_id=int(number), region=region)
            for form in alternatives(short):
                self._short[form].add(region)
            for word in alternatives(others):
                self._name(word).hints.append(region)
                if word.endswith(_OF_A_PEOPLE):
                    self.peoples.add(word)

    def _load_cities(self) -> None:
        known: dict[tuple[str, str], tuple[Place, int]] = {}
        for file in ("cities.tsv", "towns.tsv"):
            for number, name, code, latitude, longitude, population, region in rows(file):
                where = float(latitude), float(longitude)
                city = Place(name, "city", code, *where, int(number), region or None), int(population)
                self.by_key[number] = city[0]
                entry = self._name(name)
                (entry.cities if file == "cities.tsv" else entry.towns).append(city)
                known.setdefault((name, code), city)
        for alias, name, code in rows("city_aliases.tsv"):
            self._name(alias).cities.append(known[name, code])

    def _settle(self, spelling: str, name: Name) -> None:
        """Work out once what every text that has the name would ask of it.

        A city speaks for its continent only, and only one that no other country has.
        """
        name.within = frozenset(c.region for c, _ in (*name.cities, *name.towns) if c.region)
        name.is_only_a_town = bool(name.towns) and not (name.country or name.region or name.cities or name.hints)
        name.is_only_a_region = name.region is not None and not name.country and not name.cities
        codes = list(name.hints)
        if name.country and name.country.code not in self.needs:
            codes.append(name.country.code)
        # `Elizabeth` speaks for nobody's continent.
        cities = {city.code for city, _ in name.cities} if spelling not in self.common else set()
        spoken_of = codes or (cities if len(cities) == 1 else ())
        name.says = (*codes, *(self.continents[code] for code in spoken_of if code in self.continents))
        name.large = name.cities[0][0] if name.cities and _stands_out(name.cities) else None

    def is_place(self, spelling: str) -> bool:
        """Whether `spelling` names a country, a region or a city, rather than a people or a small town."""
        name = self.names.get(spelling)
        if name is None:
            return False
        return (
            name.country is not None or bool(name.cities) or (name.region is not None and not self.is_common(spelling))
        )

    def is_common(self, spelling: str) -> bool:
        """Whether `spelling` mostly means something else: Reading, Virginia."""
        return spelling in self.common

    def is_country(self, spelling: str) -> bool:
        """Whether `spelling` names a country."""
        name = self.names.get(spelling)
        return name is not None and name.country is not None

    def is_region(self, spelling: str) -> bool:
        """Whether `spelling` names a region, and no city or country."""
        name = self.names.get(spelling)
        return name is not None and bool(name.hints or name.region) and not name.cities and name.country is None

    def is_well_known(self, spelling: str) -> bool:
        """Whether `spelling` names a city that large that hardly anybody is called so, and means nothing else."""
        name = self.names.get(spelling)
        largest = max((people for _, people in name.cities), default=0) if name else 0
        return largest >= WELL_KNOWN_POPULATION and spelling not in self.common

    def region_after(self, text: str, end: int, spelling: str) -> frozenset[str]:
        """The codes of the regions or countries in one of which a place `spelling` that ends at `end` must be.

        `Paris, Texas`. Empty where nothing behind it says so.
        """
        match = _REGION_AFTER.match(text, end)
        if match is None:
            return frozenset()
        mark, said, goes_on = match.groups()
        # Of `Wash.` at the end of a sentence the dot may be its own or the sentence's.
        codes: set[str] = set()
        for form in (said, f"{said}.") if mark == ", " else ():
            codes |= self._short.get(form, set())
        for form in (said, said.rstrip(".")):
            name = self.names.get(form)
            if name and (name.region or not goes_on):
                codes.update(name.codes)
        if goes_on:
            # `In Washington, Maine senators said` puts Washington nowhere else.
            known = self.names.get(spelling)
            codes &= known.within if known else set()
        return frozenset(codes)

    def is_short_form(self, text: str, start: int) -> bool:
        """Whether `Wash.` or the like begins at `start`."""
        return text[start : text.find(".", start) + 1] in self._short


def _stands_out(cities: list[tuple[Place, int]]) -> bool:
    """Whether the first of some namesakes is large, and by far the largest."""
    population = cities[0][1]
    return population >= WELL_KNOWN_POPULATION and all(population >= FAR * people for _, people in cities[1:])


def country_of(code: str) -> str:
    """The country of a region, or the country itself: `US` of `US-ME`."""
    return code[:_COUNTRY]
