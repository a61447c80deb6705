"""Feeds, news messages, tables, mailboxes, web archives: every article as it stands, each fault alone."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator

import pytest

from pipeline.errors import ArchiveLimit, BadInput, BrokenRecord, EmptyInput, UnknownFormat
from pipeline.formats import FORMATS, Format
from pipeline.inbox.splitters import Entry, Limits, split

BY_SLUG = {form.slug: form for form in FORMATS}
LIMITS = Limits(article_bytes=400, file_bytes=4000, kept_bytes=800, ratio=200)
STEPS = (1, 7, 10_000)


def taken(content: bytes, named: str, step: int = 13, position: int = 0) -> Iterator[Entry]:
    parts = (content[start : start + step] for start in range(0, len(content), step))
    return split(lambda: next(parts, b""), "x", BY_SLUG[named], LIMITS, position)


def contents(content: bytes, named: str, step: int = 13) -> list[bytes]:
    return [entry.content for entry in taken(content, named, step)]


ITEMS = [
    b"<item><title>Rain</title></item>",
    b'<item rdf:about="x"\n><title><![CDATA[</item><item>]]></title><!-- </item> --></item>',
    b"<item/>",
    b"<item><title>Caf\xc3\xa9 &nbsp; &bad; </b></title></item >",
]
CHANNEL = b"<title>The Wire</title><link>https://wire.example/</link><language>en-GB</language>"
RSS = (
    b'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    b"<channel>" + CHANNEL + b"<items>none</items>\n" + b"\n".join(ITEMS) + b"</channel></rss>"
)


@pytest.mark.parametrize("step", STEPS)
def test_a_feed_gives_its_items_byte_by_byte_whatever_is_in_them(step: int) -> None:
    found = list(taken(RSS, "xml", step))
    assert [entry.content for entry in found] == ITEMS
    assert [(entry.position, entry.next_position) for entry in found] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert {(entry.media_type, entry.single) for entry in found} == {("application/rss+xml", False)}
    assert found[0].context == {
        "charset": "utf-8",
        "xmlns": 'xmlns:dc="http://purl.org/dc/elements/1.1/"',
        "publisher": "The Wire",
        "home": "https://wire.example/",
        "language": "en-GB",
    }


def test_it_goes_on_from_any_position() -> None:
    whole = list(taken(RSS, "rss"))
    for position in range(5):
        assert list(taken(RSS, "rss", 50, position)) == whole[position:]


def test_an_item_that_is_never_closed_ends_where_the_next_begins_or_the_feed_ends() -> None:
    feed = b"<rss><channel><item><title>a</title><item><title>b</title></channel></rss>"
    assert contents(feed, "rss") == [b"<item><title>a</title>", b"<item><title>b</title>"]


def test_a_feed_that_is_cut_short_gives_what_is_whole() -> None:
    found: list[Entry] = []
    with pytest.raises(BrokenRecord, match="in the middle of an article"):
        found.extend(taken(b"<rss><channel><item>a</item><item>b", "rss"))
    assert contents(b"<rss><channel><item>a</item><!-- ", "rss") == [b"<item>a</item>"]


@pytest.mark.parametrize("step", STEPS)
def test_an_overlong_item_is_set_aside_and_the_next_goes_on(step: int) -> None:
    feed = b"<rss><channel><item>" + b"x" * 5000 + b"</item><item>b</item></channel></rss>"
    first, second = taken(feed, "rss", step)
    assert (first.fault and first.fault.reason, len(first.content)) == ("too-large", 800)
    assert "5013 bytes" in str(first.fault)
    assert second.content == b"<item>b</item>"


def test_a_feed_without_an_item_is_empty() -> None:
    with pytest.raises(EmptyInput):
        list(taken(b"<rss><channel><title>x</title></channel></rss>", "rss"))


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_feed_in_utf_16_comes_in_utf_8(codec: str) -> None:
    feed = "<rss><channel><item>é</item></channel></rss>"
    assert contents(feed.encode(codec), "xml") == ["<item>é</item>".encode()]


def test_entities_of_a_feed_are_never_expanded() -> None:
    bomb = (
        b'<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
        b"<rss><channel><title>&b;&c;</title><item>&b;&c;</item></channel></rss>"
    )
    (entry,) = taken(bomb, "rss")
    assert entry.content == b"<item>&b;&c;</item>"
    assert "aaa" not in str(entry.context)
    assert "root:" not in str(entry.context)


def test_a_prefix_that_nobody_declared_is_no_fault() -> None:
    feed = b"<rss><channel><feedburner:info uri='a'/><title>W</title><item>1</item></channel></rss>"
    (entry,) = taken(feed, "rss")
    assert (entry.content, entry.context) == (b"<item>1</item>", {"publisher": "W"})


@pytest.mark.parametrize("slug", ["rss", "csv"])
@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_known_however_few_bytes_come_first_and_a_mark_within_is_no_end(slug: str, codec: str) -> None:
    content = {"rss": "<rss><channel><item>é\ufeffa</item></channel></rss>", "csv": "a,b\n1,é\ufeffa\n"}[slug]
    for step in (1, 2, 10_000):
        (found,) = contents(content.encode(codec), slug, step)
        assert "é\ufeffa".encode() in found


def test_atom_and_rdf() -> None:
    atom = (
        b'<a:feed xmlns:a="http://www.w3.org/2005/Atom" xml:lang="de"><a:title>Draht</a:title>'
        b'<a:link rel="self" href="https://d.example/feed"/><a:link href="https://d.example/"/>'
        b"<a:author><a:name>Ute</a:name></a:author><a:entry>1</a:entry></a:feed>"
    )
    (entry,) = taken(atom, "xml")
    assert (entry.content, entry.media_type) == (b"<a:entry>1</a:entry>", "application/atom+xml")
    assert entry.context == {
        "xmlns": 'xmlns:a="http://www.w3.org/2005/Atom"',
        "publisher": "Draht",
        "language": "de",
        "home": "https://d.example/",
        "authors": "Ute",
    }
    rdf = b'<rdf:RDF xmlns="http://purl.org/rss/1.0/"><channel><title>W</title></channel><item>1</item></rdf:RDF>'
    (entry,) = taken(rdf, "rdf")
    assert (entry.content, entry.media_type) == (b"<item>1</item>", "application/rss+xml")
    assert (entry.context or {})["publisher"] == "W"


def test_a_news_message_gives_its_items_and_a_lone_item_is_the_file() -> None:
    two = (
        b'<newsMessage xmlns="n"><itemSet><newsItem guid="1">a</newsItem><newsItem>b</newsItem></itemSet></newsMessage>'
    )
    assert contents(two, "xml") == [b'<newsItem guid="1">a</newsItem>', b"<newsItem>b</newsItem>"]
    assert not any(entry.single for entry in taken(two, "xml"))
    one = b'<?xml version="1.0"?>\n<newsItem xmlns="n">a</newsItem>\n'
    assert [(entry.content, entry.single) for entry in taken(one, "xml")] == [(one, True)]
    lone = b"<newsMessage><itemSet><newsItem>a</newsItem></itemSet></newsMessage>"
    assert [(entry.content, entry.single) for entry in taken(lone, "xml")] == [(b"<newsItem>a</newsItem>", True)]


def test_newsml_1_keeps_an_item_within_an_item() -> None:
    message = b"<NewsML><NewsItem>a<NewsItem>b</NewsItem></NewsItem><NewsItem>c</NewsItem></NewsML>"
    assert contents(message, "xml") == [b"<NewsItem>a<NewsItem>b</NewsItem></NewsItem>", b"<NewsItem>c</NewsItem>"]


def test_xml_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(UnknownFormat, match="XML of no kind"):
        list(taken(b"<recipes><item>soup</item></recipes>", "xml"))


def test_a_json_feed_and_an_answer_of_an_api_give_their_items() -> None:
    feed = b'{"version": "https://jsonfeed.org/version/1.1", "title": "W\xc3\xa9", "items": [{"id": "1"}, {"id":"2"} ]}'
    found = list(taken(feed, "json"))
    assert [entry.content for entry in found] == [b'{"id": "1"}', b'{"id":"2"}']
    assert {entry.media_type for entry in found} == {"application/feed+json"}
    assert found[0].context == {"publisher": "Wé"}
    answer = b'{"status":"ok","articles":[{"title":"a"},{"title":"b"}],"articles_total":2}'
    assert contents(answer, "json") == [b'{"title":"a"}', b'{"title":"b"}']
    article = b'{"headline":"a","items":[{"title":"see also"}]}'
    assert contents(article, "json") == [article]


def test_a_list_that_breaks_off_gives_what_stands_before() -> None:
    found: list[Entry] = []
    with pytest.raises(BrokenRecord):
        found.extend(taken(b'[{"a":1},{"b":', "json"))
    # extend() keeps what came before the error.
    assert [entry.content for entry in found] == [b'{"a":1}']


def test_json_of_100_000_levels_is_refused() -> None:
    limits = Limits(1 << 20, 1 << 20, 1 << 20, 200)
    parts = iter([b'{"a":' + b"[" * 100_000])
    with pytest.raises(BrokenRecord):
        list(split(lambda: next(parts, b""), "x", BY_SLUG["json"], limits))


CSV = b'\xef\xbb\xbftitle,body\r\n"Rain, again","It ""fell""\nall day"\r\n\r\n5" pipe,"x"\nlast,y'


@pytest.mark.parametrize("step", STEPS)
def test_a_table_gives_each_row_with_its_header(step: int) -> None:
    found = list(taken(CSV, "csv", step))
    rows = [b'"Rain, again","It ""fell""\nall day"\r\n', b'5" pipe,"x"\n', b"last,y"]
    assert [entry.content for entry in found] == [b"title,body\n" + row for row in rows]
    assert [entry.position for entry in found] == [0, 1, 2]


def test_a_quote_that_is_never_closed_spoils_its_own_row_alone() -> None:
    found = list(taken(b'a;b\n1;"open\n2;x\n3;y\n', "csv"))
    assert [(entry.content, entry.fault.reason if entry.fault else "") for entry in found] == [
        (b'1;"open\n', "parse"),
        (b"a;b\n2;x\n", ""),
        (b"a;b\n3;y\n", ""),
    ]


def test_an_overlong_row_is_set_aside() -> None:
    found = list(taken(b"a,b\n1,2\n" + b"x" * 900 + b"\n3,4\n", "csv"))
    assert [entry.fault.reason if entry.fault else "" for entry in found] == ["", "too-large", ""]


def test_a_table_without_rows_is_empty() -> None:
    for content in (b"a,b\n", b"a,b", b"a,b\n\n  \n"):
        with pytest.raises(EmptyInput):
            list(taken(content, "csv"))


MESSAGES = [b"Subject: a\n\none\n>From there\n\n", b"Subject: b\n\nFrom line one\n"]


@pytest.mark.parametrize("step", STEPS)
def test_a_mailbox_gives_its_messages(step: int) -> None:
    start = b"From a@example.org Tue Mar 18 09:00:00 2025\n"
    box = start + MESSAGES[0] + start + MESSAGES[1].replace(b"\n\nFrom", b"\n\n>From")
    assert contents(box, "text", step) == [MESSAGES[0], MESSAGES[1].replace(b"\n\nFrom", b"\n\n>From")]


def record(kind: bytes, payload: bytes, extra: bytes = b"") -> bytes:
    head = (
        b"WARC/1.0\r\nWARC-Type: "
        + kind
        + b"\r\nWARC-Target-URI: <https://w.example/a>\r\nWARC-Date: 2025-03-18T09:00:00Z"
    )
    return head + b"\r\n" + extra + b"Content-Length: %d\r\n\r\n" % len(payload) + payload + b"\r\n\r\n"


def response(body: bytes, headers: bytes = b"", kind: bytes = b"text/html; charset=UTF-8") -> bytes:
    return record(b"response", b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\n" + headers + b"\r\n" + body)


PAGE = b"<html>rain</html>"


@pytest.mark.parametrize("step", STEPS)
def test_a_web_archive_gives_its_pages_and_nothing_else(step: int) -> None:
    archive = (
        record(b"warcinfo", b"software: x\r\n")
        + record(b"request", b"GET / HTTP/1.1\r\n\r\n")
        + response(PAGE)
        + response(b"\x89PNG", kind=b"image/png")
        + response(PAGE).replace(b"200 OK", b"404 No")
        + response(gzip.compress(PAGE), b"Content-Encoding: gzip\r\n")
        + response(b"6\r\n<html>\r\nb\r\nrain</html>\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n")
        + response(PAGE, b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n")
    )
    found = list(taken(archive, "text", step))
    assert [entry.content for entry in found] == [PAGE] * 4
    assert {entry.media_type for entry in found} == {"text/html"}
    assert found[0].context == {"url": "https://w.example/a", "date": "2025-03-18T09:00:00Z", "charset": "utf-8"}
    packed = b"".join(gzip.compress(part) for part in (archive[:300], archive[300:]))
    assert contents(packed, "warc", step) == [PAGE] * 4


@pytest.mark.parametrize(
    ("archive", "kind"),
    [
        (record(b"warcinfo", b"x"), EmptyInput),
        (response(PAGE)[:-10], ArchiveLimit),
        (response(PAGE) + b"garbage\r\n\r\n", ArchiveLimit),
        (response(PAGE) + b"WARC/1.0\r\n" + b"x" * 70_000, ArchiveLimit),
    ],
)
def test_a_web_archive_at_fault_as_a_whole(archive: bytes, kind: type[BadInput]) -> None:
    with pytest.raises(kind):
        list(taken(archive, "warc", 10_000))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("length", [b"0", b"40", b"100", b"1000", b"2000", b"9999999", b"-5", b"many", b"1" * 5000])
def test_a_wrong_length_costs_no_page(length: bytes, step: int) -> None:
    wrong = re.sub(rb"Content-Length: \d+", b"Content-Length: " + length, response(PAGE))
    others = [PAGE.replace(b"rain", b"snow"), PAGE.replace(b"rain", b"hail")]
    archive = response(others[0]) + wrong + record(b"metadata", b"x: y") + response(others[1])
    found = [entry.content.strip() for entry in taken(archive, "warc", step)]
    assert found == [others[0], PAGE, others[1]]


@pytest.mark.parametrize("length", [b"10", b"9999999"])
def test_a_wrong_length_at_the_end_ends_all_the_same(length: bytes) -> None:
    found: list[Entry] = []
    wrong = re.sub(rb"Content-Length: \d+", b"Content-Length: " + length, response(PAGE))
    with pytest.raises(ArchiveLimit):
        found.extend(taken(response(PAGE) + wrong, "warc"))
    # extend() keeps what came before the error.
    assert found[0].content == PAGE


def test_a_page_that_bursts_is_set_aside() -> None:
    bomb = gzip.compress(b"x" * 100_000)
    (entry, other) = taken(response(bomb, b"Content-Encoding: gzip\r\n") + response(PAGE), "warc")
    assert entry.fault
    assert (entry.fault.reason, other.content) == ("too-large", PAGE)


def test_another_package_s_splitter_is_used_and_its_errors_are_the_file_s() -> None:
    def broken(content: bytes) -> Iterator[bytes]:
        yield content[:1]
        raise LookupError(content)

    def run(form: Format) -> Iterator[Entry]:
        parts = iter([b"a%%b"])
        return split(lambda: next(parts, b""), "x", form, LIMITS)

    press = Format(
        "press", "application/x-press", (".press",), "parted by %%", split=lambda content: content.split(b"%%")
    )
    assert [(entry.content, entry.media_type) for entry in run(press)] == [
        (b"a", "application/x-press"),
        (b"b", "application/x-press"),
    ]
    with pytest.raises(BrokenRecord, match="splitter of press failed"):
        list(run(Format("press", "x", (), "", split=broken)))
