"""XML that may be broken: a tree, names that do not depend on prefixes, and the paragraphs in mixed content.

No entity is ever resolved but HTML's names for single characters: the document type goes before the parser sees it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree

from pipeline.errors import BrokenRecord
from pipeline.stages.normalise.charset import decode
from pipeline.stages.normalise.cleaning import one_line, paragraphs
from pipeline.stages.normalise.draft import Context

_DECLARED = re.compile(rb"""<\?xml\b[^<>]*?\bencoding\s*=\s*["']([\w.:-]{2,40})""")
_DECLARATION = re.compile(r"\s*<\?xml\b[^<>]*>")
_DOCTYPE = re.compile(r"<!DOCTYPE\b[^\[<>]*(?:\[.*?(?:\]\s*>|\Z)|>|\Z)", re.I | re.S)
# Not inside CDATA; an ampersand that begins no entity is one that somebody forgot to escape.
_AMPERSAND = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?:([A-Za-z][A-Za-z0-9]{1,30});|(?!#\d{1,7};|#[xX][0-9a-fA-F]{1,6};))", re.S
)
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_DECLARES = re.compile(r"""\s*(?:xmlns(?::[\w.-]+)?\s*=\s*(?:"[^"<&]*"|'[^'<&]*')\s*)*""")
_XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_PARSER_OPTIONS = {"resolve_entities": False, "no_network": True, "huge_tree": False, "recover": True,
                   "remove_comments": True, "remove_pis": True}  # fmt: skip

# Prefixes that feeds use without declaring them are known by these names, and so are the spaces they stand for.
_SPACES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://search.yahoo.com/mrss/": "media",
    "http://search.yahoo.com/mrss": "media",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://iptc.org/std/rNews/2011-10-07#": "rnews",
}
# Their elements are the formats' own, so that they go without a prefix.
_OWN = frozenset({
    "http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#", "http://purl.org/rss/1.0/", "http://backend.userland.com/rss2",
    "http://my.netscape.com/rdf/simple/0.9/", "http://channel.netscape.com/rdf/simple/0.9/", "http://purl.org/net/rss1.1#",
    "http://iptc.org/std/nar/2006-10-01/", "http://iptc.org/std/NITF/2006-10-18/", "http://www.w3.org/1999/xhtml",
})  # fmt: skip

_BLOCKS = frozenset(
    "p div h1 h2 h3 h4 h5 h6 li ul ol dl dt dd blockquote section article table tr figure pre hr header footer aside "
    "main body hedline hl1 hl2 block bq tagline byline dateline fn nitf-table caption nitf-col".split()
)
_CELLS = frozenset({"td", "th"})
_UNSEEN = frozenset("script style template iframe head media object video audio figure img svg form nav".split())
_MOST_ELEMENTS = 200_000


def parse_xml(content: bytes, context: Context) -> tuple[Any, set[str]]:
    """The root element of `content` (bare, well-formed or not) and warnings.

    The context's `charset` counts where the content itself declares none, its `xmlns` declares prefixes of the
    document that `content` was cut from. Raises BrokenRecord where not even an element is there, and what
    `decode` raises.
    """
    declared = _DECLARED.search(content[:400])
    text, warnings = decode(content, declared[1].decode() if declared else context.said.get("charset"))
    text = _DECLARATION.sub("", text.lstrip("\ufeff"), count=1)
    text = _NO_XML.sub("", _AMPERSAND.sub(_sound, _DOCTYPE.sub("", text, count=1)))
    spaces = context.said.get("xmlns", "")
    if spaces and _DECLARES.fullmatch(spaces):
        text = f"<document {spaces}>{text}</document>"
    parser = etree.XMLParser(**_PARSER_OPTIONS)
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BrokenRecord(f"this is no XML ({error}); mend it and drop it again") from error
    if root is not None and spaces and local(root) == "document":
        root = next(iter(root), None)
    if root is None:
        raise BrokenRecord("there is no XML element in this article; mend it and drop it again")
    if any(entry.level_name == "FATAL" and "Namespace" not in entry.type_name for entry in parser.error_log):
        warnings = warnings | {"xml-recovered"}
    return root, warnings


def _sound(found: re.Match[str]) -> str:
    """What a CDATA section, an entity or a bare ampersand becomes, so that the parser takes it as it was meant."""
    words, name = found[0], found[1]
    if not words.startswith("&"):
        return words
    if name is None:
        return "&amp;"
    if name in _XML_NAMES:
        return words
    known = html.unescape(words)
    return known if known != words and "<" not in known and "&" not in known else f"&amp;{name};"


def name_of(element: Any) -> str:
    """The element's name, `dc:creator` or `title`, whatever prefix the document chose. Empty for what is none."""
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    space, _, local = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
    if not space or space in _OWN:
        return local
    return f"{_SPACES[space]}:{local}" if space in _SPACES else local if element.prefix is None else tag


def local(element: Any) -> str:
    """The element's name without space and prefix, for formats that come under many."""
    tag = element.tag
    return re.split("[}:]", tag)[-1] if isinstance(tag, str) else ""


def find_all(root: Any, path: str) -> Iterator[Any]:
    """The elements below `root` along `path`, local names parted by `/`; a first `//` looks at any depth."""
    first, *rest = path.removeprefix("//").split("/")
    inside = root.iterdescendants() if path.startswith("//") else iter(root)
    for element in inside:
        if local(element) == first:
            if rest:
                yield from find_all(element, "/".join(rest))
            else:
                yield element


def find(root: Any, *paths: str) -> Any:
    """The first element along the first of `paths` that leads to one, else None."""
    return next((element for path in paths for element in find_all(root, path)), None)


def said(root: Any, *paths: str) -> str | None:
    """The words of the first such element that has any, on one line."""
    found = (words(element) for path in paths for element in find_all(root, path))
    return next(filter(None, found), None)


def words(element: Any) -> str:
    """All words in `element`, on one line."""
    return one_line(" ".join(element.itertext()))


def language_of(element: Any) -> str | None:
    """The nearest `xml:lang`, that of the element first."""
    while element is not None:
        if stated := element.get(_XML_LANGUAGE) or element.get("xml:lang"):
            return str(stated)
        element = element.getparent()
    return None


def attribute(root: Any, path: str, name: str) -> str | None:
    """The first attribute of this name on an element along `path`."""
    return next((value for element in find_all(root, path) if (value := element.get(name))), None)


def block_paragraphs(roots: Iterable[Any]) -> list[str]:
    """The clean paragraphs of elements with mixed content (XHTML, NITF): one a block, a table's row on one line."""
    parts: list[str] = []
    for root in roots:
        parts.append("\n\n")
        parts += _texts(root)
    return paragraphs("".join(parts))


def _texts(root: Any) -> Iterator[str]:
    """Walked with a list, since recursion is bounded by Python and hostile nesting is not."""
    todo: list[tuple[Any, bool]] = [(root, False)]
    seen = 0
    while todo and (seen := seen + 1) < 2 * _MOST_ELEMENTS:
        element, leaving = todo.pop()
        tag = local(element).lower()
        if leaving:
            yield from _edge(tag)
            yield _flat(element.tail) if element is not root else ""
            continue
        todo.append((element, True))
        if not tag or (tag in _UNSEEN and element is not root):
            continue
        yield from _edge(tag)
        yield "\n" if tag == "br" else _flat(element.text)
        todo += [(child, False) for child in reversed(element)]


def _edge(tag: str) -> Iterator[str]:
    if tag in _BLOCKS:
        yield "\n\n"
    elif tag in _CELLS:
        yield " "


def _flat(text: str | None) -> str:
    return text.replace("\n", " ").replace("\r", " ") if text else ""
