"""gzip, bzip2, xz and Zstandard in bounded memory, with limits against files that are made to burst."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Protocol

from backports import zstd

from pipeline.errors import ArchiveLimit
from pipeline.inbox.entries import Limits, Read

# So small an output is harmless whatever its ratio: a file of blank lines is no bomb.
_FREE_BYTES = 1 << 20
_STEP_BYTES = 1 << 20
_LEAST_BYTES = 1 << 16
# What `xz -9` and `zstd --ultra --long=27` ask of whoever unpacks.
_MOST_MEMORY_BYTES = 1 << 27
_MOST_MEMBERS = 100_000
_BROKEN = (zlib.error, lzma.LZMAError, zstd.ZstdError, EOFError)


class Budget:
    """What one file may still unpack to, over all its layers and members."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.packed = 0
        """Bytes read from the file itself."""
        self.spent = False
        """Nothing more of this file is to be unpacked."""
        self._limits = limits
        self._unpacked = 0
        self._members = 0

    def counted(self, read: Read) -> Read:
        """`read`, which reads the file itself."""

        def counting() -> bytes:
            chunk = read()
            self.packed += len(chunk)
            return chunk

        return counting

    def take(self, size: int) -> None:
        """Account for `size` unpacked bytes. Raises ArchiveLimit where they are too many."""
        self._unpacked += size
        ratio, most = self._limits.ratio, self._limits.unpacked_bytes
        if self._unpacked > max(_FREE_BYTES, self.packed * ratio):
            self._burst(f"unpacks to over {ratio} times its size (max_unpacked_ratio); unpack it by hand")
        if self._unpacked > most:
            self._burst(f"unpacks to over {most} bytes (max_unpacked_bytes); unpack it by hand")

    def take_member(self) -> None:
        """Account for a member of an archive. Raises ArchiveLimit where they are too many."""
        self._members += 1
        if self._members > _MOST_MEMBERS:
            self._burst(f"has over {_MOST_MEMBERS} members; split the archive")

    def _burst(self, why: str) -> None:
        self.spent = True
        raise ArchiveLimit(f"{self.name} {why}")


class _Decompressor(Protocol):
    """One stream or frame, as in the standard library's `bz2`."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the interface of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        # Output may be pending although all input is in.
        self.needs_input = not self._zlib.unconsumed_tail and len(out) < max_length
        return out


class _Zstd:
    """The library's own, which is stricter with frames that come in one piece: so none does, and all are alike."""

    def __init__(self) -> None:
        self._zstd = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 27})
        self._begun = False

    @property
    def eof(self) -> bool:
        return self._zstd.eof

    @property
    def needs_input(self) -> bool:
        return self._zstd.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._zstd.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if not self._begun and data:
            self._begun = True
            self._zstd.decompress(data[:1], max_length)
            data = data[1:]
        return self._zstd.decompress(data, max_length)


_DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": _Gzip,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY_BYTES),
    "zstd": _Zstd,
}


class Unpacker:
    """Reads like a file: `read()` gives the next unpacked bytes, empty at the end. Takes several streams in a row.

    Raises ArchiveLimit where the data are cut short, corrupt, or too many (see `Budget`); what was read before
    stands, as a checksum covers whole streams only.
    """

    def __init__(self, read: Read, name: str, packing: str, budget: Budget) -> None:
        self._read = read
        self._name = name
        self._packing = packing
        self._budget = budget
        self._input = b""
        self._stream: _Decompressor | None = None
        self._some = False
        self._fault: ArchiveLimit | None = None

    def read(self) -> bytes:
        """The next unpacked bytes: a fair amount, that a million tiny streams cost no more than one."""
        if self._fault:
            raise self._fault
        parts, size = [], 0
        try:
            while size < _LEAST_BYTES and (out := self._next()):
                parts.append(out)
                size += len(out)
        except ArchiveLimit as fault:
            if not parts:
                raise
            self._fault = fault
        return b"".join(parts)

    def _next(self) -> bytes:
        while self._stream is not None or self._next_stream():
            if out := self._step():
                self._budget.take(len(out))
                return out
        return b""

    def _next_stream(self) -> bool:
        """Begin the next stream, if there is one."""
        while True:
            if self._some:
                # Tape and block devices pad with zeros between and after streams.
                self._input = self._input.lstrip(b"\0")
            if self._input:
                break
            self._input = self._read()
            if not self._input:
                return False
        self._stream, self._some = _DECOMPRESSORS[self._packing](), True
        return True

    def _step(self) -> bytes:
        assert self._stream is not None  # noqa: S101  # read() sees to it
        if self._stream.needs_input and not self._input:
            self._input = self._read()
            if not self._input:
                raise ArchiveLimit(f"{self._name}: the {self._packing} data are cut short; copy the file again")
        try:
            given, self._input = self._input, b""
            out = self._stream.decompress(given, _STEP_BYTES)
        except (*_BROKEN, OSError) as error:
            raise ArchiveLimit(f"{self._name}: no valid {self._packing} data ({error}); pack the file again") from error
        if self._stream.eof:
            self._input, self._stream = self._stream.unused_data, None
        return out
