"""One look through an inbox: what lies there, without opening anything or following a link.

Names are bytes throughout, since a file name need not be text. The scan is the truth; events are only hints.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["file", "hidden", "symlink", "special", "unreadable"]
_UNFINISHED = (b"~", b".tmp", b".part", b".crdownload")


class Look(NamedTuple):
    """How one entry stood at one moment."""

    path: bytes
    """Inbox-relative, `/` between parts."""
    kind: Kind
    """`hidden`: a name that we leave alone; `special`: FIFO, socket or device; `unreadable`: a folder, or no stat."""
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def is_hidden(name: bytes) -> bool:
    """Whether `name` (one part of a path) is left alone: dotfiles and what a writer has not finished."""
    return name.startswith(b".") or name.lower().endswith(_UNFINISHED)


def scan(root: bytes, under: bytes = b"") -> Iterator[Look]:
    """Every entry below `under` (inbox-relative) in the inbox `root`, folders themselves left out.

    Symbolic links are reported, never followed. An entry that vanishes meanwhile is left out; one that cannot
    be read is reported as `unreadable`. Hidden folders are not entered. Lazy: a folder of 100,000 costs no list.
    """
    folders = [under]
    while folders:
        folder = folders.pop()
        try:
            # The system may fail in the middle of a folder, too: a network's file system that goes away.
            with os.scandir(os.path.join(root, folder) if folder else root) as entries:
                for entry in entries:
                    path = folder + b"/" + entry.name if folder else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if not is_hidden(entry.name):
                            folders.append(path)
                    elif (look := _look(path, entry)) is not None:
                        yield look
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            yield Look(folder, "unreadable", 0, 0, 0, 0)


def look_at(root: bytes, path: bytes) -> Iterator[Look]:
    """The entry at `path` (inbox-relative), or everything below it where it is a folder; nothing where it is gone.

    A path that leads through a hidden folder or a symbolic link gives nothing: a full scan would not get there.
    """
    parts = path.split(b"/")
    for depth in range(1, len(parts)):
        parent = os.path.join(root, *parts[:depth])
        if is_hidden(parts[depth - 1]) or os.path.islink(parent):
            return
    try:
        found = os.lstat(os.path.join(root, path))
    except OSError:
        return
    if not stat.S_ISDIR(found.st_mode):
        yield _from_stat(path, found)
    elif not is_hidden(parts[-1]):
        yield from scan(root, path)


def _look(path: bytes, entry: os.DirEntry[bytes]) -> Look | None:
    try:
        return _from_stat(path, entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        return None
    except OSError:
        return Look(path, "unreadable", 0, 0, 0, entry.inode())


def _from_stat(path: bytes, found: os.stat_result) -> Look:
    kind: Kind = "special"
    if is_hidden(path.rpartition(b"/")[2]):
        kind = "hidden"
    elif stat.S_ISREG(found.st_mode):
        kind = "file"
    elif stat.S_ISLNK(found.st_mode):
        kind = "symlink"
    return Look(path, kind, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
