"""text/markdown: front matter, a title, and paragraphs without their signs (CommonMark, by markdown-it-py)."""

from __future__ import annotations

from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipeline.errors import BrokenRecord
from pipeline.stages.normalise.charset import decode
from pipeline.stages.normalise.cleaning import clean, from_html, one_line, paragraphs
from pipeline.stages.normalise.draft import Context, Draft
from pipeline.stages.normalise.frontmatter import read_front_matter, without_front_matter

_MARKDOWN = MarkdownIt("commonmark", {"maxNesting": 20}).enable("table")
_WORDS = ("text", "code_inline")
_BREAKS = ("softbreak", "hardbreak")


def parse_markdown(content: bytes, context: Context) -> Draft:
    """The article in `content`: the first heading is its headline where none is stated. Raises what `decode` raises."""
    text, warnings = decode(content, context.said.get("charset"))
    fields, text = without_front_matter(clean(text))
    try:
        tokens = _MARKDOWN.parse(text)
    except (RecursionError, IndexError, ValueError) as error:
        raise BrokenRecord(f"this Markdown cannot be parsed ({error}); simplify it") from error
    draft = read_front_matter(fields) if fields else Draft([], origin="markdown")
    blocks = list(_blocks(tokens))
    first = next(iter(blocks), ("", ""))
    if first[0] == "h1":
        del blocks[0]
        if not draft.headline:
            draft.headline, draft.origins["headline"] = one_line(first[1]), "markdown"
    draft.paragraphs = paragraphs("\n\n".join(words for _, words in blocks))
    draft.warnings |= warnings
    return draft


def _blocks(tokens: list[Token]) -> Iterable[tuple[str, str]]:
    """The element's name and the words of every block, in order."""
    tag = ""
    row: list[str] | None = None
    for token in tokens:
        if token.type == "heading_open":
            tag = token.tag
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            yield "", " ".join(row or ())
            row = None
        elif row is not None:
            row += [_words(token.children or [])] if token.type == "inline" else []
        elif token.type == "inline":
            yield tag, _words(token.children or [])
            tag = ""
        elif token.type in ("fence", "code_block"):
            yield "", token.content
        elif token.type == "html_block":
            yield "", from_html(token.content)


def _words(tokens: list[Token]) -> str:
    """An inline token's words: of links their text, of pictures nothing."""
    parts = []
    for token in tokens:
        if token.type in _WORDS:
            parts.append(token.content)
        elif token.type in _BREAKS:
            parts.append("\n")
    return "".join(parts)
