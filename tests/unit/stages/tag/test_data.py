"""The data files agree with each other, and stay small."""

from __future__ import annotations

import re

from pipeline.stages.tag.words import DATA, rows, stopwords, words


def test_the_cities_are_facts_in_range() -> None:
    cities = list(rows("cities.tsv"))
    assert len(cities) > 5000
    countries = {code for code, *_ in rows("countries.tsv")}
    regions = {"", *(code for code, *_ in rows("regions.tsv"))}
    for _, name, code, latitude, longitude, population, region in (*cities, *rows("towns.tsv")):
        assert name == name.strip() != ""
        assert region in regions
        assert region[:2] in ("", code)
        assert code in countries
        assert -90 <= float(latitude) <= 90
        assert -180 <= float(longitude) <= 180
        assert int(population) >= 1_000


def test_every_alias_has_a_target() -> None:
    cities = {(name, code) for _, name, code, *_ in rows("cities.tsv")}
    assert {(name, code) for _, name, code in rows("city_aliases.tsv")} <= cities
    assert {row[0] for row in rows("country_words.tsv")} <= {code for code, *_ in rows("countries.tsv")}


def test_local_names_name_places_that_we_know() -> None:
    keys = {code for code, *_ in rows("countries.tsv")} | {number for number, *_ in rows("cities.tsv")}
    names = list(rows("local_names.tsv"))
    assert len(names) > 5000
    assert {key for _, _, key in names} <= keys


def test_the_states_and_their_counties_are_there() -> None:
    codes = [code for code, *_ in rows("regions.tsv")]
    assert len(codes) == len(set(codes))
    assert sum(code.startswith("US-") for code in codes) == 51
    assert {code for _, found in rows("counties.tsv") for code in found.split()} <= set(codes)


def test_every_country_has_one_line() -> None:
    codes = [code for code, *_ in rows("countries.tsv")]
    assert len(codes) == len(set(codes)) >= 240


def test_topics_form_a_tree_under_the_seventeen() -> None:
    parents = {code: parent for code, _, parent in rows("topics.tsv")}
    assert sum(parent == "" for parent in parents.values()) == 17
    assert all(re.fullmatch(r"\d{8}", code) for code in parents)
    assert {parent for parent in parents.values() if parent} <= set(parents)
    assert {code for code, _, _ in rows("topic_words.tsv")} <= set(parents)


def test_the_lists_are_words() -> None:
    for name in ("first_names", "titles", "title_starts", "org_words", "org_heads", "things", "not_names", "city_stop"):
        assert len(words(f"{name}.txt")) > 10, name
    assert set(stopwords()) == {"en", "de", "fr", "es", "it", "pt", "nl"}


def test_the_data_stays_small() -> None:
    assert (DATA / "cities.tsv").stat().st_size < 400_000
    assert (DATA / "chain.npz").stat().st_size < 2_000_000
    assert sum(path.stat().st_size for path in DATA.iterdir() if path.is_file()) < 2_900_000
