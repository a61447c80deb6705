import json

import pytest

from pipeline.monitor.printable import printable, printable_bytes, printable_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, “curly” – and 日本語 too", "plain, “curly” – and 日本語 too"),
        ("two\nlines\tand  blanks", "two lines and blanks"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("C1 \x9b31m and DEL \x7f", "C1 \\x9b31m and DEL \\x7f"),
        ("exe\u202etxt.sh", "exe\\u202etxt.sh"),
        ("half \ud800 pair", "half \\ud800 pair"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_bytes_are_shown_as_text_where_they_are_text_and_cut() -> None:
    assert printable_bytes("café \x00".encode()) == "café \\x00"
    assert printable_bytes(b"caf\xc3\xa9 \xff\x00") == "caf\\xc3\\xa9 \\xff\\x00"
    assert printable_bytes(b"abcdef", most=3) == "abc…"
    assert printable_bytes("abé".encode(), most=3) == "ab…"


def test_json_keeps_its_meaning_and_loses_its_controls() -> None:
    line = json.dumps({"a": "\x7f \x9b é \u2028"}, ensure_ascii=False).encode()
    safe = printable_json(line)
    assert json.loads(safe) == json.loads(line)
    assert b"\x7f" not in safe
    assert b"\xc2\x9b" not in safe
    assert "é".encode() in safe
