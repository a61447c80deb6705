"""What a name promises and what content is, and that the content wins."""

from __future__ import annotations

import codecs
import io
import tarfile
import zipfile
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from pipeline.formats import FORMATS, HEAD_BYTES, Format, packing, promised, recognised

BY_SLUG = {form.slug: form for form in FORMATS}


def tar(form: int = tarfile.DEFAULT_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    return buffer.getvalue()


def zipped() -> bytes:
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        (b"a/b.txt", "text"),
        (b"B.HTM", "html"),
        (b"b.html.gz", "html"),
        (b"b.ndjson.GZ", "jsonl"),
        (b"caf\xe9.json", "json"),
        (b"notes.md", "markdown"),
        (b"wire.jsonl.zst", "jsonl"),
        (b"pages.warc.gz", "warc"),
        (b"day.tar.bz2", "tar"),
        (b"day.tgz", "tar"),
        (b"story.2025.xml", "xml"),
        (b"txt", ""),
        (b".txt", ""),
        (b"archive.gz", ""),
        (b"photo.jpg", ""),
        (b"news/README.md", ""),
    ],
)
def test_a_name_promises_a_format(path: bytes, slug: str) -> None:
    found = promised(path)
    assert (found.slug if found else "") == slug


RSS = b'<rss version="2.0"><channel>'


@pytest.mark.parametrize(
    ("head", "slug"),
    [
        (RSS, "rss"),
        (codecs.BOM_UTF8 + b'<?xml version="1.0"?>\n<!-- <feed> -->\n' + RSS, "rss"),
        (codecs.BOM_UTF16_LE + RSS.decode().encode("utf-16-le"), "rss"),
        (RSS.decode().encode("utf-16-be"), "rss"),
        (b'<rdf:RDF xmlns="http://purl.org/rss/1.0/">', "rdf"),
        (b'<!DOCTYPE feed [<!ENTITY a "b">]><a:feed xmlns:a="http://www.w3.org/2005/Atom">', "atom"),
        (b'<!DOCTYPE nitf SYSTEM "nitf-3-2.dtd">\n<nitf>', "nitf"),
        (b'<newsItem guid="x">', "newsml-g2"),
        (b"<newsMessage>", "newsml-g2"),
        (b"<NewsML Version='1.2'>", "newsml"),
        (b"<!doctype html>", "html"),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x"><html>', "html"),
        (b"<html lang=en>", "html"),
        (b'{"title": "x", "version": "https:\\/\\/jsonfeed.org\\/version\\/1.1"', "jsonfeed"),
        (b' [\n {"headline": 1', "json"),
        (b"From a@example.org Tue Mar 18 09:00:00 2025\nSubject: Rain\n", "mbox"),
        (b"From - Tue, 18 Mar 2025 09:00:00 +0100\r\nSubject: Rain\r\n", "mbox"),
        (b"Received: from mail.example.org\nSubject: Rain\n", "eml"),
        (b"WARC/1.0\r\nWARC-Type: warcinfo\r\n", "warc"),
        (zipped(), "zip"),
        (tar(), "tar"),
        (tar(tarfile.GNU_FORMAT), "tar"),
    ],
)
def test_content_wins_over_the_name(head: bytes, slug: str) -> None:
    for named in ("text", "html", "xml", "json"):
        assert recognised(head, BY_SLUG[named]).slug == slug


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"Rain fell.", "text"),
        (b"From Paris, 10:30: rain fell.", "text"),
        (b"From our man in Kyiv, 10:30 GMT\nKYIV: The port is shut.", "text"),
        # The mark of a tar stands there, and ends "mustard" and "ajustar" as well.
        (b"x" * 256 + b"mustard", "text"),
        (b"x" * 255 + b"ajustar  el presupuesto", "text"),
        (b"Title: Rain\nDate: 2025-03-18\n\nIt fell.", "text"),
        (b"{ so they said } and it rained", "text"),
        (b"<p>Rain fell.</p>", "text"),
        (b"<p>Rain fell.</p>", "html"),
        (b"<story>Rain</story>", "xml"),
        (b'{"headline": 1}\n{"headline": 2}\n', "jsonl"),
        (b'title,body\n"a","b"\n', "csv"),
        (b"", "text"),
        (b"\0", "text"),
        (b"\xff\xfe", "text"),
    ],
)
def test_where_the_content_says_nothing_the_name_decides(head: bytes, named: str) -> None:
    assert recognised(head, BY_SLUG[named]).slug == named


def test_a_pretty_file_is_no_file_of_lines() -> None:
    assert recognised(b'{\n  "headline": "Rain"\n}\n', BY_SLUG["jsonl"]).slug == "json"


@pytest.mark.parametrize(
    "unit", [b"<!---->", b"<?a?>", b"]", b"<!DOCTYPE [", b"<!doctype", b'{"version"', b"{", b"[ ", b" ", b"From 1:"]
)
def test_no_head_takes_long_to_recognise(unit: bytes) -> None:
    # Backtracking over these would take hours; that this ends is the test.
    for start in (b"", b"<!DOCTYPE a [", b"<!--", b"{", b"From "):
        recognised((start + unit * HEAD_BYTES)[:HEAD_BYTES], BY_SLUG["xml"])


@pytest.mark.parametrize(
    ("head", "name"), [(b"\x1f\x8b\x08", "gzip"), (b"BZh9", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"(\xb5/\xfd", "zstd")]
)
def test_packed_bytes_are_known_by_their_mark(head: bytes, name: str) -> None:
    assert packing(head) == name
    assert packing(b" " + head) is None


def test_every_row_has_a_name_of_its_own_and_every_extension_one_row() -> None:
    extensions = [extension for form in FORMATS for extension in form.extensions]
    assert len(set(extensions)) == len(extensions)
    assert len({form.slug for form in FORMATS}) == len(FORMATS)


def test_an_entry_point_of_another_package_is_loaded_as_a_format() -> None:
    point = EntryPoint("words", "tests.unit.test_formats:WORDS", "copydesk.formats")
    (found,) = EntryPoints([point]).select(group="copydesk.formats")
    assert found.load() is WORDS


WORDS = Format("words", "application/x-words", (".words",), "an article a line", split=bytes.splitlines)
