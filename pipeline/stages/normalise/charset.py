"""Bytes to text, in the order of how much each witness can be trusted.

A byte order mark; then UTF-8, because text in another charset hardly ever is valid UTF-8 by accident, while
declarations are often wrong; then the declaration; then UTF-8 with a few broken bytes; then a guess.
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes
from ftfy import fix_encoding

from pipeline.errors import BinaryInput, EmptyInput, EncodingFault

GUESSED = "charset-guessed"
DAMAGED = "charset-damaged"
NUL_REMOVED = "nul-removed"
MENDED = "mojibake-mended"

# UTF-32 before UTF-16: the little-endian mark of one begins with that of the other.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAGIC = (
    b"%PDF-", b"\x89PNG", b"PK\x03\x04", b"\xff\xd8\xff", b"GIF8", b"\x7fELF", b"\x1f\x8b", b"\xd0\xcf\x11\xe0",
    b"RIFF", b"OggS", b"ID3", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd", b"SQLite format 3",
)  # fmt: skip
# Everything below space save tab, line ends, form feed and escape (ISO-2022 shifts), and delete.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b") | {127})
_MOST_CONTROLS_RATIO = 0.02
_FEW_CONTROLS = 4
_SAMPLE_BYTES = 16_384
_STRETCH = 20_000
# Browsers read these names as the larger set, and so do the people who write them.
_LARGER = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949",
}  # fmt: skip
# Text that newsrooms have left on disk. The exotic pages (EBCDIC, Mac, DOS) lead the detector astray, and so does
# Baltic cp1257, which it prefers for Polish.
_LIKELY = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp874", "koi8_r", "koi8_u",
    "iso8859_2", "cp932", "euc_jp", "gb18030", "big5", "cp949",
]  # fmt: skip
# In English, the only bytes over 127 are cp1252's quotes, dashes, ellipsis, pound, euro and a few accents.
_WESTERN = re.compile(rb"[\x80\x85\x91-\x97\xa0\xa3\xa9\xab\xae\xb0\xb7\xbb\xe0-\xef\xf1-\xf6\xf8-\xfc]")


# What UTF-8 looks like when it was read as cp1252 or Latin-1: the first byte of a sequence, then one of the others.
_MOJIBAKE = re.compile(
    "[\u00c2-\u00ef][\x80-\xbf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d"
    "\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178]"
)


def decode(content: bytes, declared: str | None = None) -> tuple[str, set[str]]:
    """`content` as text without its byte order mark, mended where it went through a wrong charset before, and warnings.

    `declared` is the charset that the document names, if any. Raises EmptyInput on nothing but white space,
    BinaryInput on what is no text, EncodingFault where no charset fits.
    """
    text, warnings = _decode(content, declared)
    mended = mend(text)
    return mended, warnings if mended is text else warnings | {MENDED}


def mend(text: str) -> str:
    """`text` with its mojibake undone, the same object where there is none.

    ftfy weighs every line, and only those that look suspicious: it takes 0.7 ms for an article, the look 5 µs.
    """
    if text.isascii() or not _MOJIBAKE.search(text):
        return text
    lines = text.split("\n")
    mended = [_mended(line) if _MOJIBAKE.search(line) else line for line in lines]
    return text if mended == lines else "\n".join(mended)


def _mended(line: str) -> str:
    """In stretches, since ftfy's time is for lines as people write them."""
    if len(line) <= _STRETCH:
        return str(fix_encoding(line))
    return "".join(str(fix_encoding(line[at : at + _STRETCH])) for at in range(0, len(line), _STRETCH))


def _decode(content: bytes, declared: str | None) -> tuple[str, set[str]]:
    """As `decode`, without mending."""
    if not content or content.isspace():
        raise EmptyInput("the article has no bytes but white space; drop the file again with its text")
    if content.startswith(_MAGIC):
        raise BinaryInput(f"the content begins with {content[:4]!r}, which no text does; convert it to text first")
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return _marked(content[len(mark) :], codec)
    if b"\0" in content:
        return _with_nul(content)
    _refuse_binary(content)
    if declared and "2022" in declared and b"\x1b" in content:  # seven-bit shifts look like plain ASCII
        return _declared(content, declared) or _undeclared(content)
    try:
        return content.decode(), set()
    except UnicodeDecodeError:
        return (declared and _declared(content, declared)) or _undeclared(content)


def _marked(content: bytes, codec: str) -> tuple[str, set[str]]:
    text = content.decode(codec, "replace")
    bad = text.count("\ufffd") - content.count("\ufffd".encode(codec))
    if bad * 10 > len(text):
        raise EncodingFault(f"the content has the mark of {codec.upper()} but is not; save it as UTF-8")
    return text, {DAMAGED} if bad > 0 else set()


def _with_nul(content: bytes) -> tuple[str, set[str]]:
    """UTF-16 without a mark has its zeros at every other place; a stray zero in text is only dirt."""
    half = len(content) / 2
    for codec, zeros in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
        if zeros.count(0) > half * 0.7 and content.count(0) < half * 1.05:
            text, warnings = _marked(content, codec)
            return text, warnings | {GUESSED}
    _refuse_binary(content)
    text, warnings = _decode(content.replace(b"\0", b""), None)
    return text, warnings | {NUL_REMOVED}


def _refuse_binary(content: bytes) -> None:
    controls = len(content) - len(content.translate(None, _CONTROLS))
    if controls > _FEW_CONTROLS and controls > len(content) * _MOST_CONTROLS_RATIO:
        raise BinaryInput(f"{controls} of {len(content)} bytes are control codes, so this is no text; convert it first")


def _declared(content: bytes, declared: str) -> tuple[str, set[str]] | None:
    """The text in its declared charset, or None where there is no such charset or it does not fit."""
    try:
        name = codecs.lookup(declared).name
        if name.startswith(("utf-16", "utf-32")):  # the declaration was read as ASCII, so it cannot be true
            return None
        return content.decode(_LARGER.get(name, name)), set()
    except (LookupError, UnicodeError, ValueError):  # ValueError: a name with a NUL; LookupError: hex, rot13 and kin
        return None


def _undeclared(content: bytes) -> tuple[str, set[str]]:
    """UTF-8 with a few broken bytes, else what the bytes themselves suggest."""
    text = content.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    if good >= 10 * bad:
        return text, {DAMAGED}
    codec = _guess(content)
    try:
        return content.decode(codec), {GUESSED}
    except UnicodeDecodeError:
        return content.decode(codec, "replace"), {GUESSED, DAMAGED}


def _guess(content: bytes) -> str:
    """Name of the likeliest codec. Raises EncodingFault."""
    high = re.sub(rb"[\x00-\x7f]+", b"", content)
    # Mostly ASCII and nothing that English or French does not use: too little for statistics, and cp1252 in practice.
    if len(high) * 12 < len(content) and not _WESTERN.sub(b"", high):
        return "cp1252"
    best = from_bytes(content[:_SAMPLE_BYTES], cp_isolation=_LIKELY).best()
    if best is None:
        raise EncodingFault("the text is in no charset we can find out; save it as UTF-8, or declare its charset")
    return str(best.encoding)
