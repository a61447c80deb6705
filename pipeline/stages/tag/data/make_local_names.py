"""Makes `local_names.tsv`: what other languages call countries and cities, from the CLDR facts in the `babel` package.

Run it by hand where that package is installed: `python pipeline/stages/tag/data/make_local_names.py`. Copydesk itself
does not depend on the package.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LANGUAGES = "ar cs da de el es fi fr hu id it nl no pl pt ro ru sv tr uk".split()
SHORTEST = 4
# What is a common word, a first name or another place in that language.
LEFT_OUT = {
    ("fr", "Maurice"), ("tr", "Mali"), ("es", "Granada"), ("pt", "Granada"), ("nl", "Monaco"), ("cs", "Sofie"),
    ("ro", "Cita"), ("pl", "Praga"),
}  # fmt: skip
# Large cities that have no time zone of their own, by the name in `cities.tsv`.
MORE = {
    "de": "Munich=München Cologne=Köln Milan=Mailand Venice=Venedig Florence=Florenz Naples=Neapel Turin=Turin"
    " Geneva=Genf Nice=Nizza Krakow=Krakau Gdansk=Danzig Beijing=Peking Mumbai=Mumbai",
    "fr": "Cologne=Cologne Munich=Munich Milan=Milan Venice=Venise Florence=Florence Naples=Naples Geneva=Genève"
    " Barcelona=Barcelone Seville=Séville Beijing=Pékin Hamburg=Hambourg Antwerpen=Anvers Krakow=Cracovie",
    "es": "Munich=Múnich Cologne=Colonia Milan=Milán Venice=Venecia Florence=Florencia Naples=Nápoles Turin=Turín"
    " Geneva=Ginebra Seville=Sevilla Beijing=Pekín Hamburg=Hamburgo Krakow=Cracovia Marseille=Marsella",
    "it": "Munich=Monaco|di|Baviera Milan=Milano Venice=Venezia Florence=Firenze Naples=Napoli Turin=Torino"
    " Genoa=Genova Geneva=Ginevra Barcelona=Barcellona Seville=Siviglia Beijing=Pechino Hamburg=Amburgo",
    "pt": "Munich=Munique Cologne=Colónia Milan=Milão Venice=Veneza Florence=Florença Naples=Nápoles Geneva=Genebra"
    " Seville=Sevilha Beijing=Pequim Hamburg=Hamburgo Marseille=Marselha",
    "nl": "Munich=München Cologne=Keulen Milan=Milaan Venice=Venetië Antwerpen=Antwerpen Beijing=Peking Geneva=Genève",
}


def spoken(language: str) -> dict[str, tuple[str, str]]:
    """Names of one language: what each is, a country by its code or a city by its zone."""
    # By name, since the package is no dependency and type checkers would miss it.
    locale: Any = import_module("babel").Locale(language)
    found = {name: ("country", code) for code, name in locale.territories.items() if len(code) == 2 and code.isalpha()}
    for zone, names in locale.time_zones.items():
        if "city" in names:
            found.setdefault(names["city"], ("city", zone.rpartition("/")[2].replace("_", " ")))
    for pair in MORE.get(language, "").split():
        city, _, name = pair.partition("=")
        found.setdefault(name.replace("|", " "), ("city", city))
    return found


def main() -> None:
    """Write the file beside this one: language, name, and ISO code or GeoNames id."""
    countries = {row[0]: row[2] for row in _rows("countries.tsv")}
    # The largest of each name; rows are in that order.
    cities: dict[str, str] = {}
    for number, name, *_ in _rows("cities.tsv"):
        cities.setdefault(name, number)
    known = {*countries.values(), *cities}
    lines = []
    for language in LANGUAGES:
        for name, (kind, key) in sorted(spoken(language).items()):
            target = cities.get(key) if kind == "city" else key if key in countries else None
            if target and name not in known and len(name) >= SHORTEST and (language, name) not in LEFT_OUT:
                lines.append(f"{language}\t{name}\t{target}\n")
    (HERE / "local_names.tsv").write_text("".join(lines), encoding="utf-8")


def _rows(name: str) -> list[list[str]]:
    return [line.split("\t") for line in (HERE / name).read_text(encoding="utf-8").splitlines() if line]


if __name__ == "__main__":
    main()
