"""What the beginning of a feed or news message says about all its articles."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

_CHARSET = re.compile(rb"""\A\s*<\?xml\b[^>]*?\bencoding\s*=\s*["']([\w.:-]{2,40})["']""")
_DOCTYPE = re.compile(rb"<!DOCTYPE(?>[^\[>]*)(?:\[(?>.*?\]\s*>)|>)", re.S)
_XMLNS = re.compile(rb"""\s(xmlns(?::[A-Za-z_][\w.-]{0,50})?)\s*=\s*("[^"<]{1,300}"|'[^'<]{1,300}')""")
_MOST_NAMESPACES = 40
_LONGEST_FACT = 500
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def read_channel(head: bytes, slug: str) -> dict[str, str]:
    """The context (see `RawArticle.context`) of every article of a file of format `slug` that begins with `head`.

    Nothing that stands there is ever at fault: what cannot be read is left out.
    """
    context = {}
    if declared := _CHARSET.search(head):
        context["charset"] = declared[1].decode().lower()
    bound = dict(reversed(_XMLNS.findall(head)[:_MOST_NAMESPACES]))
    if bound:
        said = (name + b"=" + value for name, value in bound.items())
        context["xmlns"] = b" ".join(said).decode("utf-8", "replace")
    if slug in ("rss", "rdf", "atom"):
        context |= _feed_facts(head)
    return context


def _feed_facts(head: bytes) -> dict[str, str]:
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(_DOCTYPE.sub(b"", head, count=1), parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        return {}
    if root is None:
        return {}
    channel = next((child for child in root if _name(child) == "channel"), root)
    facts = {
        "publisher": _text(channel, "title"),
        "language": _text(channel, "language") or root.get(_LANGUAGE) or "",
        "home": _home(channel),
        "authors": "; ".join(_text(author, "name") for author in channel if _name(author) == "author" and len(author)),
    }
    return {name: " ".join(fact.split())[:_LONGEST_FACT] for name, fact in facts.items() if fact.strip()}


def _name(element: Any) -> str:
    # Not by etree.QName, which refuses what a prefix without a declaration leaves in a name.
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _text(parent: Any, name: str) -> str:
    found = (str(child.xpath("string()")) for child in parent if _name(child) == name)
    return next((text for text in found if text.strip()), "")


def _home(channel: Any) -> str:
    for link in channel:
        if _name(link) == "link":
            if (link.text or "").strip():
                return str(link.text)
            if link.get("href") and link.get("rel", "alternate") == "alternate":
                return str(link.get("href"))
    return ""
