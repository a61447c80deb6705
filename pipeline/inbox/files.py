"""Opening what lies in an inbox, so that nothing outside it is ever read, and reading it with a running hash."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from itertools import count

from pipeline.errors import NotRegular, SymlinkRefused, Unreadable
from pipeline.records import source_name

CHUNK_BYTES = 1 << 20
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_DENIED = (errno.EACCES, errno.EPERM)


class FileMoved(Exception):
    """The file changed or vanished while it was read: back to waiting, nothing of the last stretch counts."""


class InboxFile:
    """One open regular file. `read` keeps a SHA-256 of what it has passed; `hashed` says how many bytes that is."""

    def __init__(self, descriptor: int, opened: os.stat_result) -> None:
        self._fd = descriptor
        self.opened = opened
        self.hashed = 0
        self._offset = 0
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> bytes:
        """Digest of the first `hashed` bytes."""
        return self._hash.digest()

    @property
    def offset(self) -> int:
        """Bytes read so far, since the last `rewind`."""
        return self._offset

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """The next bytes, empty at the end of the file. Raises OSError."""
        chunk = os.pread(self._fd, size, self._offset)
        new = self._offset + len(chunk) - self.hashed
        if new > 0:
            # After a rewind the first bytes pass by again; each is hashed once.
            self._hash.update(memoryview(chunk)[len(chunk) - new :])
            self.hashed += new
        self._offset += len(chunk)
        return chunk

    def rewind(self) -> None:
        """Start reading at the first byte again; the hash stays."""
        self._offset = 0

    def starts_with(self, sha256: bytes, size: int) -> bool:
        """Whether the first `size` bytes have this digest. Reads them, then rewinds."""
        if size > self.opened.st_size:
            return False
        while self._offset < size and self.read(min(CHUNK_BYTES, size - self._offset)):
            pass
        self.rewind()
        return self.hashed == size and self.sha256 == sha256

    def check_still(self) -> None:
        """Raises FileMoved where the file was written to since it was opened."""
        now = os.fstat(self._fd)
        if (now.st_size, now.st_mtime_ns) != (self.opened.st_size, self.opened.st_mtime_ns):
            raise FileMoved

    def head(self, size: int) -> bytes:
        """Its first `size` bytes, for the dead letters; reading position and hash stay."""
        return os.pread(self._fd, size, 0)

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset` on; reading position and hash stay. Raises OSError."""
        return os.pread(self._fd, size, offset)

    def peek(self) -> Callable[[], bytes]:
        """A way to read from the beginning that leaves reading position and hash alone."""
        offsets = count(0, CHUNK_BYTES)
        return lambda: os.pread(self._fd, CHUNK_BYTES, next(offsets))

    def close(self) -> None:
        """Give the descriptor back; safe to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def open_file(root: bytes, path: bytes) -> InboxFile:
    """Open the regular file at `path` in the inbox `root`, following no link in any part of the path.

    Raises SymlinkRefused, NotRegular or Unreadable for what must be set aside, FileMoved where it is gone, and
    OSError where the system is at fault (so that trying again is right).
    """
    name = source_name(path)
    try:
        descriptor = _open_below(root, path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
            raise FileMoved from error
        if error.errno == errno.ELOOP:
            raise SymlinkRefused(f"{name} is a symbolic link; put the file itself into the inbox") from error
        if error.errno == errno.ENXIO:
            raise NotRegular(f"{name} is a socket or device; only regular files are read") from error
        if error.errno in _DENIED:
            raise Unreadable(f"{name}: {os.strerror(error.errno)}; give this user the right to read it") from error
        raise
    opened = os.fstat(descriptor)
    if not stat.S_ISREG(opened.st_mode):
        os.close(descriptor)
        raise NotRegular(f"{name} is no regular file; only regular files are read")
    return InboxFile(descriptor, opened)


def _open_below(root: bytes, path: bytes) -> int:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        *parents, name = path.split(b"/")
        for part in parents:
            child = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = child
        # O_NONBLOCK: opening a FIFO must not wait for its writer.
        return os.open(name, _FLAGS | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)
