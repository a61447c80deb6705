"""Which of all that one spelling can stand for a text means: the country, the region, or which of the cities."""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, hypot, radians

from pipeline.stages.tag.hints import Hints
from pipeline.stages.tag.places import FAR, WELL_KNOWN_POPULATION, Atlas, Name
from pipeline.stages.tag.stretches import Known
from pipeline.stages.tag.words import rows, stopwords
from pipeline.terms import Place

# Outside English we know neither the small words nor the common nouns that look like towns.
WORLD_CITY_POPULATION = 1_000_000
_NEAR_DEGREES = 1.4
# A country counts twice where it is spoken of, a region once more: `Ontario` speaks for Canada and for itself. London
# is London, unless the text speaks of Canada more than once.
_SPOKEN_OF, _FAMOUS = 2, 3
# A town is meant for its region's sake only if it is not much smaller than its namesake.
_MUCH_SMALLER = 12
# Of its region that many must be named, itself among them, where the region is not.
_FEWEST_TOWNS = 3
_OFTEN = 2

City = tuple[Place, int]
"""With its population."""


class Whereabouts:
    """Holds the atlas; pure."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._usual = {(name, code) for name, code in rows("namesakes.tsv")}
        self._small = frozenset().union(*stopwords().values())

    def resolve(
        self,
        known: Known,
        located: bool,
        text: str,
        hints: Hints,
        english: bool,
        region: frozenset[str] = frozenset(),
    ) -> Place | None:
        """The place that `known` means in `text`, or None.

        `located`: whether `in` or the like stands before it. `hints`: the countries and regions that the text speaks
        of; `region`: the codes of those in one of which the text says it is.
        """
        name = self._atlas.names.get(known.spelling)
        if name is None:
            return None
        if english and name.region and self._is_region(name, known, located, hints):
            return name.region
        if name.country:
            return name.country if self._is_meant(name.country.code, text) else None
        if region:
            return self._within(name, region, hints)
        return self._city(known.spelling, name, located, hints, english)

    def dateline(self, place: str, hints: Hints) -> Place | None:
        """The city or country of an article's dateline, whatever its case: a dateline is evidence in itself."""
        city, _, behind = place.partition(",")
        names = self._atlas.names
        spelling = next((s for s in (place, city, city.title()) if s in names), "")
        name = names.get(spelling)
        if name is None:
            return None
        region = self._atlas.region_after(place, len(city), spelling) if behind else frozenset()
        if region and not name.country:
            return self._within(name, region, hints)
        if name.country or not name.cities:
            return name.country or name.region
        nearest = self._nearest(name, hints)
        return nearest[0] if nearest else None

    def _is_region(self, name: Name, known: Known, located: bool, hints: Hints) -> bool:
        if name.is_only_a_region:
            return located or not self._atlas.is_common(known.spelling)
        return known.start in hints.regions

    def _is_meant(self, code: str, text: str) -> bool:
        needs = self._atlas.needs.get(code)
        return needs is None or any(word in text for word in needs)

    def _within(self, name: Name, codes: frozenset[str], hints: Hints) -> Place | None:
        """The city in one of `codes`; None where we know none there, as it is not its famous namesake."""
        every = (*name.cities, *name.towns)
        found = self._best([c for c in every if c[0].code in codes or c[0].region in codes], "", hints)
        return found[0] if found else None

    def _city(self, spelling: str, name: Name, located: bool, hints: Hints, english: bool) -> Place | None:
        """The city in the country that the text speaks of most, else the largest: if there is evidence enough."""
        common = self._atlas.is_common(spelling)
        found = None if common and not name.cities else self._nearest(name, hints)
        if found is None or spelling.lower() in self._small:
            return None
        city, population = found
        hinted = hints[city.code] > 0
        if common:
            return city if hinted and located and english else None
        if not english:
            return city if population >= WORLD_CITY_POPULATION else None
        return city if hinted or located or population >= WELL_KNOWN_POPULATION else None

    def _nearest(self, name: Name, hints: Hints) -> City | None:
        """Of namesakes the one that the text speaks of; a town where it speaks of its region."""
        cities = name.cities
        famous = ""
        if cities and cities[0][1] >= WORLD_CITY_POPULATION:
            second = cities[1][1] if len(cities) > 1 else 0
            famous = cities[0][0].code if cities[0][1] >= FAR * second else ""
        city = self._best(cities, famous, hints)
        towns = [(town, people) for town, people in name.towns if _is_spoken_of(town, people, city, hints)]
        return self._best([*([city] if city else []), *towns], famous, hints)

    def _best(self, cities: Iterable[City], famous: str, hints: Hints) -> City | None:
        """Of namesakes the one in the country and region, then on the continent, that the text speaks of most; then the
        one near a city that it names (Pasadena, near Los Angeles), then the usual one, then the largest."""

        def speaks(city: City) -> tuple[int, bool, int, int, int, bool, bool, int]:
            place, population = city
            known = place.code == famous
            region = place.region or ""
            return (
                _SPOKEN_OF * hints[place.code] + hints[region] + _FAMOUS * known,
                known,
                hints[region],
                # Beside itself, of which this is the question.
                max(0, hints.towns[region] - 1),
                hints[self._atlas.continents[place.code]],
                any(_are_near(place, other) for other in hints.near),
                (place.name, place.code) in self._usual,
                population,
            )

        return max(cities, key=speaks, default=None)


def _is_spoken_of(town: Place, people: int, city: City | None, hints: Hints) -> bool:
    """Whether the text speaks of the region of a `town`, and enough to mean it in place of a larger `city`."""
    region = town.region or ""
    named = hints[region]
    if city is None:
        return named > 0
    place, population = city
    if place.code != town.code:
        return named >= _OFTEN and not hints[place.code] and population < WELL_KNOWN_POPULATION
    return people * _MUCH_SMALLER >= population and (named > 0 or hints.towns[region] >= _FEWEST_TOWNS)


def _are_near(one: Place, other: Place) -> bool:
    """Whether two cities lie within some 150 km of each other."""
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return False
    east = (one.longitude - other.longitude) * cos(radians(one.latitude))
    return hypot(one.latitude - other.latitude, east) < _NEAR_DEGREES
