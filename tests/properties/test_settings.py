"""What `run` hands its children by environment is what it has itself."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import SettingError
from pipeline.settings import ENVIRONMENT_PREFIX, Settings, load

NO_FILE = Path("/nowhere/copydesk.toml")
# A variable and a path can hold anything but the zero byte; a name with a line break is refused.
words = st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]))
KINDS = get_type_hints(Settings)


def usable(name: str, meta: Any) -> st.SearchStrategy[Any]:
    if meta["choices"]:
        return st.sampled_from(meta["choices"])
    if meta["shape"][0]:
        return st.from_regex(meta["shape"][0], fullmatch=True)
    low, high = meta["low"], meta["high"]
    if KINDS[name] is int:
        return st.integers(int(low), int(high))
    if KINDS[name] is float:
        return st.floats(low, high)
    return words if KINDS[name] is str else st.lists(words.filter(bool), min_size=1, max_size=4).map(tuple)


any_settings = st.builds(Settings, **{f.name: usable(f.name, f.metadata) for f in fields(Settings)})


@given(any_settings)
@settings(deadline=None)
def test_environment_round_trip(found: Settings) -> None:
    environment = found.environment()
    assert all("\0" not in value for value in environment.values())
    assert load({}, environment, NO_FILE) == found


@given(any_settings)
@settings(deadline=None)
def test_flags_round_trip(found: Settings) -> None:
    given_flags = {name: value if name == "inbox" else str(value) for name, value in vars(found).items()}
    assert load(given_flags, {}, NO_FILE) == found


@given(st.dictionaries(st.sampled_from([f.name for f in fields(Settings)]), st.text(max_size=20), max_size=4))
@settings(deadline=None)
def test_any_words_in_the_environment_are_taken_or_refused_in_one_line(found: dict[str, str]) -> None:
    said = ""
    try:
        load({}, {ENVIRONMENT_PREFIX + name.upper(): value for name, value in found.items()}, NO_FILE)
    except SettingError as error:
        said = str(error)
    assert said == "" or (said.startswith(ENVIRONMENT_PREFIX) and len(said.splitlines()) == 1)
