"""Web pages: what they state about their article, which statement is believed, and the body."""

from __future__ import annotations

import json

import pytest

from pipeline.errors import BadInput, NoArticle
from pipeline.records import Article, RawArticle
from pipeline.stages.normalise import normalise
from pipeline.stages.normalise.jsonld import article_node

TEXT = "The dam held through the night. " * 12
MORE = "Nobody had to leave the valley below it. " * 8


def article(content: bytes) -> Article:
    return normalise(RawArticle("0" * 32, "a", 0, "text/html", "2025-03-19T08:00:00.000Z", "", content))


def page(head: str, body: str = f"<article><h1>Dam holds</h1><p>{TEXT}</p><p>{MORE}</p></article>") -> Article:
    return article(f"<html><head>{head}</head><body>{body}</body></html>".encode())


def json_ld(**fields: object) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", **fields})}</script>'


def day_and_origin(found: Article) -> tuple[str, str] | None:
    return (found.published.value[:10], found.published.origin) if found.published else None


def test_json_ld_before_open_graph() -> None:
    found = page(
        json_ld(headline="Dam holds", datePublished="2025-03-18T10:00:00Z", author={"name": "Ann Lee"})
        + '<meta property="og:title" content="You will not believe this dam">'
        + '<meta property="article:published_time" content="2024-01-01">'
    )
    assert (found.headline, found.byline, found.format) == ("Dam holds", ("Ann Lee",), "html")
    assert found.published is not None
    assert (found.published.value, found.published.origin) == ("2025-03-18T10:00:00Z", "json-ld")
    assert found.paragraphs == [TEXT.strip(), MORE.strip()]


def test_a_date_nobody_can_read_yields_to_the_next_witness() -> None:
    found = page(json_ld(datePublished="soon") + '<meta itemprop="datePublished dateCreated" content="2025-03-18">')
    assert found.published is not None
    assert (found.published.value, found.published.origin, found.warnings) == ("2025-03-18T00:00:00Z", "meta", ())


def test_the_day_in_the_address_comes_last() -> None:
    found = page('<link rel="canonical" href="https://a.example/2025/mar/18/dam">')
    assert day_and_origin(found) == ("2025-03-18", "url")


@pytest.mark.parametrize(
    ("in_json_ld", "in_open_graph", "day", "origin"),
    [
        ("2025-03-16T08:00:00Z", "2025-03-18T08:00:00Z", "2025-03-18", "meta"),
        ("2025-03-18T21:00:00-05:00", "2025-03-19T02:00:00Z", "2025-03-19", "json-ld"),
        ("2025-03-18", "2025-03-16T08:00:00Z", "2025-03-18", "json-ld"),
        ("soon", "2025-03-18", "2025-03-18", "meta"),
        ("2025-03-18", "soon", "2025-03-18", "json-ld"),
    ],
)
def test_json_ld_may_tell_of_the_first_draft(in_json_ld: str, in_open_graph: str, day: str, origin: str) -> None:
    stated = f'<meta property="article:published_time" content="{in_open_graph}">'
    assert day_and_origin(page(json_ld(datePublished=in_json_ld) + stated)) == (day, origin)


def test_the_dates_of_works_that_an_article_cites_are_not_its_own() -> None:
    cited = "".join(f'<meta itemprop="datePublished" content="{year}">' for year in range(1970, 2020))
    assert day_and_origin(page(f'<meta name="dc.date" content="2025-03-18">{cited}')) == ("2025-03-18", "meta")


@pytest.mark.parametrize("name", ["sw-pubdate", "publicationDate", "desk:publish_date", "prism.publicationDate"])
def test_names_of_the_date_of_publication(name: str) -> None:
    assert day_and_origin(page(f'<meta name="{name}" content="2025-03-18">')) == ("2025-03-18", "meta")


@pytest.mark.parametrize("name", ["republished", "expiry-date", "subtitle", "public-time"])
def test_names_of_other_things(name: str) -> None:
    found = page(f'<meta name="{name}" content="2025-03-18">')
    assert found.published is None or found.published.origin == "page"  # as htmldate's last guess, and marked so


def test_what_a_time_element_shows_where_its_attribute_leaves_the_day_open() -> None:
    shown = '<time datetime="03-04-2024 10:29">3 April 2024 10:29</time>'
    assert day_and_origin(page("", f"<article>{shown}<p>{TEXT}</p><p>{MORE}</p></article>")) == ("2024-04-03", "meta")


def test_a_day_in_an_unknown_order_is_settled_by_what_the_page_shows() -> None:
    stated = '<meta property="article:published_time" content="03/04/2024">'
    for shown, day in (("3 April 2024", "2024-04-03"), ("4 March 2024", "2024-03-04")):
        found = page(stated, f'<article><p class="date">{shown}</p><p>{TEXT}</p><p>{MORE}</p></article>')
        assert day_and_origin(found) == (day, "page")
    assert page(stated).published is None


def test_an_article_body_stands_in_where_the_page_has_none() -> None:
    found = page(json_ld(headline="Dam holds", articleBody=f"{TEXT}\n\n{MORE}"), "<p>Sign in to read.</p>")
    assert (found.paragraphs, found.warnings) == ([TEXT.strip(), MORE.strip()], ("body-from-json-ld",))


def test_a_description_is_no_body() -> None:
    with pytest.raises(NoArticle):
        page(json_ld(headline="Dam holds", description=TEXT), "")


def test_deep_nesting_and_entities_end_in_words() -> None:
    with pytest.raises(BadInput):
        page("", "<div>" * 40_000)
    bomb = b'<!DOCTYPE html [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><html><body><p>' + TEXT.encode() + b"&b;</p>"
    assert "aaaa" not in article(bomb).body


def test_the_declared_charset_of_a_page() -> None:
    content = f'<html><head><meta charset="windows-1251"></head><body><p>{"Плотина выстояла. " * 20}</p></body></html>'
    assert article(content.encode("cp1251")).body.startswith("Плотина выстояла.")


@pytest.mark.parametrize(
    ("block", "headline"),
    [
        ('{"@type": "NewsArticle", "headline": "One"}', "One"),
        ('[{"@type": "Person"}, {"@type": ["Thing", "ReportageNewsArticle"], "headline": "Two"}]', "Two"),
        ('{"@graph": [{"@type": "WebPage", "headline": "No"}, {"@type": "Article", "headline": "Three"}]}', "Three"),
        ('{"@type": "NewsArticle", "headline": "Four\tand\nmore"}', "Four\tand\nmore"),
        ('<!-- {"@type": "NewsArticle", "headline": "Five",} -->', "Five"),
    ],
)
def test_json_ld_as_found_in_the_wild(block: str, headline: str) -> None:
    node = article_node(["{broken", block])
    assert node is not None
    assert node["headline"] == headline


def test_json_ld_references_are_followed() -> None:
    graph = [{"@id": "#a", "name": "Ann Lee"}, {"@type": "Article", "author": [{"@id": "#a"}, {"@id": "#gone"}]}]
    node = article_node([json.dumps({"@graph": graph})])
    assert node is not None
    assert node["author"] == [{"@id": "#a", "name": "Ann Lee"}, {"@id": "#gone"}]


def test_no_article_in_json_ld() -> None:
    assert article_node(['{"@type": "BreadcrumbList"}', "[" * 5_000, ""]) is None
