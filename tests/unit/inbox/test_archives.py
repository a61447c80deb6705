"""Members of archives are files like others; what is made to burst, to lead out, or to deceive is set aside."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from backports import zstd

from pipeline.errors import ArchiveLimit
from pipeline.formats import promised
from pipeline.inbox import unpack
from pipeline.inbox.feeder import Feeder
from pipeline.inbox.ledger import Ledger
from pipeline.inbox.scan import scan
from pipeline.inbox.splitters import Entry, Limits, split

LIMITS = Limits(article_bytes=1 << 16, file_bytes=1 << 22, kept_bytes=1 << 17, ratio=200)
FILES = {"a.txt": b"one", "in/b.jsonl": b'{"n":1}\n{"n":\n{"n":3}\n', "feed.xml": b"<rss><item>f</item></rss>"}
EXPECTED = [
    ("!/a.txt", 0, b"one", ""),
    ("!/in/b.jsonl", 0, b'{"n":1}', ""),
    ("!/in/b.jsonl", 8, b'{"n":', "parse"),
    ("!/in/b.jsonl", 14, b'{"n":3}', ""),
    ("!/feed.xml", 0, b"<item>f</item>", ""),
]
PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
}


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes], kind: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def entries(content: bytes, name: str, position: int = 0, limits: Limits = LIMITS) -> list[Entry]:
    parts = (content[start : start + 700] for start in range(0, len(content), 700))
    named = promised(name.encode())
    assert named
    return list(split(lambda: next(parts, b""), name, named, limits, position))


def shown(found: Sequence[Entry]) -> list[tuple[str, int, bytes, str]]:
    return [(e.member, e.position, e.content, e.fault.reason if e.fault else "") for e in found]


def reasons(content: bytes, name: str, limits: Limits = LIMITS) -> list[str]:
    return [reason or content.decode() for _, _, content, reason in shown(entries(content, name, 0, limits))]


@pytest.mark.parametrize("end", ["", *PACK])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_members_come_as_files_do_however_they_are_packed(pack: object, end: str) -> None:
    archive = zipped(FILES) if pack is zipped else tarred(FILES)
    content = PACK[end](archive) if end else archive
    found = entries(content, ("x.zip" if pack is zipped else "x.tar") + end)
    assert shown(found) == EXPECTED
    assert [entry.next_position for entry in found] == [1, 2, 3, 4, 5]
    assert [entry.single for entry in found] == [True, False, False, False, False]


@pytest.mark.parametrize("end", PACK)
def test_any_format_may_be_packed_and_streams_follow_one_another(end: str) -> None:
    packed = PACK[end](b'{"n":1}\n') + PACK[end](b'{"n":2}\n')
    assert [entry.content for entry in entries(packed, "x.jsonl" + end)] == [b'{"n":1}', b'{"n":2}']


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_method_of_zip(method: int) -> None:
    assert shown(entries(zipped(FILES, method), "x.zip")) == EXPECTED


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_every_kind_of_tar(kind: int) -> None:
    assert shown(entries(tarred(FILES, kind), "x.tar")) == EXPECTED


def test_content_wins_over_the_name_of_a_packed_file() -> None:
    assert shown(entries(zipped(FILES), "x.txt")) == EXPECTED
    assert shown(entries(b"unpacked by a browser", "x.txt.gz")) == [("", 0, b"unpacked by a browser", "")]


def test_it_goes_on_from_any_position() -> None:
    whole = entries(zipped(FILES), "x.zip")
    for position in range(6):
        assert shown(entries(zipped(FILES), "x.zip", position)) == shown(whole[position:])


def test_archives_in_archives_name_the_whole_way() -> None:
    nested = zipped({"day.tar.gz": gzip.compress(tarred({"a.txt": b"one"})), "b.txt": b"two"})
    assert shown(entries(nested, "x.zip")) == [("!/day.tar.gz!/a.txt", 0, b"one", ""), ("!/b.txt", 0, b"two", "")]


def test_a_name_that_comes_again_has_a_source_of_its_own() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for content in (b"one", b"two"):
            info = tarfile.TarInfo("./a.txt")
            info.size = 3
            archive.addfile(info, io.BytesIO(content))
    found = shown(entries(buffer.getvalue(), "x.tar"))
    assert [(member, content) for member, _, content, _ in found] == [("!/a.txt", b"one"), ("!2/a.txt", b"two")]


def test_folders_and_hidden_members_are_left_alone_and_others_refused() -> None:
    hidden = dict.fromkeys(["in/", ".a.txt", "__MACOSX/a.txt", "b.txt.part", "in/.git/a.txt"], b"")
    files = {**hidden, "photo.jpg": b"\xff\xd8", "a.txt": b"one"}
    assert shown(entries(zipped(files), "x.zip")) == [
        ("!/photo.jpg", 0, b"\xff\xd8", "unknown-format"),
        ("!/a.txt", 0, b"one", ""),
    ]


@pytest.mark.parametrize(
    "name", ["../a.txt", "/etc/a.txt", "in/../../a.txt", "C:/a.txt", "..\\a.txt", "n" * 3000 + ".txt"]
)
def test_a_name_that_leads_out_is_refused_and_the_rest_comes(name: str) -> None:
    found = shown(entries(zipped({name: b"evil", "b.txt": b"good"}), "x.zip"))
    assert [(content, reason) for _, _, content, reason in found] == [(b"evil", "unsafe-name"), (b"good", "")]
    if "\\" not in name and ":" not in name:
        assert reasons(tarred({name: b"evil", "b.txt": b"good"}), "x.tar") == ["unsafe-name", "good"]


def test_odd_names_survive() -> None:
    found = shown(entries(tarred({"a!\n\U0001f40d.txt": b"one", os.fsdecode(b"\xff.txt"): b"two"}), "x.tar"))
    assert [member for member, _, _, _ in found] == ["!/a%21%0A%F0%9F%90%8D.txt", "!/%FF.txt"]


def test_an_encrypted_member_is_refused_and_the_rest_comes() -> None:
    content = bytearray(zipped({"a.txt": b"secret", "b.txt": b"good"}, zipfile.ZIP_STORED))
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    assert reasons(bytes(content), "x.zip") == ["encrypted", "good"]


def test_links_and_devices_in_a_tar_are_refused() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE):
            info = tarfile.TarInfo("a.txt")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        archive.addfile(tarfile.TarInfo("empty.txt"))
    assert reasons(buffer.getvalue(), "x.tar") == ["symlink", "symlink", *["not-regular"] * 3, "empty"]


def test_a_link_in_a_zip_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("a.txt")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert reasons(buffer.getvalue(), "x.zip") == ["symlink"]


def test_a_member_with_a_wrong_checksum_is_refused_and_the_rest_comes() -> None:
    content = zipped({"a.txt": b"one", "b.txt": b"two"}, zipfile.ZIP_STORED).replace(b"one", b"0ne")
    assert reasons(content, "x.zip") == ["archive-limit", "two"]


@pytest.mark.parametrize(
    "name", ["x.zip", "x.tar", "x.tar.gz", "x.jsonl.gz", "x.jsonl.bz2", "x.jsonl.xz", "x.jsonl.zst"]
)
def test_a_file_that_is_cut_short_is_refused_after_what_can_be_had(name: str) -> None:
    # Two thirds of what cannot be packed any smaller.
    lines = b"".join(b'"%s"\n' % os.urandom(500).hex().encode() for _ in range(600))
    files = {"a.jsonl": lines[: len(lines) // 2], "b.jsonl": lines[len(lines) // 2 :]}
    whole = zipped(files) if name == "x.zip" else tarred(files) if "tar" in name else lines
    end = os.path.splitext(name)[1]
    whole = PACK[end](whole) if end in PACK else whole
    content = whole[: len(whole) * 2 // 3]
    parts = (content[start : start + 700] for start in range(0, len(content), 700))
    named = promised(name.encode())
    assert named
    found: list[Entry] = []
    with pytest.raises(ArchiveLimit, match=r"cut short|no valid"):
        found.extend(split(lambda: next(parts, b""), name, named, LIMITS))
    # A zip's list of members stands at its end, and bzip2 and xz pack a large block at a time.
    assert len(found) > 300 or name in ("x.zip", "x.jsonl.bz2", "x.jsonl.xz")


@pytest.mark.parametrize("name", ["x.jsonl.gz", "x.jsonl.bz2", "x.jsonl.xz", "x.jsonl.zst", "x.zip", "x.tar.gz"])
def test_a_bomb_is_stopped_before_it_bursts(name: str) -> None:
    blank = b" " * 20_000_000
    if name == "x.zip":
        content = zipped({"a.jsonl": blank})
    else:
        content = PACK[os.path.splitext(name)[1]](tarred({"a.jsonl": blank}) if "tar" in name else blank)
    with pytest.raises(ArchiveLimit, match="200 times"):
        entries(content, name)


def test_a_bomb_of_many_members_stops_all_of_them() -> None:
    content = zipped({f"{number}.jsonl": b" " * 500_000 for number in range(40)})
    with pytest.raises(ArchiveLimit, match="200 times"):
        entries(content, "x.zip")


def test_there_is_a_cap_on_size_alone() -> None:
    with pytest.raises(ArchiveLimit, match="max_unpacked_bytes"):
        entries(gzip.compress(os.urandom(3000)), "x.jsonl.gz", limits=replace(LIMITS, unpacked_bytes=2000))


def test_there_is_a_cap_on_depth_and_the_rest_comes() -> None:
    deep = b"one"
    for _ in range(6):
        deep = zipped({"a.zip": deep} if deep != b"one" else {"a.txt": deep})
    assert reasons(zipped({"a.zip": deep, "b.txt": b"good"}), "x.zip") == ["archive-limit", "good"]


def test_there_is_a_cap_on_members() -> None:
    budget = unpack.Budget("x", LIMITS)
    for _ in range(100_000):
        budget.take_member()
    with pytest.raises(ArchiveLimit, match="100000 members"):
        budget.take_member()


def test_a_zip_that_lists_too_much_is_refused_before_it_is_read() -> None:
    content = bytearray(zipped(FILES))
    struct.pack_into("<L", content, content.rindex(b"PK\5\6") + 12, 1 << 30)
    with pytest.raises(ArchiveLimit, match="too many members"):
        entries(bytes(content), "x.zip")


def test_a_tar_header_without_an_end_is_refused() -> None:
    info = tarfile.TarInfo("a.txt")
    info.type, info.size = tarfile.XHDTYPE, 3_000_000
    with pytest.raises(ArchiveLimit, match="tar header"):
        entries(info.tobuf() + b"x" * 3_000_000, "x.tar", limits=replace(LIMITS, ratio=10**6))


def test_a_million_tiny_streams_cost_no_more_than_one() -> None:
    limits = replace(LIMITS, article_bytes=1 << 22, kept_bytes=1 << 22)
    (entry,) = entries(gzip.compress(b"1") * 50_000, "x.jsonl.gz", limits=limits)
    assert len(entry.content) == 50_000


def test_a_zip_in_the_inbox_is_read_in_place_and_goes_on_after_a_crash(tmp_path: Path) -> None:
    body = b"%s" % os.urandom(30_000).hex().encode()
    (tmp_path / "day.zip").write_bytes(zipped({f"{number}.txt": body + b"%d" % number for number in range(200)}))
    ledger, found = Ledger("in"), []
    while True:
        feeder = Feeder(os.fsencode(tmp_path), "in", ledger, LIMITS)
        for look in scan(os.fsencode(tmp_path)):
            if not ledger.settled(look):
                feeder.add(look)
        run = feeder.fill("2025-03-18T09:00:00.000Z")
        feeder.close()
        if not run.ledger:
            break
        found += run.raw
        for look, known in run.ledger:
            ledger.put(look.path, known)
    assert [raw.source for raw in found] == [f"day.zip!/{number}.txt" for number in range(200)]
    assert len({raw.id for raw in found}) == 200
