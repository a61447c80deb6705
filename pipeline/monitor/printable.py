"""Text from outside made fit for a terminal: an article must not move the cursor or retitle the window."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder

# C0 (tab and newline are dealt with by the caller's wish), DEL, C1, and the marks that reorder what is read.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")
_CONTROL_IN_JSON = re.compile(rb"\x7f|\xc2[\x80-\x9f]")


def printable(text: str) -> str:
    """`text` on one line: white space becomes a blank, control and direction marks become `\\x1b`, `\\u202e`."""
    return _CONTROL.sub(_escape, re.sub(r"[ \t\r\n]+", " ", text))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def printable_bytes(content: bytes, most: int = 200) -> str:
    """The first `most` bytes of `content` as text where they are UTF-8, else as ASCII and `\\xff`."""
    try:
        # Not an error: a last character that the limit cuts in two.
        text = getincrementaldecoder("utf-8")().decode(content[:most])
    except UnicodeDecodeError:
        text = content[:most].decode("ascii", "backslashreplace")
    text = printable(text)
    return f"{text}…" if len(content) > most else text


def printable_json(line: bytes) -> bytes:
    """The same JSON with DEL and C1 escaped too: JSON allows them bare, a terminal obeys them."""
    return _CONTROL_IN_JSON.sub(lambda match: b"\\u%04x" % match[0][-1], line)
