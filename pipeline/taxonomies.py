"""The file of your own terms: read at start, and again whenever it changes."""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.errors import TaxonomyError
from pipeline.stages.tag import Taxonomy, parse_taxonomy

log = logging.getLogger(__name__)


def read_taxonomy(path: Path) -> Taxonomy:
    """The taxonomy in the file at `path`. Raises TaxonomyError that names every fault, one a line."""
    try:
        return parse_taxonomy(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TaxonomyError(
            f"{path}: cannot be read ({error}); check the path, its rights and that it is UTF-8"
        ) from error
    except TaxonomyError as error:
        raise TaxonomyError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from error


class TaxonomyFile:
    """Follows one file. Raises TaxonomyError at once where the file is unusable; later the last good one stays."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._stamp = self._look()
        self._taxonomy = read_taxonomy(self._path) if self._path else None

    def current(self) -> Taxonomy | None:
        """The taxonomy as the file now has it; a look at the file costs microseconds, so ask for every batch."""
        stamp = self._look()
        if self._path and stamp != self._stamp:
            self._stamp = stamp
            try:
                self._taxonomy = read_taxonomy(self._path)
                log.warning("%s was read again: version %s", self._path, self._taxonomy.version)
            except TaxonomyError as error:
                log.error("the terms of before stay in use: %s", error)
        return self._taxonomy

    def _look(self) -> tuple[int, int, int]:
        """What changes when the file does: time, size and inode; zeros where it is not there."""
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            found = None
        return (found.st_mtime_ns, found.st_size, found.st_ino) if found else (0, 0, 0)
