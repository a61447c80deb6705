"""What is fuzzed: every parser, every splitter, every packing, each with what must hold and with samples to begin with.

Only errors of our own tree may come out. Of a splitter more is asked, since "nothing lost, nothing twice" rests on it:
the same entries however the bytes arrive, and from any position on exactly the rest.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from backports import zstd

from pipeline.errors import BadInput
from pipeline.formats import FORMATS, PACKINGS, Format
from pipeline.inbox.splitters import Entry, Limits, Read, format_found, split
from pipeline.records import RawArticle
from pipeline.stages.normalise import PARSERS, normalise

ROOT = Path(__file__).parents[2]
FOLDERS = ("seeds", "tests/golden/normalise")
RECEIVED = "2025-03-19T08:00:00.000Z"
LIMITS = Limits(article_bytes=4_000, file_bytes=1 << 20, kept_bytes=6_000, ratio=200, unpacked_bytes=1 << 22)
BY_SLUG = {form.slug: form for form in FORMATS}
_SAID = {"charset": "utf-8", "xmlns": 'xmlns:dc="http://purl.org/dc/elements/1.1/"', "language": "en"}
_PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd.compress,
}  # fmt: skip

Outcome = tuple[object, ...]


@dataclass(frozen=True)
class Target:
    """One thing to fuzz."""

    check: Callable[[bytes], None]
    """Raises whatever must not come out."""
    samples: Callable[[], Iterator[bytes]]


def check_parser(media_type: str, content: bytes) -> None:
    """An Article or BadInput, nothing else."""
    raw = RawArticle("0" * 32, "a", 0, media_type, RECEIVED, "", content, context=_SAID if len(content) % 2 else {})
    with suppress(BadInput):
        normalise(raw)


def check_splitter(form: Format, content: bytes) -> None:
    """Entries or BadInput; the same in small bites, and from the middle on the rest."""
    whole = outcomes(content, form, len(content) or 1)
    bite = 1 + sum(content[:8]) % 997
    assert outcomes(content, form, bite) == whole, f"in bites of {bite} bytes other entries come"
    entries = [outcome for outcome in whole if len(outcome) > 1]
    if entries:
        middle = len(entries) // 2
        position = entries[middle][2]
        assert isinstance(position, int)
        # A fault of the whole file comes again, at its end.
        assert position <= 0 or outcomes(content, form, bite, position) == whole[middle + 1 :], f"from {position} on"


def check_packing(content: bytes) -> None:
    """As a splitter of JSON Lines; but how much comes out of a broken stream before its fault may differ by bite."""
    form = BY_SLUG["jsonl"]
    whole = outcomes(content, form, len(content) or 1)
    if whole and len(whole[-1]) == 1:
        bitten = outcomes(content, form, 1 + sum(content[:8]) % 997)
        assert bitten[-1:] == whole[-1:], "in bites it has another fault"
        assert all(one == other for one, other in zip(bitten[:-1], whole[:-1], strict=False)), "in bites others come"
    else:
        check_splitter(form, content)


def outcomes(content: bytes, form: Format, bite: int, position: int = 0) -> list[Outcome]:
    """Every entry, then perhaps the reason for which the file as a whole was at fault."""
    found: list[Outcome] = []
    try:
        found.extend(map(_outcome, split(reader(content, bite), "x", form, LIMITS, position)))
    except BadInput as fault:
        found.append((fault.reason,))
    return found


def _outcome(entry: Entry) -> Outcome:
    return (*entry._replace(fault=None, context=None), entry.fault and entry.fault.reason, dict(entry.context or {}))


def reader(content: bytes, bite: int) -> Read:
    """`content`, so many bytes at a time."""
    parts = (content[start : start + bite] for start in range(0, len(content), bite))
    return lambda: next(parts, b"")


def files() -> Iterator[tuple[Format, bytes]]:
    """Our samples, unpacked, and what each of them is."""
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()):
        content = path.read_bytes()
        for pack, unpack in ((".gz", gzip.decompress), (".xz", lzma.decompress), (".zst", zstd.decompress)):
            content = unpack(content) if path.suffix == pack else content
        named = _BY_EXTENSION.get(path.name.removesuffix(".gz").rpartition(".")[2])
        if named:
            yield format_found(reader(content, 1 << 20), path.name, named, LIMITS), content


_BY_EXTENSION = {extension[1:]: form for form in FORMATS for extension in form.extensions}


def articles(media_type: str) -> Iterator[bytes]:
    """Samples of one article of this media type."""
    for form, content in files():
        with suppress(BadInput):
            for entry in split(reader(content, 1 << 20), "x", form, Limits(1 << 20, 1 << 20, 1 << 20, 200)):
                if _same_parser(entry.media_type, media_type):
                    yield entry.content


def _same_parser(one: str, other: str) -> bool:
    return one in PARSERS and PARSERS[one] == PARSERS[other]


def whole_files(form: Format) -> Iterator[bytes]:
    """Samples of files of this format; archives are made, small enough to be changed with effect."""
    yield from (content for found, content in files() if found is form)
    if form.slug in ("zip", "tar"):
        yield _zip() if form.slug == "zip" else _tar()
    if form.slug == "mbox":
        yield b"From a@b Tue Mar 18 09:00:00 2025\nSubject: x\n\none\n\nFrom b@c Tue Mar 18 09:00:00 2025\n\ntwo\n"


MEMBERS = {"a.txt": b"Rain fell.", "b/c.jsonl": b'{"body": "one"}\n{"body": 2}\n', "d.txt.gz": gzip.compress(b"Rain.")}


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in MEMBERS.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in MEMBERS.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def packed(packing: str) -> Iterator[bytes]:
    """Some lines in this packing, once and as two streams in a row."""
    pack = _PACK[packing]
    yield pack(MEMBERS["b/c.jsonl"])
    yield pack(b'{"body": "one"}\n') + pack(b'{"body": 2}\n')


_ONE_EACH = {slug: media_type for media_type, (slug, _) in reversed(PARSERS.items())}
# Of what is one article a file, these stand for all; what the bytes are, their content says anyway.
_SPLIT = [form for form in FORMATS if form.slug not in ("html", "nitf", "eml", "markdown")]

TARGETS: dict[str, Target] = {
    **{
        f"parse {slug}": Target(partial(check_parser, media_type), partial(articles, media_type))
        for slug, media_type in _ONE_EACH.items()
    },
    **{f"split {form.slug}": Target(partial(check_splitter, form), partial(whole_files, form)) for form in _SPLIT},
    **{
        f"unpack {packing}": Target(check_packing, partial(packed, packing))
        for packing in PACKINGS
    },
}  # fmt: skip
"""By name, as `make fuzz` prints them."""
