"""Bytes for people to look at: as text where they are text, else as a hex dump. Pure."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from typing import Any

from pipeline.monitor.printable import printable

_TEXT_BYTES = 32_768
_DUMP_BYTES = 4_096
_ROW = 16


def preview(content: bytes) -> dict[str, Any]:
    """`text`: the beginning of `content`; `kind`: `text` or `hex`; `bytes`: its size; `shown`: how many of them."""
    head = content[:_TEXT_BYTES]
    try:
        # Not an error: a last character that the limit cuts in two.
        text = getincrementaldecoder("utf-8")().decode(head, final=len(content) <= _TEXT_BYTES)
        if "\0" not in text:
            return {"kind": "text", "text": _lines(text), "bytes": len(content), "shown": len(head)}
    except UnicodeDecodeError:
        pass
    head = content[:_DUMP_BYTES]
    return {"kind": "hex", "text": hex_dump(head), "bytes": len(content), "shown": len(head)}


def _lines(text: str) -> str:
    """Line by line, with every control and direction mark made visible; tabs and blanks stay."""
    return "\n".join(
        "".join(part if part.strip(" \t") == "" else printable(part) for part in re.split(r"([ \t]+)", line))
        for line in re.split(r"\r\n|\n|\r", text)
    )


def hex_dump(content: bytes) -> str:
    """Sixteen bytes a row: offset, hex, and what is printable ASCII."""
    rows = []
    for start in range(0, len(content), _ROW):
        row = content[start : start + _ROW]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        rows.append(f"{start:08x}  {row.hex(' ', 1):<47}  {shown}")
    return "\n".join(rows)
