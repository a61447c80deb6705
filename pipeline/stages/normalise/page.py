"""What a web page states about its article outside the body: JSON-LD first, then meta elements, then the markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.stages.normalise.cleaning import one_line
from pipeline.stages.normalise.dates import day_of
from pipeline.stages.normalise.draft import Draft
from pipeline.stages.normalise.fields import read_fields
from pipeline.stages.normalise.headline import is_site, printed_headline, without_site
from pipeline.stages.normalise.jsonld import article_node
from pipeline.stages.normalise.printed import printed_authors

_PUBLISHED = (
    "article:published_time", "article:published", "og:published_time", "og:article:published_time", "datepublished",
    "parsely-pub-date", "sailthru.date", "dc.date.issued", "dcterms.created", "dc.date", "dcterms.date", "pdate",
    "date", "citation_online_date",
)  # fmt: skip
# What else page makers call it: pubdate, publish_date, prism.publicationDate.
_PUBLICATION = re.compile(r"\bpub(?:lish(?:ed)?|lication)?[-_]?(?:date|time)")
_MODIFIED = ("article:modified_time", "article:modified", "og:updated_time", "datemodified", "last-modified")
_AUTHORS = ("author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "byl")
_HEADLINES = ("og:title", "twitter:title", "parsely-title", "dc.title", "headline")
_SITES = ("og:site_name", "application-name", "dc.publisher", "publisher")
_LANGUAGES = ("og:locale", "content-language", "dc.language")
_MOST_HEADINGS = 5
_MOST_TIMES = 3
_XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
# The day that many addresses hold: /2025/03/18/ or /2025/mar/18/.
_DAY_IN_URL = re.compile(r"/((?:19|20)\d\d)/(\d\d?|[a-z]{3})/(\d\d?)/")

Meta = dict[str, list[str]]


def read_page(tree: Any) -> Draft:
    """The facts stated in `tree` (an lxml HTML tree); paragraphs only where JSON-LD holds the article's body."""
    node = article_node(script.text or "" for script in tree.iter("script") if is_json_ld(script))
    draft = read_fields(node or {}, "json-ld")
    meta = _meta(tree)
    sites = [site for site in [*_all(meta, _SITES), draft.publisher or ""] if site and "://" not in site]
    headline = _headline(tree, [draft.headline or "", *_all(meta, _HEADLINES)], sites)
    if headline != draft.headline:
        draft.headline, draft.origins["headline"] = headline, "page"
    _read_authors(draft, tree, meta, sites)
    _take(draft, "publisher", [site for site in [draft.publisher or "", *sites] if site and "://" not in site], "meta")
    languages = [*_root_languages(tree), *_all(meta, _LANGUAGES)]
    _take(draft, "language", [draft.language, *languages], "meta")
    _take(draft, "url", [*_canonical(tree), *_all(meta, ("og:url",)), draft.url], "meta")
    draft.origins["body"] = "page"
    _read_published(draft, meta, tree)
    draft.modified += [(words, "meta") for words in _all(meta, _MODIFIED)]
    return draft


def _read_authors(draft: Draft, tree: Any, meta: Meta, sites: list[str]) -> None:
    """Who wrote it. A site that names itself as the author has not said who; then its byline may."""
    stated = draft.authors
    people = [name for name in stated if not is_site(name, sites)]
    named = [name for name in _all(meta, _AUTHORS) if "://" not in name and not is_site(name, sites)][:1]
    if people or not named:
        draft.authors = people
    else:
        draft.authors, draft.origins["authors"] = named, "meta"
    if not draft.authors and (printed := printed_authors(tree)):
        draft.authors, draft.origins["authors"] = printed, "page"
    draft.authors = draft.authors or stated


def _read_published(draft: Draft, meta: Meta, tree: Any) -> None:
    """When it was published. Where Open Graph has a later day than JSON-LD, the latter is that of its first draft.

    Each meta element counts once: further ones of its name are about works that the article cites.
    """
    others = sorted(name for name in meta if name not in _PUBLISHED and _PUBLICATION.search(name))
    stated = [(meta[name][0], "meta") for name in (*_PUBLISHED, *others) if name in meta]
    in_json_ld = next(filter(None, (day_of(words) for words, _ in draft.published)), None)
    open_graph = day_of(meta.get(_PUBLISHED[0], [""])[0])
    if in_json_ld and open_graph and open_graph > in_json_ld:
        draft.published = stated[:1] + draft.published
    draft.published += stated + [(words, "meta") for words in _times(tree)]
    draft.published += [(day, "url") for day in _day_in_url(draft.url)]


def _take(draft: Draft, fact: str, candidates: Iterable[str | None], origin: str) -> None:
    """The first of `candidates` that says anything becomes the fact."""
    found = next(filter(None, candidates), None)
    if found != getattr(draft, fact):
        setattr(draft, fact, found)
        draft.origins[fact] = origin


def _headline(tree: Any, stated: list[str], sites: list[str]) -> str | None:
    printed = (one_line(heading.text_content()) for heading in list(tree.iter("h1"))[:_MOST_HEADINGS])
    headings = [heading for heading in printed if heading and not is_site(heading, sites)]
    titles = [one_line(title.text or "") for title in tree.iter("title")][:1]
    page_title = without_site("".join(titles), sites, headings)
    title = next(filter(str.strip, [*stated, *headings, *titles]), None)
    return title and printed_headline(without_site(one_line(title), sites, headings), headings, page_title)


def is_json_ld(script: Any) -> bool:
    """Whether a `script` element holds JSON-LD."""
    return "ld+json" in (script.get("type") or "").lower()


def _meta(tree: Any) -> Meta:
    """The page's meta elements: `content` by property, name, itemprop or http-equiv in lower case."""
    found: Meta = {}
    for element in tree.iter("meta"):
        content = (element.get("content") or "").strip()
        named = " ".join(element.get(kind) or "" for kind in ("property", "name", "itemprop", "http-equiv"))
        for name in named.lower().split() if content else ():
            found.setdefault(name, []).append(content)
    return found


def _all(meta: Meta, names: tuple[str, ...]) -> list[str]:
    return [content for name in names for content in meta.get(name, ())]


def _times(tree: Any) -> list[str]:
    """Moments in the markup that are marked as the article's own, or the only moment on the page, and their words."""
    every = [element for element in tree.iter("time") if element.get("datetime")]
    marked = [element for element in every if _is_publication(element)]
    marked += [element for element in tree.iter("span", "div", "abbr") if _is_publication(element)]
    unmarked = [element for element in every if "updated" not in (element.get("class") or "")]
    only = unmarked[:1] if len({element.get("datetime") for element in unmarked}) == 1 else []
    own = [*marked[:_MOST_TIMES], *only]
    found = [element.get("datetime") or element.get("content") or element.get("title") or "" for element in own]
    return [words for words in (*found, *(one_line(element.text_content()) for element in own)) if words]


def _is_publication(element: Any) -> bool:
    return "datePublished" in (element.get("itemprop") or "") or element.get("pubdate") is not None


def _root_languages(tree: Any) -> Iterator[str | None]:
    return (tree.get(name) for name in ("lang", _XML_LANGUAGE))


def _canonical(tree: Any) -> list[str]:
    return [link.get("href") for link in tree.iter("link") if (link.get("rel") or "").lower() == "canonical"][:1]


def _day_in_url(url: str | None) -> list[str]:
    found = _DAY_IN_URL.search((url or "").lower())
    if found is None:
        return []
    year, month, day = found.groups()
    return [f"{year}-{month:0>2}-{day:0>2}" if month.isdigit() else f"{day} {month} {year}"]
