"""Original bytes for people: text where they are text, else a dump; never a sign that a browser or terminal obeys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.monitor.web.preview import hex_dump, preview


def test_text_stays_text_line_by_line() -> None:
    found = preview("Ärger\tim Hafen\r\nzwei\u202eReihen\x1b[2J".encode())
    assert found == {"kind": "text", "text": "Ärger\tim Hafen\nzwei\\u202eReihen\\x1b[2J", "bytes": 34, "shown": 34}


def test_other_bytes_are_dumped() -> None:
    found = preview(b"\x89PNG\r\n\x1a\n" + bytes(range(10)))
    assert found["kind"] == "hex"
    assert found["text"].splitlines() == [
        "00000000  89 50 4e 47 0d 0a 1a 0a 00 01 02 03 04 05 06 07  .PNG............",
        "00000010  08 09                                            ..",
    ]
    assert preview(b"a\0b")["kind"] == "hex"
    assert preview(b"")["text"] == ""


def test_the_limit_may_cut_a_sign_in_two_but_the_end_may_not() -> None:
    assert preview(b"a" + "é".encode() * 100_000)["kind"] == "text"
    assert preview("é".encode()[:1])["kind"] == "hex"


@given(st.binary(max_size=300))
def test_every_byte_can_be_shown(content: bytes) -> None:
    found = preview(content)
    assert found["bytes"] == found["shown"] == len(content)
    assert not any(ord(sign) < 32 and sign not in "\t\n" for sign in found["text"])


def test_a_dump_is_as_long_as_its_rows() -> None:
    assert hex_dump(bytes(33)).count("\n") == 2
