"""Files taken apart: every article's bytes exactly as found, each fault alone."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipeline.errors import ArchiveLimit, BadInput, BrokenRecord, EmptyInput, TooLarge
from pipeline.formats import FORMATS, Format
from pipeline.inbox.splitters import Entry, Limits, Read, split
from pipeline.inbox.unpack import Budget, Unpacker

LIMITS = Limits(article_bytes=40, file_bytes=400, kept_bytes=80, ratio=200)
BY_SLUG = {form.slug: form for form in FORMATS}
LINES, JSON, TEXT = BY_SLUG["jsonl"], BY_SLUG["json"], BY_SLUG["text"]


def reader(content: bytes, step: int = 7) -> Read:
    """A file that comes in small stretches."""
    parts = (content[start : start + step] for start in range(0, len(content), step))
    return lambda: next(parts, b"")


def entries(content: bytes, form: Format, position: int = 0) -> list[Entry]:
    return list(split(reader(content), "x", form, LIMITS, position))


def parts(content: bytes, form: Format, position: int = 0) -> Iterator[tuple[int, bytes, str]]:
    for entry in entries(content, form, position):
        yield entry.position, entry.content, entry.fault.reason if entry.fault else ""


def test_a_text_is_one_article() -> None:
    whole = Entry(0, b"\xff one\n\ntwo\n", 1, single=True, media_type="text/plain")
    assert entries(b"\xff one\n\ntwo\n", TEXT) == [whole]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": [1, "]"]}', [b'{"a": [1, "]"]}']),
        (b' [ {"a":"\xc3\xa9"} ,\n{"b" : "\\u00e9,]"}, 3 ]\n', [b'{"a":"\xc3\xa9"}', b'{"b" : "\\u00e9,]"}', b"3"]),
        (b'\xef\xbb\xbf[{"a":1}]', [b'{"a":1}']),
        (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
    ],
    ids=["object", "list", "byte order mark", "lines under the wrong name"],
)
def test_a_json_file_gives_its_articles_byte_by_byte(content: bytes, expected: list[bytes]) -> None:
    found = entries(content, JSON)
    assert [entry.content for entry in found] == expected
    assert [entry.position for entry in found] == list(range(len(expected)))


@pytest.mark.parametrize("content", [b"[1,]", b"[1", b"[1 2]", b"[1] x", b"{", b"[" * 100, b" \n", b"[,1]"])
def test_a_broken_json_file_is_refused_whole(content: bytes) -> None:
    with pytest.raises(BrokenRecord, match="x is no valid JSON"):
        entries(content, JSON)


def test_an_oversized_entry_of_a_list_is_set_aside_alone() -> None:
    big = b'"' + b"x" * 50 + b'"'
    assert list(parts(b"[1," + big + b",2]", JSON)) == [(0, b"1", ""), (1, big, "too-large"), (2, b"2", "")]


@pytest.mark.parametrize(
    ("content", "form", "kind"),
    [
        (b"", TEXT, EmptyInput),
        (b"", LINES, EmptyInput),
        (b"\n \r\n", LINES, EmptyInput),
        (b"[ ]", JSON, EmptyInput),
        (b"x" * 41, TEXT, TooLarge),
        (b"x" * 401, TEXT, TooLarge),
    ],
)
def test_a_file_at_fault_as_a_whole(content: bytes, form: Format, kind: type[BadInput]) -> None:
    with pytest.raises(kind):
        entries(content, form)


def test_lines_come_with_the_place_they_stand_at() -> None:
    content = b'\xef\xbb\xbf{"a":1}\r\n\n{"b":\n{"c":"\xe9"}\n{"d":4}'
    assert list(parts(content, LINES)) == [
        (3, b'{"a":1}', ""),
        (13, b'{"b":', "parse"),
        (19, b'{"c":"\xe9"}', ""),
        (29, b'{"d":4}', ""),
    ]


def test_a_broken_line_names_its_number() -> None:
    fault = entries(b'1\n\n{"b":\n', LINES)[1].fault
    assert "x, line 3 is no valid JSON" in str(fault)


@pytest.mark.parametrize("length", [60, 81, 300])
def test_a_line_too_long_is_set_aside_and_the_next_goes_on(length: int) -> None:
    content = b"1\n" + b"9" * length + b"\n2\n"
    found = entries(content, LINES)
    assert [entry.content for entry in found] == [b"1", b"9" * min(length, 80), b"2"]
    assert isinstance(found[1].fault, TooLarge)
    assert found[1].next_position == found[2].position == length + 3


def test_a_line_that_was_finished_later_counts_anew_and_a_mere_newline_does_not() -> None:
    assert list(parts(b"1\n22\n3", LINES, position=4)) == [(5, b"3", "")]
    assert list(parts(b"1\n22\r\n3", LINES, position=4)) == [(6, b"3", "")]
    assert list(parts(b"1\n2233\n3", LINES, position=4)) == [(2, b"2233", ""), (7, b"3", "")]
    assert list(parts(b"1\n22", LINES, position=4)) == []


def unpacked(packed: bytes, ratio: int = 200) -> bytes:
    budget = Budget("x", replace(LIMITS, ratio=ratio))
    unpacker = Unpacker(budget.counted(reader(packed, 100)), "x", "gzip", budget)
    return b"".join(iter(unpacker.read, b""))


def test_members_in_a_row_and_padding_are_one_stream() -> None:
    assert unpacked(gzip.compress(b"one ") + gzip.compress(b"two") + b"\0" * 300) == b"one two"


@pytest.mark.parametrize(
    "packed",
    [b"no gzip", gzip.compress(b"x" * 999)[:-9], gzip.compress(b"one") + b"rest", gzip.compress(b"one")[:-4] + b"...."],
    ids=["other", "cut", "garbage behind", "wrong checksum"],
)
def test_a_bad_archive_is_refused(packed: bytes) -> None:
    with pytest.raises(ArchiveLimit):
        unpacked(packed)


def test_a_bomb_is_refused_before_it_bursts() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    sizes: list[int] = []
    budget = Budget("x", LIMITS)
    gunzip = Unpacker(budget.counted(reader(bomb, 4096)), "x", "gzip", budget)
    with pytest.raises(ArchiveLimit, match="200 times"):
        sizes.extend(len(part) for part in iter(gunzip.read, b""))
    assert sum(sizes) < 3_000_000


@pytest.mark.parametrize("step", [1, 5, 100])
def test_a_zstandard_frame_that_promises_more_than_it_holds_is_the_same_in_any_bites(step: int) -> None:
    frame = bytes.fromhex("28b52ffda100cd6e0000010000") + b"\0"
    parts = (frame[start : start + step] for start in range(0, len(frame), step))
    form = next(form for form in FORMATS if form.slug == "jsonl")
    with pytest.raises(EmptyInput):
        list(split(lambda: next(parts, b""), "x", form, LIMITS))
