"""text/html: the facts from `page.py`, the body from trafilatura, both from one lxml tree.

trafilatura (fast) takes 10 ms a page and keeps paragraphs, which an `articleBody` in JSON-LD hardly ever does;
it turns to that one itself where the markup gives next to nothing. lxml cuts a page off at 256 nested elements;
lexbor, which is faster on plain pages, took 17 s for 100,000 of them.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from lxml import etree
from trafilatura import extract, load_html
from trafilatura.settings import Extractor

from pipeline.errors import BrokenRecord, NoArticle, TooLarge
from pipeline.stages.normalise.charset import decode
from pipeline.stages.normalise.cleaning import one_line, paragraphs
from pipeline.stages.normalise.dates import is_date, possible_days
from pipeline.stages.normalise.draft import Context, Draft
from pipeline.stages.normalise.fields import SUMMARY
from pipeline.stages.normalise.page import is_json_ld, read_page
from pipeline.stages.normalise.printed import printed_day

BODY_FROM_JSON_LD = "body-from-json-ld"

# What it logs as an error is for us a rejected page, told in full in the rejected record.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

_CHARSET = re.compile(rb"""<(?:meta\b[^<>]*?charset|\?xml\b[^<>]*?encoding)\s*=\s*["']?\s*([\w.:-]{2,40})""", re.I)
_HEAD_BYTES = 4_096
# trafilatura's time grows with the square of a hostile page; the longest real ones have a third of this.
_MOST_TAGS = 50_000
# Less is a menu or a notice, even in Chinese.
_LEAST_BODY_CHARACTERS = 20
# Neither reads it, and its loss changes no body: `noscript` and `nav`, say, do count where trafilatura weighs a page.
_UNREAD = (
    "style", "svg", "iframe", "template", "link", "meta", "input", "button", "select", "option", "datalist", "textarea",
    "img", "picture", "source", "video", "audio", "track", "canvas", "object", "param", "embed", "map", "area",
)  # fmt: skip
_UNREAD_ATTRIBUTES = (
    "href", "src", "srcset", "data-src", "data-srcset", "sizes", "loading", "alt", "title", "target", "width", "height",
)  # fmt: skip
_FAST, _SLOW = (Extractor(output_format="txt", fast=fast, comments=False, tables=True) for fast in (True, False))
# So many lines of so few characters each are the site's navigation, not its prose.
_MENU_LINES = 60
_MENU_CHARACTERS = 25
_NO_TEXT = "the page holds no article text (a front page, an index or a video?); drop the article's page"
# What a page puts below its article; such a line and all that follows goes, if that is a small part of the whole.
_AFTER_MATTER = re.compile(
    r"(?:you (?:may|might) also like|related (?:articles?|stories|links|content|topics|news)|more from .{1,40}"
    r"|read (?:more|next|also)|recommended(?: for you)?|(?:\d+ )?comments?|leave a (?:comment|reply)|advertisement"
    r"|share this(?: article| story)?|(?:sign up|subscribe|click here to subscribe)\b.{0,80})[\s.:…!]*",
    re.I,
)
_MOST_AFTER_RATIO = 0.25


def parse_html(content: bytes, context: Context) -> Draft:
    """The article on the page. Raises NoArticle where there is none, BrokenRecord where the page cannot be parsed,
    TooLarge where it has more tags than any article.
    """
    if content.count(b"<") > _MOST_TAGS:
        raise TooLarge(f"the page has over {_MOST_TAGS} tags, which no article has; drop the article's own page")
    declared = _CHARSET.search(content[:_HEAD_BYTES])
    text, warnings = decode(content, declared[1].decode() if declared else context.said.get("charset"))
    try:
        tree = load_html(text)
        if tree is None:
            raise NoArticle("this is no HTML page; drop plain text as .txt instead")
        draft = read_page(tree)
        if not any(is_date(words) for words, _ in draft.published):
            draft.published += printed_day(tree, {day for words, _ in draft.published for day in possible_days(words)})
        body = _body(tree)
    except (RecursionError, ValueError, TypeError, AttributeError, AssertionError) as error:
        raise BrokenRecord(f"the page cannot be parsed ({type(error).__name__}: {error}); save it anew") from error
    _choose_body(draft, body)
    _refuse_menu(draft, tree)
    draft.warnings |= warnings
    return draft


def _body(tree: Any) -> str:
    """trafilatura's text, one paragraph a line; the slow way only where the fast one came back with menus.

    It copies the tree several times, so what it never reads goes before: a sixth of the time.
    """
    for script in tree.iter("script"):
        if not is_json_ld(script):  # trafilatura knows a body or two in those
            script.tag = "template"
    etree.strip_elements(tree, *_UNREAD, with_tail=False)
    etree.strip_attributes(tree, *_UNREAD_ATTRIBUTES)
    text = extract(tree, options=_FAST) or ""
    lines = text.count("\n") + 1
    if lines > _MENU_LINES and len(text) < _MENU_CHARACTERS * lines:
        text = extract(tree, options=_SLOW) or ""
    return str(text)


def _choose_body(draft: Draft, extracted: str) -> None:
    """`extracted` (one paragraph a line), with the paragraphs of the `articleBody` where it was taken from there."""
    stated = [] if SUMMARY in draft.warnings else draft.paragraphs
    draft.warnings.discard(SUMMARY)
    if stated and "\n" not in extracted and one_line(extracted) == " ".join(stated):
        draft.warnings.add(BODY_FROM_JSON_LD)
        return
    rows = (line.strip("| ") if line.startswith("|") else line for line in extracted.split("\n"))
    draft.paragraphs = _without_after_matter(paragraphs("\n\n".join(rows)))
    if draft.paragraphs and draft.paragraphs[0] == one_line(draft.headline or ""):
        del draft.paragraphs[0]
    if sum(map(len, draft.paragraphs)) < _LEAST_BODY_CHARACTERS:
        raise NoArticle(_NO_TEXT)


def _refuse_menu(draft: Draft, tree: Any) -> None:
    """Raise NoArticle where all that was found are the words of the page's links."""
    if sum(map(len, draft.paragraphs)) < _MENU_CHARACTERS * _MENU_LINES:
        links = {one_line(link.text_content()) for link in tree.iter("a")}
        if links.issuperset(draft.paragraphs):
            raise NoArticle(_NO_TEXT)


def _without_after_matter(body: list[str]) -> list[str]:
    allowed = _MOST_AFTER_RATIO * sum(map(len, body))
    end = len(body)
    for number in range(len(body) - 1, 0, -1):
        allowed -= len(body[number])
        if allowed < 0:
            break
        if _AFTER_MATTER.fullmatch(body[number]):
            end = number
    return body[:end]
