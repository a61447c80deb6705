"""zip and tar: every member as if it were a file, nothing ever written to disk.

A member's source is `ARCHIVE!/MEMBER`, its position that in the member, so its id is the same however the archive
is packed anew; a name that comes again is `ARCHIVE!2/MEMBER`. The ledger knows the archive alone and counts entries.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple, cast

from pipeline.errors import ArchiveLimit, BadInput, Encrypted, NotRegular, SymlinkRefused, UnsafeName
from pipeline.inbox.entries import Read
from pipeline.inbox.unpack import Budget
from pipeline.records import source_name

_CHUNK_BYTES = 1 << 18
_LONGEST_NAME = 2_048
# Of a zip's list of members; it is read as a whole.
_MOST_LIST_BYTES = 1 << 25
# Between two members of a tar stand a few blocks, with the longest names some more.
_MOST_HEADER_BYTES = 1 << 20
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error, EOFError, ValueError, IndexError, KeyError,
    OverflowError, NotImplementedError, RuntimeError, TypeError,
)  # fmt: skip


class Member(NamedTuple):
    """One member: how to read it, or why not."""

    name: bytes
    read: Read
    fault: BadInput | None = None

    @property
    def shown(self) -> str:
        """Its name, percent-encoded, not too long for a header."""
        return source_name(self.name[:_LONGEST_NAME])


class Names:
    """Tells apart the members of one archive that have the same name."""

    def __init__(self) -> None:
        self._seen: Counter[int] = Counter()

    def place(self, member: Member) -> str:
        """What stands behind the archive's source: `!/NAME`, for the second of that name `!2/NAME`."""
        # Hashes, as names may be long and many; two names under one hash get two numbers, which does no harm.
        key = hash(member.name)
        self._seen[key] += 1
        again = self._seen[key]
        return f"!{again if again > 1 else ''}/{member.shown}"


def zip_members(file: IO[bytes], name: str, budget: Budget) -> Iterator[Member]:
    """The members of the zip `file`, which can be searched. Raises ArchiveLimit where it is none."""
    _check_list(file, name)
    with _said(name), zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                member = info.orig_filename.replace("\\", "/")
                raw = member.encode("utf-8" if info.flag_bits & 0x800 else "cp437", "replace")
                yield _checked(raw, _zip_reader(archive, info, name, budget), _zip_fault(info, name))


def tar_members(read: Read, name: str) -> Iterator[Member]:
    """The members of the tar that `read` gives. Raises ArchiveLimit where it is none, or cut short."""
    stream = _Stream(read, name)
    with _said(name), tarfile.open(fileobj=cast(Any, stream), mode="r|", errorlevel=0) as archive:
        while True:
            stream.headers_only = True
            info = archive.next()
            # It keeps every member it has met, otherwise.
            archive.members = []  # type: ignore[attr-defined]
            if info is None:
                stream.check_end()
                return
            if info.isdir():
                continue
            stream.headers_only = False
            fault = _tar_fault(info, name)
            source = None if fault else archive.extractfile(info)
            member = _checked(info.name.encode("utf-8", "surrogateescape"), _reader(source, name), fault)
            yield member
            while source and source.read(_CHUNK_BYTES):
                pass


def _checked(name: bytes, read: Read, fault: BadInput | None) -> Member:
    parts = name.split(b"/")
    clean = b"/".join(part for part in parts if part not in (b"", b"."))
    unsafe = name.startswith(b"/") or b".." in parts or b"\0" in name or re.match(rb"[A-Za-z]:", name) or not clean
    if unsafe or len(name) > _LONGEST_NAME:
        shown = source_name(name[:200])
        return Member(name, read, UnsafeName(f"a member is named {shown}, which leads out of its archive; rename it"))
    return Member(clean, read, fault)


def _zip_fault(info: zipfile.ZipInfo, name: str) -> BadInput | None:
    if info.flag_bits & 1:
        return Encrypted(f"{name}: {info.filename!r} asks for a password; pack the archive without one")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return SymlinkRefused(f"{name}: {info.filename!r} is a symbolic link; pack the file itself")
    return None


def _tar_fault(info: tarfile.TarInfo, name: str) -> BadInput | None:
    if info.issym() or info.islnk():
        return SymlinkRefused(f"{name}: {info.name!r} is a link; pack the file itself")
    if not info.isreg() or info.issparse():
        return NotRegular(f"{name}: {info.name!r} is no regular file; only regular files are read")
    return None


def _zip_reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, budget: Budget) -> Read:
    opened: list[IO[bytes]] = []

    def read() -> bytes:
        if info.flag_bits & 1:
            return b""
        with _said(name):
            if not opened:
                opened.append(archive.open(info))
            chunk = opened[0].read(_CHUNK_BYTES)
        budget.take(len(chunk))
        return chunk

    return read


def _reader(source: IO[bytes] | None, name: str) -> Read:
    def read() -> bytes:
        with _said(name):
            return source.read(_CHUNK_BYTES) if source else b""

    return read


class _said:  # noqa: N801  # reads as a statement
    """Whatever the libraries raise over bad data becomes an ArchiveLimit; what the system raises stays OSError."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        of_data = isinstance(error, OSError) and error.errno is None
        if isinstance(error, _BROKEN) or of_data:
            raise ArchiveLimit(f"{self._name}: no valid archive ({error}); pack it again") from error


def _check_list(file: IO[bytes], name: str) -> None:
    """Look at the end of the zip before all of its list of members is read. Raises ArchiveLimit."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 65_600))
    end = file.read()
    place = end.rfind(b"PK\5\6")
    if place < 0 or len(end) - place < 22:
        raise ArchiveLimit(f"{name}: the zip is cut short, its list of members is missing; copy the file again")
    (listed,) = struct.unpack_from("<L", end, place + 12)
    if listed > _MOST_LIST_BYTES:
        raise ArchiveLimit(f"{name} lists too many members; split the archive")


class _Stream:
    """A tar as tarfile wants to read it, which notices headers that never end."""

    def __init__(self, read: Read, name: str) -> None:
        self._read = read
        self._name = name
        self._buffer = b""
        self._passed = 0
        self._some = False
        self._zeros = b""
        self.headers_only = True

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end only."""
        self._passed = self._passed + size if self.headers_only else 0
        if self._passed > _MOST_HEADER_BYTES:
            raise ArchiveLimit(f"{self._name} has a tar header of over {_MOST_HEADER_BYTES} bytes; pack it again")
        parts = [self._buffer]
        have = len(self._buffer)
        while have < size and (chunk := self._read()):
            parts.append(chunk)
            have += len(chunk)
        joined = b"".join(parts)
        out, self._buffer = joined[:size], joined[size:]
        self._zeros = (self._zeros + out)[-1024:]
        return out

    def check_end(self) -> None:
        """Raises ArchiveLimit where the tar ended without its mark, two blocks of zeros."""
        if self._zeros.strip(b"\0"):
            raise ArchiveLimit(f"{self._name}: the tar is cut short; copy the file again")


def window(read_at: Callable[[int, int], bytes], size: int) -> IO[bytes]:
    """A file that can be searched, over reading so many bytes at an offset. Its `read` raises OSError."""
    return cast(IO[bytes], _Window(read_at, size))


class _Window(io.RawIOBase):
    """A file that can be searched, over reading `size` bytes at an offset."""

    def __init__(self, read_at: Callable[[int, int], bytes], size: int) -> None:
        self._read_at = read_at
        self._size = size
        self._offset = 0

    def seekable(self) -> bool:
        """It is."""
        return True

    def readable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file."""
        self._offset = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._size}[whence])
        return self._offset

    def tell(self) -> int:
        """As of any file."""
        return self._offset

    def read(self, size: int = -1) -> bytes:
        """As of any file. Raises OSError."""
        rest = max(0, self._size - self._offset)
        chunk = self._read_at(self._offset, rest if size < 0 else min(size, rest))
        self._offset += len(chunk)
        return chunk
