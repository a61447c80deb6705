from __future__ import annotations

import codecs

import pytest

from pipeline.errors import BadInput, BinaryInput, EmptyInput, EncodingFault
from pipeline.stages.normalise.charset import DAMAGED, GUESSED, NUL_REMOVED, decode

RUSSIAN = "Совет города объявил во вторник о плане удвоить число автобусов. Мэр сказал, что ждать больше нельзя. " * 4
POLISH = (
    "Rada miasta ogłosiła we wtorek plan podwojenia liczby autobusów. Burmistrz powiedział, że nie można czekać. " * 4
)
JAPANESE = "市議会は火曜日、バスの数を倍にする計画を発表した。市長はこれ以上待てないと述べた。" * 6


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_unicode_with_and_without_a_mark(codec: str) -> None:
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    text = "Köln baut “drei” Brücken"
    assert decode(marks.get(codec, b"") + text.encode(codec)) == (text, set())


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_guessed(codec: str) -> None:
    assert decode("The dam held.".encode(codec)) == ("The dam held.", {GUESSED})


@pytest.mark.parametrize(
    ("text", "codec", "declared"),
    [
        (RUSSIAN, "koi8-r", "KOI8-R"),
        ("naïve “quotes” and a dash –", "cp1252", "iso-8859-1"),
        (JAPANESE, "shift_jis", "Shift_JIS"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp"),
        ("欧元与人民币", "gb18030", "gb2312"),
    ],
)
def test_the_declaration_is_followed_where_utf8_does_not_fit(text: str, codec: str, declared: str) -> None:
    assert decode(text.encode(codec), declared) == (text, set())


def test_valid_utf8_beats_a_wrong_declaration() -> None:
    assert decode("Café – “ouvert”".encode(), "iso-8859-1") == ("Café – “ouvert”", set())


@pytest.mark.parametrize("declared", ["hex", "rot13", "no-such-charset", "utf-16", "utf\08"])
def test_useless_declarations_are_passed_over(declared: str) -> None:
    assert decode("a café, £40 – closed for good".encode("cp1252"), declared)[1] == {GUESSED}


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (POLISH, "cp1250"),
        (JAPANESE, "cp932"),
        ("The café’s owner said “never” — and left. " * 5, "cp1252"),
        ("Die Bürgermeisterin erklärte am Dienstag, man müsse größere Züge kaufen. " * 5, "cp1252"),
    ],
)
def test_undeclared_charsets_are_guessed_with_a_warning(text: str, codec: str) -> None:
    assert decode(text.encode(codec)) == (text, {GUESSED})


def test_a_few_broken_bytes_in_utf8_do_not_make_it_another_charset() -> None:
    text, warnings = decode(
        RUSSIAN.rstrip(". ").encode()[:-1]
    )  # cut in the middle of a letter, as a full disk leaves it
    assert text.startswith(RUSSIAN[:-3])
    assert warnings == {DAMAGED}


def test_a_stray_nul_is_dropped() -> None:
    assert decode(b"The dam\0 held through the night.") == ("The dam held through the night.", {NUL_REMOVED})


@pytest.mark.parametrize("content", [b"", b" \n\t ", b"\r\n"])
def test_empty(content: bytes) -> None:
    with pytest.raises(EmptyInput):
        decode(content)


@pytest.mark.parametrize("content", [b"%PDF-1.7 text", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04word/", bytes(range(256)) * 4])
def test_binary(content: bytes) -> None:
    with pytest.raises(BinaryInput):
        decode(content)


def test_no_charset_fits() -> None:
    with pytest.raises(EncodingFault):
        decode(bytes(range(128, 256)) * 20)


def test_a_mark_that_lies() -> None:
    with pytest.raises(BadInput):
        decode(codecs.BOM_UTF8 + b"\xff\xfe\xfd\xfc" * 10)
