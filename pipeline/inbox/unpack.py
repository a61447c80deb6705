"""gzip in bounded memory, with limits against archives that are made to burst."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from pipeline.errors import ArchiveLimit

# So small an output is harmless whatever its ratio: a file of blank lines is no bomb.
_FREE_BYTES = 1 << 20
_STEP_BYTES = 1 << 20


class Gunzip:
    """Reads like a file: `read()` gives the next unpacked bytes, empty at the end. Takes several members in a row.

    Raises ArchiveLimit where the data grow by more than `max_ratio`, are cut short, corrupt, or no gzip at all;
    what was read before stands, as its checksum covers whole members only.
    """

    def __init__(self, read: Callable[[], bytes], name: str, max_ratio: int) -> None:
        self._read = read
        self._name = name
        self._max_ratio = max_ratio
        self._packed = 0
        self._unpacked = 0
        self._input = b""
        self._member: zlib._Decompress | None = None

    def read(self) -> bytes:
        """The next unpacked bytes, at most a megabyte."""
        while True:
            if not self._input and not self._refill():
                return b""
            if self._member is None and not self._next_member():
                continue
            out = self._step()
            if out:
                return out

    def _refill(self) -> bool:
        self._input = self._read()
        self._packed += len(self._input)
        if not self._input and self._member is not None:
            raise ArchiveLimit(f"{self._name}: the gzip data are cut short; copy the file again")
        return bool(self._input)

    def _next_member(self) -> bool:
        if self._unpacked:
            # Tape and block devices pad with zeros between and after members.
            self._input = self._input.lstrip(b"\0")
        if self._input:
            self._member = zlib.decompressobj(wbits=31)
        return bool(self._input)

    def _step(self) -> bytes:
        assert self._member is not None  # noqa: S101  # read() sees to it
        try:
            out = self._member.decompress(self._input, _STEP_BYTES)
        except zlib.error as error:
            raise ArchiveLimit(f"{self._name}: no valid gzip data ({error}); pack the file again") from error
        self._input = self._member.unconsumed_tail or self._member.unused_data
        if self._member.eof:
            self._member = None
        self._unpacked += len(out)
        if self._unpacked > max(_FREE_BYTES, self._packed * self._max_ratio):
            raise ArchiveLimit(f"{self._name} unpacks to over {self._max_ratio} times its size; unpack it by hand")
        return out
