from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.errors import BadInput, BrokenRecord, EmptyInput, NoArticle, TooLarge, UnknownFormat
from pipeline.records import Article, RawArticle
from pipeline.stages.normalise import normalise

TEXT = "The dam held through the night. " * 12
MORE = "Nobody had to leave the valley below it. " * 8


def article(content: bytes | dict[str, Any], media_type: str = "application/json") -> Article:
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    return normalise(RawArticle("0" * 32, "a", 0, media_type, "2025-03-19T08:00:00.000Z", "", content))


# --- text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [" date 2025-03-18 ", "date 2025-03-18\n", "DATE 2025-03-18 ", "\ufeffDate: 2025-03-18\n\n", " date  2025-03-18\t"],
)
def test_date_lines(start: str) -> None:
    found = article(f"{start}The dam held.".encode(), "text/plain")
    assert found.published is not None
    assert (found.published.value, found.published.origin) == ("2025-03-18T00:00:00Z", "date-line")
    assert (found.body, found.headline, found.headline_derived) == ("The dam held.", "The dam held.", True)


def test_a_date_line_that_cannot_be_true_is_said() -> None:
    found = article(b"date 2031-03-18 The dam held.", "text/plain; charset=utf-8")
    assert (found.published, found.warnings) == (None, ("date-implausible",))


def test_a_sentence_about_a_date_is_no_date_line() -> None:
    assert article(b"Date palms line the road.", "text/plain").body == "Date palms line the road."


def test_the_first_of_several_date_lines_counts() -> None:
    found = article(b"date 2025-03-18 date 2025-03-17\n\ndate 2025-03-16\n\nThe dam held.", "text/plain")
    assert found.published is not None
    assert (found.published.raw, found.body) == ("2025-03-18", "The dam held.")


@pytest.mark.parametrize(
    ("content", "media_type", "error"),
    [
        (b"", "text/plain", EmptyInput),
        (b"date 2025-03-18", "text/plain", NoArticle),
        (b"... --- ...", "text/plain", NoArticle),
        (b"The dam held.", "image/png", UnknownFormat),
        (b"{broken", "application/json", BrokenRecord),
        (b'"only words"', "application/json", BrokenRecord),
        (b"[1, 2]", "application/json", BrokenRecord),
        (b"null", "application/json", BrokenRecord),
        (b"[" * 200_000, "application/json", BrokenRecord),
        (b'{"headline": "No body"}', "application/json", NoArticle),
        (b"<html><body><nav><a href='/'>Home</a></nav></body></html>", "text/html", NoArticle),
        (b"<nav><a href='/w'>News of the world</a> <a href='/s'>Sport and weather</a></nav>", "text/html", NoArticle),
        (b"<html>" + b"<p>" * 60_000, "text/html", TooLarge),
    ],
)
def test_rejections_say_what_to_do(content: bytes, media_type: str, error: type[BadInput]) -> None:
    with pytest.raises(error, match=r"; \w+"):
        article(content, media_type)


# --- json ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["body", "text", "content", "article", "maintext", "body_html", "body_text", "articleBody"]
)
def test_names_of_the_body(name: str) -> None:
    found = article({"title": "Dam holds", name: "<p>One.</p><p>Two.</p>"})
    assert (found.headline, found.body, found.format) == ("Dam holds", "One.\n\nTwo.", "json")


@pytest.mark.parametrize(
    "date", ["date", "published", "publishedAt", "date_published", "pubDate", "datePublished", "contentCreated"]
)
def test_names_of_the_date(date: str) -> None:
    found = article({"body": "The dam held.", date: "2025-03-18T10:00:00Z"})
    assert found.published is not None
    assert (found.published.value, found.published.origin) == ("2025-03-18T10:00:00Z", "field")


@pytest.mark.parametrize(
    ("author", "byline"),
    [
        ("By Ann Lee", ("Ann Lee",)),
        ("Ann Lee and Bo Ek", ("Ann Lee", "Bo Ek")),
        ("Ann Lee, Bo Ek & Cy Orr", ("Ann Lee", "Bo Ek", "Cy Orr")),
        ("Ann Lee, Staff Writer", ("Ann Lee, Staff Writer",)),
        ("Smith and Sons", ("Smith and Sons",)),
        (["Ann Lee", {"name": "Bo Ek"}, "Ann Lee"], ("Ann Lee", "Bo Ek")),
        ({"@type": "Person", "name": "Ann Lee"}, ("Ann Lee",)),
        ("https://social.example/annlee", ()),
        (["View All Posts", "Www.Dam.Example", "Ann Lee"], ("Ann Lee",)),
        (None, ()),
    ],
)
def test_authors(author: object, byline: tuple[str, ...]) -> None:
    assert article({"body": "The dam held.", "author": author}).byline == byline


def test_names_in_another_case_are_read_where_ours_hold_no_body() -> None:
    found = article({"TITLE": "Dam holds", "Text": TEXT, "PUBLISHED_DATE": "2025-03-18", "AUTHORS": ["Ann Lee"]})
    assert (found.headline, found.body, found.byline) == ("Dam holds", TEXT.strip(), ("Ann Lee",))
    assert found.published is not None
    assert article({"body": "The dam held.", "TEXT": "Another."}).body == "The dam held."


@pytest.mark.parametrize(
    "item",
    [
        {"headline": "Dam holds", "body_text": TEXT, "versioncreated": "2025-03-18T10:00:00Z"},
        {"headline": "Dam holds", "body_xhtml": f"<p>{TEXT}</p>", "firstcreated": "2025-03-18T10:00:00Z"},
        {"headline_main": "Dam holds", "body_main": TEXT, "contentcreated": "2025-03-18T10:00:00Z"},
        {
            "headlines": [{"role": "short", "value": "Dam"}, {"role": "main", "value": "Dam holds"}],
            "bodies": [{"role": "main", "contenttype": "text/html", "value": f"<p>{TEXT}</p>"}],
            "contentcreated": "2025-03-18T10:00:00Z",
        },
    ],
    ids=["ninjs 1", "ninjs 1.4", "ninjs 2", "ninjs 3"],
)
def test_every_version_of_ninjs(item: dict[str, Any]) -> None:
    found = article({"uri": "urn:x", "type": "text", **item})
    assert (found.headline, found.body) == ("Dam holds", TEXT.strip())
    assert found.published is not None
    assert found.published.value == "2025-03-18T10:00:00Z"


def test_a_date_as_mongo_exports_it() -> None:
    found = article({"body": "The dam held.", "publish_date": {"$date": 1742292000000}})
    assert found.published is not None
    assert found.published.value == "2025-03-18T10:00:00Z"


def test_of_several_descriptions_the_credit_comes_last() -> None:
    credit, caption = {"role": "creditline", "value": "DAM PRESS"}, {"role": "caption", "value": "The dam on Monday."}
    assert article({"headline": "Dam", "descriptions": [credit, caption]}).body == "The dam on Monday."


def test_an_envelope_is_opened() -> None:
    found = article(
        {"status": "ok", "data": {"post": {"title": {"rendered": "Dam &amp; city"}, "content": {"rendered": TEXT}}}}
    )
    assert found.headline == "Dam & city"


def test_a_list_of_paragraphs_and_a_list_of_one() -> None:
    assert article(json.dumps([{"text": ["One.", "Two."]}]).encode()).body == "One.\n\nTwo."


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://a.example/x?id=1", "https://a.example/x?id=1"),
        ("javascript:alert(1)", None),
        ("/relative", None),
        ("https://[broken", None),
        ("https://a.example/with space", None),
    ],
)
def test_urls(url: str, kept: str | None) -> None:
    assert article({"body": "The dam held.", "url": url}).url == kept


@pytest.mark.parametrize(("stated", "kept"), [("en", "en"), ("en_GB", "en-GB"), ("English", None), (7, None)])
def test_languages(stated: object, kept: str | None) -> None:
    assert article({"body": "The dam held.", "language": stated}).language == kept


def test_raw_line_ends_in_strings_and_other_charsets() -> None:
    assert article(b'{"body": "One.\n\nTwo."}').warnings == ("json-controls",)
    assert article('{"body": "Café fermé"}'.encode("utf-16")).body == "Café fermé"


# --- what any text may hold -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("March 18, 2025", "2025-03-18"),
        ("Published: 18 March 2025", "2025-03-18"),
        ("This story was originally published on March 3, 2025.", "2025-03-03"),
        ("First published in The Daily Post, 3 March 2025", "2025-03-03"),
        ("First published by the Harbour Times on 12 May 2024", "2024-05-12"),
        ("Originally published on Harbour Live.", None),
        ("It was first published in 2019.", None),
        ("18 March 2025 was a cold day.", None),
        ("03/04/2025", None),
    ],
)
def test_a_line_that_is_a_day_or_tells_of_a_reprint(line: str, day: str | None) -> None:
    text = "The dam held through the night, and nobody in the valley had to leave."
    for content in (f"{line}\n\n{text}\n\n{text} Again.", f"{text}\n\n{text} Again.\n\n{line}"):
        found = article(content.encode(), "text/plain")
        assert (found.published and found.published.value[:10]) == day
    dated = article(f" date 2025-03-01 {text}\n\n{line}".encode(), "text/plain")
    assert dated.published
    assert dated.published.value == "2025-03-01T00:00:00Z"


@pytest.mark.parametrize(
    "tail",
    [
        "Sign up here.",
        "Want more? Subscribe to our weekly newsletter, free of charge.",
        "Jetzt abonnieren",
        "Already a subscriber? Log in",
        "If you're already a subscriber, you can log in for immediate access to this story.",
        "Subscribe now to continue reading",
        "This story is available only to subscribers of the Harbour Times.",
        "Originally published on Harbour Live.",
        "Reprinted with permission of the Harbour Times.",
    ],
)
def test_what_a_page_asks_of_its_readers_is_no_part_of_the_body(tail: str) -> None:
    text = "The dam held through the night, and nobody in the valley had to leave."
    found = article(f"{text}\n\n{text} Again.\n\n{tail}".encode(), "text/plain")
    assert found.body == f"{text}\n\n{text} Again."
    assert "boilerplate-removed" in found.warnings
    prose = f"{tail.rstrip('.')}. So said the mayor, who had to leave the valley herself, and her dog, at noon."
    spoken = f"{text}\n\n{prose}\n\n{text}"
    assert "So said the mayor" in article(spoken.encode(), "text/plain").body


@pytest.mark.parametrize(
    ("above", "place"),
    [
        ("Bridge closed", "LISBON"),
        ("Bridge closed\n\nBy Ana Reis", "LISBON"),
        ("The bridge is closed.", None),
        ("The bridge is closed, and " + "nobody knows until when, " * 8, None),
    ],
)
def test_a_dateline_may_stand_under_a_headline_and_a_byline(above: str, place: str | None) -> None:
    found = article(f"{above}\n\nLISBON, March 18 (Agency) - The bridge was closed.".encode(), "text/plain")
    assert found.place == place


@pytest.mark.parametrize(
    ("dateline", "place"),
    [
        ("LISBON, March 18", "LISBON"),
        ("Norfolk, VA", "Norfolk, VA"),
        ("Reykjavík (18 March 2025)", "Reykjavík"),
        ("18 March 2025", None),
        ("<location>Porto</location>, March 18", "Porto"),
        ("<story.date>March 18</story.date>", None),
    ],
)
def test_the_place_in_a_dateline_of_nitf(dateline: str, place: str | None) -> None:
    text = "The dam held through the night."
    head = f"<body.head><dateline>{dateline}</dateline></body.head>"
    content = f"<nitf><body>{head}<body.content><p>{text}</p></body.content></body></nitf>"
    assert article(content.encode(), "application/nitf+xml").place == place
