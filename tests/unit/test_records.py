"""Ids, source names, and which records pass for raw articles."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pipeline.records import Article, RawArticle, Rejected, article_id, source_name

CONTENT = b"Rain fell on the town."
SHA256 = hashlib.sha256(CONTENT).hexdigest()
RAW = RawArticle(
    article_id("in/a.txt", 0, SHA256), "in/a.txt", 0, "text/plain", "2025-03-18T09:00:00.000Z", SHA256, CONTENT
)


def changed(headers: Sequence[tuple[str, bytes]], name: str, value: bytes) -> list[tuple[str, bytes]]:
    return [(found, value if found == name else text) for found, text in headers]


def test_an_id_stays_what_it_is() -> None:
    # Published: a change here would make every article new to those who hold ids.
    assert article_id("in/a.txt", 0, "00") == "052311c36ecf864deea0187e00e327aa"


@pytest.mark.parametrize(
    "other",
    [("in/b.txt", 0, SHA256, 0), ("in/a.txt", 1, SHA256, 0), ("in/a.txt", 0, "ff", 0), ("in/a.txt", 0, SHA256, 1)],
)
def test_an_id_differs_where_anything_does(other: tuple[str, int, str, int]) -> None:
    assert article_id(*other) != RAW.id


def test_a_source_name_is_printable_ascii_and_keeps_the_path_readable() -> None:
    assert source_name("wire/économie 1.txt".encode()) == "wire/%C3%A9conomie%201.txt"
    assert source_name(b"\xff\n") == "%FF%0A"


def test_headers_say_only_what_is_unusual_about_version_and_single() -> None:
    assert [name for name, _ in RAW.headers()] == ["source", "position", "media-type", "received", "sha256"]
    extra = dict(replace(RAW, version=2, single=False).headers())
    assert (extra["version"], extra["single"]) == (b"2", b"0")


def test_headers_of_others_do_not_disturb() -> None:
    assert RawArticle.from_record(RAW.id.encode(), CONTENT, [*RAW.headers(), ("traceparent", b"00-1")]) == RAW


@pytest.mark.parametrize("key", [b"", b"hello", RAW.id.upper().encode(), RAW.id.encode() + b"0", b"\xff" * 32])
def test_a_key_that_is_no_id_could_not_be_claimed(key: bytes) -> None:
    with pytest.raises(ValueError):
        RawArticle.from_record(key, CONTENT, RAW.headers())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("position", b"-1"),
        ("position", b"first"),
        ("position", b"9" * 19),
        ("received", b"yesterday"),
        ("received", b"2025-03-18T09:00:00"),
        ("source", b"\xff"),
    ],
)
def test_a_header_that_could_not_be_written_makes_a_record_foreign(name: str, value: bytes) -> None:
    with pytest.raises(ValueError):
        RawArticle.from_record(RAW.id.encode(), CONTENT, changed(RAW.headers(), name, value))


@pytest.mark.parametrize("name", ["source", "position", "media-type", "received", "sha256"])
def test_a_missing_header_is_named(name: str) -> None:
    headers = [header for header in RAW.headers() if header[0] != name]
    with pytest.raises(KeyError, match=name):
        RawArticle.from_record(RAW.id.encode(), CONTENT, headers)


def test_paragraphs_are_parted_by_blank_lines() -> None:
    article = Article(RAW, "text", "H", True, "One.\n\nTwo.\n\nThree.", 3)
    assert article.paragraphs == ["One.", "Two.", "Three."]
    assert replace(article, body="").paragraphs == []
    assert article.id == RAW.id


def test_a_rejection_says_why_and_where_even_in_words_that_are_no_utf_8() -> None:
    rejected = Rejected("k", b"\0", "binary", "bad \udcff byte", "normalise", "in/a.txt", 3, attempts=2)
    assert dict(rejected.headers()) == {
        "reason": b"binary",
        "error": b"bad \\udcff byte",
        "stage": b"normalise",
        "source": b"in/a.txt",
        "position": b"3",
        "attempts": b"2",
    }
