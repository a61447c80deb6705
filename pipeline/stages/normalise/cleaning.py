"""Clean text without changing what it says: NFC, no invisible characters, single spaces. Quotes stay as they were.

The fast paths matter more than the slow ones: `str.isprintable` tells in 2 ns a character that there is
nothing to mend, where a search by regular expression takes 10.
"""

from __future__ import annotations

import html
import re
from unicodedata import combining, is_normalized, normalize

# Invisible: controls, soft hyphen, zero-width space, direction marks, byte order marks, annotation marks.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]+"
)
# Joiners spell words in Arabic and Indic scripts and build emoji; anywhere else they are dirt.
_JOINERS = re.compile("[\u200c\u200d]+")
_JOINING = re.compile("[\u0600-\u10ff\u1780-\u18af\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]")
_MOST_MARKS = 32  # between a letter and its joiner
# No script stacks so many marks, and putting them into canonical order takes quadratic time.
_MARK_RUN = re.compile(r"[^\w\s\x00-\x7f]{64,}")
_SURROGATE = re.compile("[\ud800-\udfff]")
# White space that `str.split` knows, besides the plain kinds.
_ODD_SPACE = re.compile("[\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_END = re.compile("[\v\f\x85\u2028]")
_BLANK_LINE = re.compile(r"\n\s*\n")
# Scripts written without spaces between words: (one word a character, one word in about five).
_HAN_KANA = "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SOUTH_EAST = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_UNSPACED = re.compile(f"[{_SOUTH_EAST}{_HAN_KANA}]")
_EACH_ONE = re.compile(f"[{_HAN_KANA}]")
_RUN_OF_FIVE = re.compile(f"[{_SOUTH_EAST}]{{1,5}}")
_WRAPPED_HAN = re.compile(f"(?<=[{_HAN_KANA}\u3000-\u303f\uff00-\uffef])\\s*\n\\s*(?=[{_HAN_KANA}])")
# Longer lines than this on average were not wrapped by hand: each is a paragraph of its own.
_WRAP_CHARACTERS = 120
# A text of more than a few lines whose runs are no longer than this has spaces between its words: not worth a search.
_SHORT = 300
_RUN_CHARACTERS = 9

_UNSEEN_PART = re.compile(
    r"<!--.*?(?:-->|\Z)|<[?!][^<>]*>|<(script|style|template|iframe)\b.*?(?:</\1\s*>|\Z)", re.I | re.S
)
_HEAD = re.compile(r"[^<]*<(?:html|nitf)\b[^<>]*>\s*<head\b[^<>]*>.*?</head\s*>", re.I | re.S)
_BREAK = re.compile(r"<br\b[^<>]*>", re.I)
_BLOCKS = (
    "p|div|h[1-6]|li|ul|ol|dl|dt|dd|blockquote|section|article|table|tr|td|th|figure|figcaption|pre|hr|header|footer"
    "|aside|main|hedline|hl[12]|byline|bytag|dateline|body"
)
_INLINES = "br|a|b|i|em|strong|span|img|u|small|sup|sub|font|script|style|iframe"
_BLOCK = re.compile(rf"</?(?:{_BLOCKS})\b[^<>]*>", re.I)
_KNOWN_TAG = re.compile(rf"</?(?:{_BLOCKS}|{_INLINES})\b[^<>]*>", re.I)
_ANY_TAG = re.compile(r"</?[a-z][^<>]*>", re.I)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.I)


def clean(text: str) -> str:
    """`text` in NFC, with `\\n` for every line end and without characters that nobody can see."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.replace("\n", " ").replace("\xa0", " ").replace("\t", " ").isprintable():
        text = _SURROGATE.sub("\ufffd", text)
        text = _LINE_END.sub("\n", text.replace("\u2029", "\n\n"))
        text = _ODD_SPACE.sub(" ", text)
        text = _JOINERS.sub(_wanted_joiner, _INVISIBLE.sub("", text))
    if text.isascii() or is_normalized("NFC", text):
        return text
    return normalize("NFC", _MARK_RUN.sub(_without_marks, text))


def _wanted_joiner(found: re.Match[str]) -> str:
    """The joiner, if the letter before it needs one. Marks between them are passed over: NFC may yet reorder them."""
    before = found.string[max(0, found.start() - _MOST_MARKS) : found.start()]
    letter = next((mark for mark in reversed(before) if not combining(mark) and not _JOINERS.match(mark)), "")
    return found[0] if _JOINING.match(letter) else ""


def _without_marks(run: re.Match[str]) -> str:
    return "".join(mark for mark in run[0] if not combining(mark))


def one_line(text: str) -> str:
    """`text` cleaned, on one line, with single spaces."""
    return " ".join(clean(text).split())


def paragraphs(text: str) -> list[str]:
    """The clean paragraphs of `text`: parted by blank lines, lines that were wrapped by hand joined by a space."""
    blocks = [part for block in _BLANK_LINE.split(clean(text)) for part in _unwrap(block)]
    tidied = [_tidy(block) for block in blocks]
    return [paragraph for paragraph in tidied if paragraph]


def _tidy(block: str) -> str:
    """Single spaces. Splitting into words and joining them is the dearest step of all, and seldom needed."""
    if "  " in block or "\n" in block or "\t" in block or "\xa0" in block:
        return " ".join(block.split())
    return block.strip()


def _unwrap(block: str) -> list[str]:
    if "\n" not in block:
        return [block]
    lines = block.strip().split("\n")
    if len(block) > _WRAP_CHARACTERS * len(lines):
        return lines
    return [block if block.isascii() else _WRAPPED_HAN.sub("", block)]


def count_words(body: str) -> int:
    """Runs between white space, a lone dash not counted.

    In scripts without spaces a Han or kana character is one word, as word processors count, and a run of Thai,
    Lao, Khmer or Burmese is one word in five characters. A few such words in a text with spaces are runs like others.
    """
    count = body.count(" ") + body.count("\n\n") + 1 if body else 0
    count -= sum(body.count(f" {dash} ") for dash in "—–-" if dash in body)
    if _SHORT < len(body) < _RUN_CHARACTERS * count or not _UNSPACED.search(body):
        return count
    rest, each = _EACH_ONE.subn(" ", body)
    rest, fives = _RUN_OF_FIVE.subn(" ", rest)
    return each + fives + len(re.findall(r"\w+(?:['’.-]\w+)*", rest))


def has_tags(text: str) -> bool:
    """Whether `text` is HTML rather than words that happen to hold a `<`."""
    return "<" in text and _KNOWN_TAG.search(text) is not None


def from_html(fragment: str) -> str:
    """The words of an HTML fragment, blocks parted by blank lines; for whole pages see `page.py`.

    Every pattern stops at the next `<` or at the end, so hostile input costs linear time.
    """
    text = _UNSEEN_PART.sub(" ", fragment)
    head = _HEAD.match(text)
    text = text[head.end() :] if head else text
    text = _BREAK.sub("\v", text.replace("\n", " ").replace("\r", " "))
    text = _ANY_TAG.sub("", _BLOCK.sub("\n\n", text))
    return html.unescape(text.replace("\v", "\n"))


def plain(text: str) -> str:
    """Words that may be HTML as words."""
    return from_html(text) if has_tags(text) else unescape(text)


def without_tags(text: str) -> str:
    """`text` without HTML elements, for facts that are words and nothing else: no reader should meet a script there."""
    return _ANY_TAG.sub("", _UNSEEN_PART.sub(" ", text)) if has_tags(text) else text


def unescape(text: str) -> str:
    """`text` with HTML entities resolved, where it holds any."""
    return html.unescape(text) if "&" in text and _ENTITY.search(text) else text
