"""What does not belong in an inbox is set aside with its reason, once, and everything else comes."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.errors import TooLarge
from pipeline.formats import FORMATS
from pipeline.inbox.feeder import Feeder
from pipeline.inbox.folder import survey
from pipeline.inbox.ledger import Ledger
from pipeline.inbox.scan import look_at, scan
from pipeline.inbox.splitters import Limits, split
from pipeline.inbox.taking import Run

LIMITS = Limits(article_bytes=1 << 20, file_bytes=8 << 20, kept_bytes=1 << 20, ratio=200)


def taken(root: Path) -> Run:
    feeder = Feeder(os.fsencode(root), "in", Ledger("in"), LIMITS)
    for look in sorted(scan(os.fsencode(root))):
        feeder.add(look)
    return feeder.fill("2025-03-18T09:00:00.000Z")


def test_each_kind_of_what_is_no_file_has_its_reason_and_the_rest_comes(tmp_path: Path) -> None:
    root = tmp_path / "in"
    root.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (root / "out.txt").symlink_to("../secret.txt")
    (root / "up.txt").symlink_to("..")
    os.mkfifo(root / "pipe.txt")
    (root / "empty.txt").touch()
    (root / "big.txt").write_bytes(b"x" * (LIMITS.article_bytes + 1))
    (root / "good.txt").write_text("good")
    here = os.open(root, os.O_RDONLY)
    listener = socket.socket(socket.AF_UNIX)
    try:
        # The whole path would be too long for a socket's address.
        listener.bind(f"/proc/self/fd/{here}/socket.txt")
        run = taken(root)
    finally:
        listener.close()
        os.close(here)
    assert {bad.source: bad.reason for bad in run.rejected} == {
        "big.txt": "too-large",
        "empty.txt": "empty",
        "out.txt": "symlink",
        "pipe.txt": "not-regular",
        "socket.txt": "not-regular",
        "up.txt": "symlink",
    }
    assert [raw.content for raw in run.raw] == [b"good"]
    assert not any(b"secret" in bad.content for bad in run.rejected)


def test_a_hard_link_is_a_file_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    os.link(tmp_path / "a.txt", tmp_path / "b.txt")
    assert [raw.source for raw in taken(tmp_path).raw] == ["a.txt", "b.txt"]


NAMES = [b"new\nline.txt", "\U0001f40d.txt".encode(), b"\xff\xfe.txt", b"n" * 251 + b".txt", b"a!b%21.txt", b" .txt"]


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_survive(tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).write_text("one")
    (raw,) = taken(tmp_path).raw
    assert raw.source.isascii()
    assert raw.source.isprintable()
    assert "!" not in raw.source


def test_a_binary_and_a_text_without_a_mark_go_on_as_found(tmp_path: Path) -> None:
    contents = {"a.txt": bytes(range(256)), "b.txt": "rain".encode("utf-16-le"), "c.txt": b"\0\xc3\x28\0"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    # What text is, `normalise` judges.
    assert {raw.source: raw.content for raw in taken(tmp_path).raw} == contents


@pytest.mark.parametrize("slug", ["text", "html", "markdown", "nitf", "eml"])
def test_200_megabytes_on_one_line_are_refused_when_an_article_s_worth_is_read(slug: str) -> None:
    reads = 0

    def read() -> bytes:
        nonlocal reads
        reads += 1
        return b"x" * (1 << 20) if reads <= 200 else b""

    form = next(form for form in FORMATS if form.slug == slug)
    with pytest.raises(TooLarge):
        list(split(read, "x", form, LIMITS))
    assert reads < 4


@pytest.mark.parametrize("slug", ["jsonl", "csv", "rss", "mbox"])
def test_200_megabytes_on_one_line_are_passed_over_in_bounded_memory(slug: str) -> None:
    begin = {
        "rss": b"<rss><channel><item>",
        "csv": b"a,b\n",
        "jsonl": b"",
        "mbox": b"From a Mon 09:00 2025\nSubject: x\n\n",
    }
    end = {"rss": b"</item><item>1</item></channel></rss>", "csv": b"\n1,2\n", "jsonl": b"\n1\n"}
    end["mbox"] = b"\n\nFrom b Mon 09:00 2025\nSubject: y\n\nrain\n"
    parts: Iterator[bytes] = iter([begin[slug], *[b"x" * (1 << 20)] * 200, end[slug]])
    form = next(form for form in FORMATS if form.slug == slug)
    first, second = split(lambda: next(parts, b""), "x", form, LIMITS)
    assert first.fault
    assert (first.fault.reason, len(first.content)) == ("too-large", LIMITS.kept_bytes)
    assert second.fault is None


def test_what_no_event_told_of_is_found_by_the_scan(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.txt").write_text("one")
    ledger = Ledger("in")
    # Events told of one file only; the look at what they name finds that one, the full look finds all.
    assert len(survey(os.fsencode(tmp_path), ledger, {b"7.txt"}, False).files) == 1
    assert len(survey(os.fsencode(tmp_path), ledger, None, False).files) == 300


@pytest.mark.parametrize("device", [b"null", b"zero"])
def test_a_device_is_never_read(device: bytes) -> None:
    # Real devices, in the folder where every system has them: making one elsewhere takes rights that tests lack.
    (look,) = look_at(b"/dev", device)
    feeder = Feeder(b"/dev", "in", Ledger("in"), LIMITS)
    feeder.add(look)
    (bad,) = feeder.fill("2025-03-18T09:00:00.000Z").rejected
    assert (look.kind, bad.reason, bad.content) == ("special", "not-regular", b"")


def test_what_we_may_not_read_is_rejected_and_the_rest_comes(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "secret.txt").chmod(0)
    (tmp_path / "good.txt").write_text("good")
    with nobody_special(tmp_path):
        run = taken(tmp_path)
    assert [(bad.source, bad.reason, bad.content) for bad in run.rejected] == [("secret.txt", "unreadable", b"")]
    assert [raw.content for raw in run.raw] == [b"good"]


@contextmanager
def nobody_special(folder: Path) -> Iterator[None]:
    """Without root's right to read whatever it likes, but with a way to `folder`, which pytest makes for root alone."""
    if os.geteuid():
        yield
        return
    modes = {parent: parent.stat().st_mode for parent in (folder, *folder.parents) if not parent.stat().st_mode & 1}
    for parent in modes:
        parent.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for parent, mode in modes.items():
            parent.chmod(mode)
