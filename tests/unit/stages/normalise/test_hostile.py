"""What must not get through, nor bring a parser down: each with the outcome that it has, and all in linear time."""

from __future__ import annotations

import json
import socket

import pytest

from pipeline.errors import BadInput, BrokenRecord, EmptyInput, NoArticle
from pipeline.records import Article, RawArticle
from pipeline.stages.normalise import PARSERS, normalise

TEXT = "The dam held through the night, and nobody in the valley below had to leave their home."
SCRIPT = "<script>alert('x')</script>"
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "boom boom boom"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">'
    '<!ENTITY f SYSTEM "file:///etc/passwd"><!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]>'
)
# One article of each format that marks up its text, with a place for hostile words in every field.
MARKED = {
    "text/html": "{0}<html><head><title>{1}</title></head><body><article><p>{2}</p><p>{1}</p></article></body></html>",
    "application/rss+xml": "{0}<item><title>{1}</title><author>{1}</author><description>{2} {1}</description></item>",
    "application/atom+xml": "{0}<entry><title>{1}</title><author><name>{1}</name></author>"
    "<content>{2} {1}</content></entry>",
    "application/nitf+xml": "{0}<nitf><body><body.head><hedline><hl1>{1}</hl1></hedline></body.head><body.content>"
    "<p>{2}</p><p>{1}</p></body.content></body></nitf>",
    "application/vnd.iptc.g2.newsitem+xml": "{0}<newsItem><contentMeta><headline>{1}</headline><by>{1}</by>"
    "</contentMeta><contentSet><inlineXML><p>{2}</p><p>{1}</p></inlineXML></contentSet></newsItem>",
    "application/vnd.iptc.newsml+xml": "{0}<NewsItem><NewsComponent><NewsLines><HeadLine>{1}</HeadLine></NewsLines>"
    "<ContentItem><DataContent><p>{2}</p><p>{1}</p></DataContent></ContentItem></NewsComponent></NewsItem>",
}  # fmt: skip


def article(content: bytes | str, media_type: str) -> Article:
    content = content if isinstance(content, bytes) else content.encode()
    return normalise(RawArticle("0" * 32, "a", 0, media_type, "2025-03-19T08:00:00.000Z", "", content))


def every_word(found: Article) -> str:
    return " ".join([found.headline, found.body, *found.byline, found.publisher or "", found.copyright or ""])


@pytest.mark.parametrize("media_type", MARKED)
def test_no_entity_is_resolved_and_nothing_is_fetched(media_type: str) -> None:
    bomb = BOMB.replace("DOCTYPE x", "DOCTYPE html") if media_type == "text/html" else BOMB
    found = article(MARKED[media_type].format(bomb, "Dam &c; holds &f;", TEXT), media_type)
    assert "boom" not in every_word(found)
    assert "root:" not in every_word(found)
    assert TEXT in found.body


@pytest.mark.parametrize("media_type", MARKED)
def test_no_parser_touches_the_network(media_type: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        here = f"http://127.0.0.1:{server.getsockname()[1]}"
        asks = (
            f'<?xml-stylesheet href="{here}/a.xsl"?><!DOCTYPE html PUBLIC "-//a" "{here}/a.dtd" [<!ENTITY % p SYSTEM '
            f'"{here}/p.dtd"> %p;<!ENTITY f SYSTEM "{here}/f">]>'
        )
        words = (
            f'<img src="{here}/i.png"/><iframe src="{here}/f"></iframe><link rel="stylesheet" href="{here}/s.css"/>'
            f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{here}/x"/><a href="{here}/">Dam</a> &f;'
        )
        assert TEXT in article(MARKED[media_type].format(asks, words, TEXT), media_type).body
        # Whoever had knocked would wait here.
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("media_type", MARKED)
def test_a_script_in_every_field_leaves_no_tag(media_type: str) -> None:
    for words in (SCRIPT, SCRIPT.replace("<", "&lt;"), f"<![CDATA[{SCRIPT}]]>"):
        found = article(MARKED[media_type].format("", f"Dam holds {words}", TEXT), media_type)
        assert TEXT in found.body
        assert "<script" not in " ".join([found.headline, *found.byline])
        # A body may talk about a script, where its format says that this is what its signs stand for.
        assert "<script" not in found.body or words != SCRIPT


PLAIN = {
    "application/json": '{{"headline": "{0}", "author": "{0}", "publisher": "{0}", "dateline": "{0}", "version": "{0}",'
    ' "copyright": "{0}", "url": "https://a.example/{0}", "language": "{0}", "body": "{1}"}}',
    "text/csv": 'title,author,source,copyright,body\n"{0}","{0}","{0}","{0}","{1}"\n',
    "text/markdown": "---\ntitle: {0}\nauthor: {0}\ncopyright: {0}\n---\n\n{1}\n",
    "text/plain": "Title: {0}\nAuthor: {0}\nCopyright: {0}\n\n{1}\n",
    "message/rfc822": "From: {0} <a@b.example>\nSubject: {0}\nOrganization: {0}\n\n{1}\n",
}


@pytest.mark.parametrize("media_type", PLAIN)
def test_a_script_in_every_stated_fact_leaves_no_tag(media_type: str) -> None:
    for words in (SCRIPT, "<img src=x onerror=alert(1)>", "Dam <b>holds</b><script>x</script>"):
        found = article(PLAIN[media_type].format(words, TEXT), media_type)
        facts = [found.headline, *found.byline, found.publisher, found.place, found.copyright, found.version, found.url]
        assert not any("<" in fact for fact in facts if fact)
        assert found.body == TEXT


@pytest.mark.parametrize(
    ("media_type", "tag"),
    [
        ("text/html", "<div>"),
        ("text/html", "<b>"),
        ("application/nitf+xml", "<p>"),
        ("application/rss+xml", "<b>"),
        ("text/csv", '"'),
    ],
)
def test_ten_megabytes_of_nesting_end(media_type: str, tag: str) -> None:
    content = MARKED.get(media_type, "{1}\n\n{2}\n").format("", "Dam holds", TEXT + tag * (10_000_000 // len(tag)))
    try:
        assert TEXT in article(content, media_type).body
    except BadInput as error:
        assert error.reason in ("no-article", "parse", "too-large")  # noqa: PT017 (one of two good outcomes)


@pytest.mark.parametrize("media_type", sorted(MARKED.keys() - {"text/html"}))
def test_a_document_that_breaks_off_is_read_as_far_as_it_goes(media_type: str) -> None:
    whole = MARKED[media_type].format("", "Dam & valley", TEXT)
    found = article(whole[: whole.index(TEXT) + len(TEXT)], media_type)
    assert TEXT in found.body
    assert found.headline == "Dam & valley"
    assert "xml-recovered" in found.warnings


@pytest.mark.parametrize("media_type", MARKED)
def test_nesting_without_end_ends(media_type: str) -> None:
    for tag in ("<p>", "<div>", "<a>", "<![CDATA[", "<!--", "<!DOCTYPE [", "&", "<b x='"):
        content = MARKED[media_type].format("", "Dam holds", TEXT + tag * 10_000)
        try:
            assert TEXT in article(content, media_type).body
        except BadInput as error:
            assert error.reason in ("no-article", "parse", "too-large")  # noqa: PT017 (one of two good outcomes)


@pytest.mark.parametrize("media_type", sorted(PARSERS))
@pytest.mark.parametrize("content", [b"", b" \r\n\t", b"\xef\xbb\xbf"])
def test_nothing_is_empty(media_type: str, content: bytes) -> None:
    with pytest.raises((EmptyInput, BrokenRecord, NoArticle)):
        article(content, media_type)


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/feed+json", "text/csv", "text/markdown", "text/plain"]
)
@pytest.mark.parametrize(
    "sign", ["[", '{"a":', "> ", "- ", "*", "_", "`", "![", "((", '","', "---\n", "a: b\n", "\\", "&lt;", "<"]
)
def test_repeated_signs_take_no_time_to_speak_of(media_type: str, sign: str) -> None:
    try:
        article(sign * 20_000, media_type)
    except BadInput as error:
        assert str(error)  # noqa: PT017 (what counts is that it ends)


def test_deep_json_is_rejected_with_its_reason() -> None:
    deep = b'{"headline": "Dam", "body": ' + b"[" * 100_000 + b'"x"' + b"]" * 100_000 + b"}"
    with pytest.raises(BrokenRecord, match="nested too deeply"):
        article(deep, "application/json")


def test_of_duplicate_keys_the_last_one_counts() -> None:
    found = article('{"body": "One.", "headline": "First", "headline": "Second", "body": "Two."}', "application/json")
    assert (found.headline, found.body) == ("Second", "Two.")


def test_invalid_utf8_and_nul_bytes_are_mended_and_said() -> None:
    damaged = article(
        ("Der Damm hält, sagt man über das Tal, schöne Grüße. " * 5).encode() + b"\xff Ende.", "text/plain"
    )
    assert damaged.warnings == ("charset-damaged",)
    assert "�" in damaged.body
    assert article(b"The dam\0 held.", "text/plain").warnings == ("nul-removed",)
    assert article(TEXT.encode("utf-16-le"), "text/plain").body == TEXT


@pytest.mark.parametrize("year", ["1637", "2099"])
def test_a_date_that_cannot_be_true_is_left_out_and_said(year: str) -> None:
    found = article(json.dumps({"body": TEXT, "date": f"{year}-07-20T10:00:00Z"}), "application/json")
    assert (found.published, found.warnings) == (None, ("date-implausible",))


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/nitf+xml", "<nitf><body><body.content><media/></body.content></body></nitf>"),
        ("application/vnd.iptc.g2.newsitem+xml", "<newsItem><contentSet><remoteContent/></contentSet></newsItem>"),
        ("application/vnd.iptc.g2.newsitem+xml", "<conceptItem><concept/></conceptItem>"),
        ("application/vnd.iptc.newsml+xml", "<NewsItem><NewsComponent/></NewsItem>"),
        ("application/rss+xml", "<item><title>Only a title</title></item>"),
        (
            "message/rfc822",
            "Subject: Picture\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=",
        ),
        ("text/csv", "title,url\nDam,https://a.example/"),
        ("text/markdown", "# Only a heading\n"),
    ],
)
def test_what_holds_no_text_is_no_article(media_type: str, content: str) -> None:
    with pytest.raises(NoArticle, match=r"; \w+"):
        article(content, media_type)


def test_a_csv_without_a_row_is_broken() -> None:
    with pytest.raises(BrokenRecord, match="give every row a header"):
        article("title,body\n", "text/csv")
