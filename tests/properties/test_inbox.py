"""Invariants of taking files apart and of the ledger, whatever the bytes."""

from __future__ import annotations

import gzip
import json
from dataclasses import fields

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import BadInput
from pipeline.formats import FORMATS, Format
from pipeline.inbox.ledger import Known, Ledger
from pipeline.inbox.splitters import Entry, Limits, Read, split

LIMITS = Limits(article_bytes=200, file_bytes=1 << 20, kept_bytes=300, ratio=10**6)
BY_SLUG = {form.slug: form for form in FORMATS}
LINES, JSON = BY_SLUG["jsonl"], BY_SLUG["json"]

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
lines = st.one_of(
    values.map(orjson.dumps),
    st.binary(max_size=400).map(lambda junk: junk.replace(b"\n", b" ")),
    st.sampled_from([b"", b"\r", b"  ", b'{"a":1}\r', b"1" * 350]),
)
steps = st.integers(1, 500)


def reader(content: bytes, step: int) -> Read:
    parts = (content[start : start + step] for start in range(0, len(content), step))
    return lambda: next(parts, b"")


def take(read: Read, form: Format, position: int = 0) -> list[tuple[int, bytes, int, str]]:
    found: list[Entry] = []
    try:
        found.extend(split(read, "x", form, LIMITS, position))
    except BadInput as fault:
        found.append(Entry(-1, b"", -1, fault=fault))
    return [(entry.position, entry.content, entry.next_position, type(entry.fault).__name__) for entry in found]


@example(parts=[b"PK\5\6"], ended=False, step=1)
@given(st.lists(lines, max_size=12), st.booleans(), steps)
def test_lines_are_the_file_again_and_nothing_is_left_out(parts: list[bytes], ended: bool, step: int) -> None:
    content = b"\n".join(parts) + (b"\n" if ended else b"")
    at = 0
    for position, text, after, _ in take(reader(content, step), LINES):
        if position < 0:
            if content.startswith((b"PK\3\4", b"PK\5\6")):
                return  # a zip archive, by its first bytes, that cannot be read: set aside as a whole
            break
        # Between two entries lie line ends, blanks and a byte order mark only.
        assert not content[at:position].strip(b" \t\r\n\xef\xbb\xbf")
        assert content[position:].startswith(text)
        at = after
    assert not content[at:].strip(b" \t\r\n\xef\xbb\xbf")


@given(st.lists(lines, min_size=1, max_size=10), steps, steps, st.booleans())
def test_going_on_from_any_position_gives_the_rest(parts: list[bytes], one: int, other: int, packed: bool) -> None:
    content = b"\n".join(parts) + b"\n"

    def read(step: int) -> Read:
        return reader(gzip.compress(content) if packed else content, step)

    whole = take(read(one), LINES)
    for number, (_, _, after, _) in enumerate(whole):
        if after > 0:
            assert take(read(other), LINES, after) == whole[number + 1 :]


@given(st.lists(values.map(orjson.dumps), min_size=1, max_size=8), steps, st.integers(0, 3))
def test_appending_gives_what_the_whole_gives(parts: list[bytes], step: int, cut: int) -> None:
    """A file that is taken before and after more lines came gives each line once, as if it had been whole."""
    whole = b"\n".join(parts)
    first = b"\n".join(parts[: min(cut, len(parts))])
    before = [found for found in take(reader(first, step), LINES) if found[0] >= 0]
    after = take(reader(whole, step), LINES, len(first)) if first else take(reader(whole, step), LINES)
    together = [text for position, text, _, _ in before + after if position >= 0]
    assert together == [text for position, text, _, _ in take(reader(whole, step), LINES) if position >= 0]


@given(st.lists(values, min_size=1, max_size=6), st.sampled_from([None, 2]), st.booleans(), steps)
def test_a_list_gives_each_article_as_it_stands(
    found: list[object], indent: int | None, ascii: bool, step: int
) -> None:
    content = json.dumps(found, indent=indent, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    entries = take(reader(content, step), JSON)
    assert [position for position, _, _, _ in entries] == list(range(len(found)))
    assert all(text in content for _, text, _, _ in entries)
    whole = [json.loads(text) for _, text, _, fault in entries if fault == "NoneType"]
    assert whole == [value for value, entry in zip(found, entries, strict=True) if entry[3] == "NoneType"]


@given(st.binary(max_size=600), steps, st.sampled_from(FORMATS))
def test_no_bytes_raise_anything_but_bad_input(content: bytes, step: int, form: Format) -> None:
    take(reader(content, step), form)
    for magic in (b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0", b"(\xb5/\xfd", b"PK\3\4", b"WARC/1.0\r\n", b"<rss>"):
        take(reader(magic + content, step), form)


@given(st.binary(min_size=1).filter(lambda path: b"\0" not in path), st.data())
def test_the_ledger_keeps_whatever_it_is_told(path: bytes, data: st.DataObject) -> None:
    big = st.integers(0, 2**63 - 1)
    numbers = {field.name: data.draw(big) for field in fields(Known) if field.name not in ("sha256", "state")}
    known = Known(sha256=data.draw(st.binary(min_size=32, max_size=32)), state="published", **numbers)
    ledger = Ledger("in")
    ledger.apply(ledger.key(path), known.to_json("2025-03-18T09:00:00.000Z"))
    assert ledger.get(path) == known
