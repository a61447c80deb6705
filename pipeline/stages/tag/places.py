"""Countries and cities: which names are known, and which of them a text really means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import cos, hypot, radians

from pipeline.stages.tag.words import alternatives, rows, stopwords, words
from pipeline.terms import Place

# A city that large is meant even where nothing else in the text speaks of its country.
WELL_KNOWN_POPULATION = 500_000
# Outside English we know neither the small words nor the common nouns that look like towns.
WORLD_CITY_POPULATION = 1_000_000
# What stands behind an American city in a dateline or an address, besides the full names of the states.
_STATES_SHORT = frozenset(
    "Ala. Ariz. Ark. Calif. Colo. Conn. Del. Fla. Ga. Ill. Ind. Kan. Ky. La. Md. Mass. Mich. Minn. Miss. Mo. Mont. Neb."
    " Nev. N.H. N.J. N.M. N.Y. N.C. N.D. Okla. Ore. Pa. R.I. S.C. S.D. Tenn. Tex. Vt. Va. Wash. W.Va. Wis. Wyo. D.C."
    " AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA"
    " RI SC SD TN TX UT VT VA WA WV WI WY DC".split()
)
# A state by name although a country, or a city, has it too.
_STATES_TOO = frozenset({"Georgia", "Washington"})
_REGION_AFTER = re.compile(
    r", ((?:[A-Z]\.){2}|[A-Z][\w'’-]+\.?(?: [A-Z][\w'’-]+)?)(?=[,.;:()!?”\"—–]|\s*(?:\n|\Z)| [-–—])"
)
_NEAR_DEGREES = 1.4
_FAR = 10
_STEM = 3
_OF_A_PEOPLE = ("i", "is", "an", "ans", "ese", "ish", "ic", "er", "ers")
_LOCATIVES = ("in", "at", "near", "from", "outside", "around", "across", "through")


class Hints(Counter[str]):
    """How often a text speaks for each country, by code, and for each continent; and where its large cities lie."""

    def __init__(self) -> None:
        super().__init__()
        self.near: list[Place] = []


@dataclass(slots=True)
class Name:
    """Everything that one spelling can stand for."""

    country: Place | None = None
    cities: list[tuple[Place, int]] = field(default_factory=list)
    """With population, largest first."""
    hints: list[str] = field(default_factory=list)
    """Codes of countries that this word speaks for, e.g. `French` or `Texas`."""


class Atlas:
    """The place names, by spelling."""

    def __init__(self) -> None:
        self.names: dict[str, Name] = {}
        self.by_key: dict[str, Place] = {}
        """Countries by their code, and cities by their number in GeoNames."""
        self.peoples: set[str] = set()
        """Words for a country's people, which name no place: `Israeli`, `Iranians`."""
        self._continents: dict[str, str] = {}
        self._usual = {(name, code) for name, code in rows("namesakes.tsv")}
        self._needs: dict[str, tuple[str, ...]] = {}
        self._common = words("city_stop.txt") | words("first_names.txt")
        self._small = frozenset().union(*stopwords().values())
        self._load_countries()
        self._load_cities()

    def _name(self, spelling: str) -> Name:
        return self.names.setdefault(spelling, Name())

    def _load_countries(self) -> None:
        for code, number, name, continent in rows("countries.tsv"):
            self._continents[code] = f"continent {continent}"
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
                self._needs[code] = tuple(alternatives(needs))

    def _load_cities(self) -> None:
        known: dict[tuple[str, str], tuple[Place, int]] = {}
        for number, name, code, latitude, longitude, population in rows("cities.tsv"):
            city = Place(name, "city", code, float(latitude), float(longitude), int(number))
            self.by_key[number] = city
            self._name(name).cities.append((city, int(population)))
            known.setdefault((name, code), (city, int(population)))
        for alias, name, code in rows("city_aliases.tsv"):
            self._name(alias).cities.append(known[name, code])

    def is_place(self, spelling: str) -> bool:
        """Whether `spelling` names a place, rather than a people or a region."""
        name = self.names.get(spelling)
        return name is not None and (name.country is not None or bool(name.cities))

    def is_country(self, spelling: str) -> bool:
        """Whether `spelling` names a country."""
        name = self.names.get(spelling)
        return name is not None and name.country is not None

    def is_region(self, spelling: str) -> bool:
        """Whether `spelling` names a region, and no city or country."""
        name = self.names.get(spelling)
        return name is not None and bool(name.hints) and not name.cities and name.country is None

    def is_well_known(self, spelling: str) -> bool:
        """Whether `spelling` names a city that large that hardly anybody is called so, and means nothing else."""
        name = self.names.get(spelling)
        largest = max((people for _, people in name.cities), default=0) if name else 0
        return largest >= WELL_KNOWN_POPULATION and spelling not in self._common

    def hints(self, spellings: Iterable[str]) -> Hints:
        """How often the names found in a text speak for each country (by code), and for each continent.

        A city speaks for its continent only, and only one that no other country has.
        """
        found = Hints()
        for spelling in spellings:
            name = self.names[spelling]
            if name.cities and _stands_out(name.cities):
                found.near.append(name.cities[0][0])
            codes = list(name.hints)
            if name.country and name.country.code not in self._needs:
                codes.append(name.country.code)
            found.update(codes)
            # `Elizabeth` speaks for nobody's continent.
            cities = {city.code for city, _ in name.cities} if spelling not in self._common else set()
            found.update(self._continents[code] for code in codes or (cities if len(cities) == 1 else ()))
        return found

    def region_after(self, text: str, end: int) -> frozenset[str]:
        """The codes of the countries in one of which a place that ends at `end` must be: `Paris, Texas`.

        Empty where nothing behind it says so.
        """
        match = _REGION_AFTER.match(text, end)
        if match is None:
            return frozenset()
        said = match[1]
        # Of `Wash.` at the end of a sentence the dot is not in the match.
        codes = {"US"} if said.rstrip(".") in _STATES_TOO or not _STATES_SHORT.isdisjoint((said, f"{said}.")) else set()
        for spelling in (said, said.rstrip("."), said.split(" ")[0]):
            name = self.names.get(spelling)
            if name and (name.country or name.hints):
                return frozenset(codes | {*name.hints, *([name.country.code] if name.country else [])})
        return frozenset(codes)

    def is_state_in_short(self, text: str, start: int) -> bool:
        """Whether `Wash.` or the like begins at `start`."""
        return text[start : text.find(".", start) + 1] in _STATES_SHORT

    def _nearest(self, cities: list[tuple[Place, int]], hints: Hints) -> tuple[Place, int]:
        """Of namesakes the one in the country, then on the continent, that the text speaks of most; then the one near a
        city that it names (Pasadena, near Los Angeles), then the usual."""

        # London is London, unless the text speaks of Canada more than once.
        first, second = cities[0], cities[1] if len(cities) > 1 else cities[0]
        famous = first[0].code if first[1] >= WORLD_CITY_POPULATION and first[1] >= _FAR * second[1] else ""

        def speaks(city: tuple[Place, int]) -> tuple[int, bool, int, bool, bool, int]:
            place, population = city
            usual = (place.name, place.code) in self._usual
            known = place.code == famous
            near = any(_are_near(place, other) for other in hints.near)
            return hints[place.code] + known, known, hints[self._continents[place.code]], near, usual, population

        return max(cities, key=speaks)

    def resolve(
        self,
        spelling: str,
        before: str,
        text: str,
        hints: Hints,
        english: bool,
        region: frozenset[str] = frozenset(),
    ) -> Place | None:
        """The place that `spelling` means in `text`, or None.

        `before` is what stands right before it; `hints` counts the countries that the text speaks of; `region` are the
        codes of those in one of which the text says it is.
        """
        name = self.names.get(spelling)
        if name is None:
            return None
        if name.country:
            return name.country if self._country_meant(name.country.code, text) else None
        if region:
            return self._within(name, region, hints)
        return self._city(spelling, name, before.endswith(_BEFORE_A_PLACE), hints, english)

    def _within(self, name: Name, region: frozenset[str], hints: Hints) -> Place | None:
        """The city in `region`; None where we know none there, as it is not its famous namesake."""
        cities = [city for city in name.cities if city[0].code in region]
        return self._nearest(cities, hints)[0] if cities else None

    def _country_meant(self, code: str, text: str) -> bool:
        needs = self._needs.get(code)
        return needs is None or any(word in text for word in needs)

    def _city(self, spelling: str, name: Name, located: bool, hints: Hints, english: bool) -> Place | None:
        """The city in the country that the text speaks of most, else the largest: if there is evidence enough."""
        if not name.cities or spelling.lower() in self._small:
            return None
        city, population = self._nearest(name.cities, hints)
        hinted = hints[city.code] > 0
        if spelling in self._common:
            return city if hinted and located and english else None
        if not english:
            return city if population >= WORLD_CITY_POPULATION else None
        return city if hinted or located or population >= WELL_KNOWN_POPULATION else None

    def dateline(self, place: str, hints: Hints) -> Place | None:
        """The city or country of an article's dateline, whatever its case: a dateline is evidence in itself."""
        city, _, behind = place.partition(",")
        name = self.names.get(place) or self.names.get(city) or self.names.get(city.title())
        if name is None:
            return None
        region = self.region_after(place, len(city)) if behind else frozenset()
        if region and not name.country:
            return self._within(name, region, hints)
        if name.country or not name.cities:
            return name.country
        return self._nearest(name.cities, hints)[0]


def _stands_out(cities: list[tuple[Place, int]]) -> bool:
    """Whether the first of some namesakes is large, and by far the largest."""
    population = cities[0][1]
    return population >= WELL_KNOWN_POPULATION and all(population >= _FAR * people for _, people in cities[1:])


def _are_near(one: Place, other: Place) -> bool:
    """Whether two cities lie within some 150 km of each other."""
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return False
    east = (one.longitude - other.longitude) * cos(radians(one.latitude))
    return hypot(one.latitude - other.latitude, east) < _NEAR_DEGREES


_BEFORE_A_PLACE = tuple(f" {word} " for word in _LOCATIVES) + tuple(f"{word.title()} " for word in _LOCATIVES)
