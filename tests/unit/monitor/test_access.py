"""Who gets in: password, TLS, names."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from pipeline.errors import SettingError
from pipeline.monitor.access import OPEN, Access, access_of, is_loopback
from pipeline.settings import Settings


def header(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_without_a_user_everybody_gets_in() -> None:
    assert access_of(Settings()) == OPEN
    assert OPEN.allows("")
    assert OPEN.scheme == "http"


def test_only_name_and_password_get_in() -> None:
    access = access_of(Settings(http_username="desk", http_password="geheim: ü"))
    assert access.allows(header("desk:geheim: ü"))
    wrong = ["", "Basic", "Bearer " + header("desk:geheim: ü")[6:], header("desk:"), header("desk:geheim"), "Basic ä"]
    assert [one for one in wrong if access.allows(one)] == []
    assert "geheim" not in repr(access)


def test_the_password_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("from file\n")
    assert access_of(Settings(http_username="a", http_password_file=str(tmp_path / "word"))).allows(
        header("a:from file")
    )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (Settings(http_username="desk"), "go together"),
        (Settings(http_password="word"), "go together"),
        (Settings(http_keyfile="/some.pem"), "http_keyfile needs http_certfile"),
        (Settings(http_certfile="/no/such.pem"), r"TLS: cannot use http_certfile='/no/such.pem'"),
        (Settings(http_username="a", http_password_file="/no/such"), "http_password_file: cannot read /no/such"),
    ],
)
def test_half_a_setting_is_one_line(settings: Settings, says: str) -> None:
    with pytest.raises(SettingError, match=says) as caught:
        access_of(settings)
    assert "\n" not in str(caught.value)
    assert "word" not in str(caught.value).replace("password", "")


@pytest.mark.parametrize("name", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"])
def test_names_of_this_machine(name: str) -> None:
    assert is_loopback(name)


@pytest.mark.parametrize("name", ["", "evil.example", "localhost.evil.example", "10.0.0.1", "0.0.0.0"])
def test_other_names(name: str) -> None:
    assert not is_loopback(name)


def test_access_is_a_value() -> None:
    assert Access() == Access()
