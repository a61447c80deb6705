"""`--after move|delete`: what becomes of a file whose last article the broker has acknowledged."""

from __future__ import annotations

import os
import shutil
from itertools import count

from pipeline.inbox.scan import Look
from pipeline.settings import Settings


def after_dir(settings: Settings, inbox: str) -> bytes:
    """Where `--after move` puts the files of `inbox`."""
    if settings.after_dir:
        return os.fsencode(os.path.abspath(settings.after_dir))
    return os.fsencode(os.path.abspath(inbox) + ".done")


def put_away(root: bytes, look: Look, target: bytes | None) -> bool:
    """Move the published file below `target`, under its own relative path, or delete it where `target` is None.

    Does nothing and returns False where the file is no longer the one that was published. No name is ever
    overwritten: a taken one gets `.1`, `.2` … at its end. Raises OSError.
    """
    source = os.path.join(root, look.path)
    try:
        if not _is_same(os.lstat(source), look):
            return False
        if target is None:
            os.unlink(source)
        else:
            _move(source, os.path.join(target, look.path), look)
    except FileNotFoundError:
        return False
    return True


def _is_same(found: os.stat_result, look: Look) -> bool:
    return (found.st_size, found.st_mtime_ns, found.st_ino) == (look.size, look.mtime_ns, look.inode)


def _move(source: bytes, wanted: bytes, look: Look) -> None:
    os.makedirs(os.path.dirname(wanted), exist_ok=True)
    for number in count():
        target = wanted + b".%d" % number if number else wanted
        try:
            # link() fails where the name is taken; rename() would overwrite.
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:
            continue
        except OSError:
            # Another file system, or one without hard links.
            _copy(source, target + b".part")
            os.rename(target + b".part", target)
            os.unlink(source)
            return
        if _is_same(os.lstat(target), look):
            os.unlink(source)
        else:
            os.unlink(target)
        return


def _copy(source: bytes, target: bytes) -> None:
    with open(source, "rb") as reader, open(target, "wb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
        os.fsync(writer.fileno())
    shutil.copystat(source, target)
