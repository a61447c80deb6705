"""Where a setting comes from, what is refused and in which words, and that secrets stay secret."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from pipeline.errors import SettingError
from pipeline.settings import ENVIRONMENT_PREFIX, Settings, given, load

NO_FILE = Path("/nowhere/copydesk.toml")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "copydesk.toml"


def test_defaults_stand_where_nobody_says_otherwise() -> None:
    assert load({}, {}, NO_FILE) == Settings()


def test_code_is_held_to_the_same() -> None:
    assert given(broker="127.0.0.1:9092", workers=2) == Settings(broker="127.0.0.1:9092", workers=2)
    with pytest.raises(SettingError, match="given: broker must be HOST:PORT"):
        given(broker="127.0.0.1:99999")


def test_flag_beats_environment_beats_file_beats_default(file: Path) -> None:
    file.write_text('prefix = "file"\npartitions = 7\nworkers = 3\ninbox = ["a", "b"]\n')
    environment = {"COPYDESK_PARTITIONS": "8", "COPYDESK_WORKERS": "5"}
    found = load({"workers": "6", "prefix": None}, environment, file)
    assert (found.prefix, found.partitions, found.workers) == ("file", 8, 6)
    assert found.inbox == ("a", "b")
    assert found.batch_articles == Settings().batch_articles


@pytest.mark.parametrize(
    ("name", "value", "must"),
    [
        ("broker_port", "many", "must be a whole number, not 'many'"),
        ("broker_port", "-1", "must be at least 0, not '-1'"),
        ("metrics_port", "65536", "must be at most 65535, not '65536'"),
        ("scan_seconds", "soon", "must be a number, not 'soon'"),
        ("scan_seconds", "nan", "must be at least 0.05, not 'nan'"),
        ("scan_seconds", "inf", "must be at most 1e+15, not 'inf'"),
        ("after", "burn", "must be one of keep, move, delete, not 'burn'"),
        ("prefix", "a/b", "must be 1 to 200 letters, digits, dots, dashes or underscores, not 'a/b'"),
        ("prefix", "", "must be 1 to 200 letters, digits, dots, dashes or underscores, not ''"),
        ("broker", "kafka", "must be HOST:PORT, several parted by commas, not 'kafka'"),
        ("broker", "a:1,", "must be HOST:PORT, several parted by commas, not 'a:1,'"),
        ("broker", "a:65536", "must be HOST:PORT, several parted by commas, not 'a:65536'"),
        ("broker", "a..b:1", "must be HOST:PORT, several parted by commas, not 'a..b:1'"),
        ("partitions", "3000000000", "must be at most 10000, not '3000000000'"),
        ("replication_factor", "32768", "must be at most 32767, not '32768'"),
        ("max_article_bytes", "700000001", "must be at most 700000000, not '700000001'"),
        ("drain_seconds", "1e14", "must be at most 86400, not '1e14'"),
        ("inbox", "", "must be at least one folder, not ''"),
    ],
)
def test_an_unusable_value_names_where_it_stood(name: str, value: str, must: str) -> None:
    variable = ENVIRONMENT_PREFIX + name.upper()
    with pytest.raises(SettingError) as caught:
        load({}, {variable: value}, NO_FILE)
    assert str(caught.value) == f"{variable}: {name} {must}"
    if name != "inbox":
        with pytest.raises(SettingError) as caught:
            load({name: value}, {}, NO_FILE)
        assert str(caught.value) == f"--{name.replace('_', '-')}: {name} {must}"


@pytest.mark.parametrize("address", ["", "kafka:9092", "a.b:1,c-d:22", "[::1]:9092", "10.0.0.1:9092", "a.:65535"])
def test_addresses_as_kafka_has_them_are_taken(address: str) -> None:
    assert load({"broker": address}, {}, NO_FILE).broker == address


@pytest.mark.parametrize(
    "line",
    [
        "broker_port = true",
        "broker_port = 9092.5",
        'broker_port = "x"',
        "prefix = 5",
        "inbox = 5",
        "inbox = [1]",
        "inbox = []",
        "[prefix]",
    ],
)
def test_a_wrong_type_in_the_file_is_refused(file: Path, line: str) -> None:
    file.write_text(line)
    with pytest.raises(SettingError, match="must be") as caught:
        load({}, {}, file)
    assert str(caught.value).startswith(f"{file}: ")


def test_an_unknown_name_in_the_file_is_refused(file: Path) -> None:
    file.write_text("partitons = 3\n")
    with pytest.raises(SettingError, match=r"there is no setting 'partitons'; `copydesk run --help` lists them"):
        load({}, {}, file)


@pytest.mark.parametrize("content", [b"= 3", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_one_line(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingError, match="cannot be read as TOML") as caught:
        load({}, {}, file)
    assert "\n" not in str(caught.value)


def test_a_whole_number_is_a_number_too(file: Path) -> None:
    file.write_text("scan_seconds = 3\n")
    found = load({}, {}, file).scan_seconds
    assert (found, type(found)) == (3.0, float)


def test_a_line_break_in_the_name_of_an_inbox_is_refused_since_variables_part_by_it() -> None:
    with pytest.raises(SettingError, match="--inbox: inbox must be folders whose names have no line break"):
        load({"inbox": ["a\nb"]}, {}, NO_FILE)


def test_secrets_are_in_no_repr_and_in_no_message(file: Path) -> None:
    found = load({}, {"COPYDESK_SASL_PASSWORD": "hunter2"}, NO_FILE)
    assert found.password() == "hunter2"
    assert "hunter2" not in f"{found!r} {found}"
    assert "articles" in repr(found)
    file.write_text("sasl_password = 70777\n")
    with pytest.raises(SettingError, match="sasl_password must be text, not …") as caught:
        load({}, {}, file)
    assert "70777" not in str(caught.value)


def test_a_password_file_is_read_and_goes_before_the_setting(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("from file\n")
    found = Settings(sasl_password="set", sasl_password_file=str(tmp_path / "word"))
    assert found.password() == "from file"


def test_a_secret_that_is_no_text_is_one_line_that_shows_none_of_it(tmp_path: Path) -> None:
    (tmp_path / "word").write_bytes(b"hunter\xd0")
    with pytest.raises(SettingError, match=r"sasl_password_file: .*word is no UTF-8 text") as caught:
        Settings(sasl_password_file=str(tmp_path / "word")).password()
    assert caught.value.__suppress_context__
    assert "0xd0" not in str(caught.value)


def test_a_token_file_is_read_afresh_and_missing_it_is_one_line(tmp_path: Path) -> None:
    found = Settings(sasl_token_file=str(tmp_path / "token"))
    with pytest.raises(SettingError, match=r"sasl_token_file: cannot read .*token \(No such file or directory\)"):
        found.token()
    for token in ("one", "two"):
        (tmp_path / "token").write_text(token)
        assert found.token() == token


def test_every_setting_says_what_it_is_and_its_unit_is_in_its_name() -> None:
    for spec in fields(Settings):
        assert spec.metadata["help"], spec.name
        unit = spec.metadata["unit"]
        assert not unit or spec.name.endswith("_" + unit), spec.name
        assert unit or not spec.name.endswith(("_seconds", "_bytes")), spec.name


def test_every_default_is_a_value_that_would_be_taken() -> None:
    assert load({}, Settings().environment(), NO_FILE) == Settings()


def test_the_group_names_product_and_prefix() -> None:
    assert Settings(prefix="news").group == "copydesk-news"
