"""What must lie on the raw topic, worked out from the files alone: how each is split, and every article's id.

Written a second time on purpose: it shares nothing with the watcher, not even the function that makes an id.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from urllib.parse import quote_from_bytes


class Found(Protocol):
    """A record as the oracle has read it."""

    key: str
    value: bytes
    headers: dict[str, str]


class Piece(NamedTuple):
    """One article of a file: where it stands, its bytes, and whether it is what its format promises."""

    position: int
    content: bytes
    sound: bool = True


def pieces(name: str, content: bytes) -> list[Piece]:
    """The articles of the file `name`, in order; a blank file is one that is broken, and set aside whole.

    Knows as much of the formats as the tests' files need.
    """
    if not content.strip():
        return [Piece(0, content, False)]
    if name.endswith(".gz"):
        return pieces(name.removesuffix(".gz"), gzip.decompress(content))
    if name.endswith(".jsonl"):
        return list(_lines(content))
    if name.endswith(".json") and content.startswith(b"["):
        return list(_entries(content.decode()))
    return [Piece(0, content)]


def _lines(content: bytes) -> Iterator[Piece]:
    position = 0
    for line in content.splitlines(keepends=True):
        text = line.rstrip(b"\r\n")
        if text.strip():
            yield Piece(position, text, _is_json(text))
        position += len(line)


def _entries(text: str) -> Iterator[Piece]:
    at, number = text.index("[") + 1, 0
    while True:
        at += len(text[at:]) - len(text[at:].lstrip(" \n,"))
        if text[at] == "]":
            return
        _, end = json.JSONDecoder().raw_decode(text, at)
        yield Piece(number, text[at:end].encode())
        at, number = end, number + 1


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def identity(label: str, source: str, piece: Piece, version: int) -> str:
    """The article's id as the contract has it: from where it stands and what it says."""
    sha256 = hashlib.sha256(piece.content).hexdigest()
    stem = f"{label}/{source}\0{piece.position}\0{sha256}" + (f"\0{version}" if version else "")
    return hashlib.blake2b(stem.encode(), digest_size=16).hexdigest()


@dataclass
class _File:
    """All that a file ever held, in order, and whether what it holds now must have come in."""

    states: list[bytes] = field(default_factory=list)
    stays: bool = True
    due: int = 0
    """Articles in what it holds now that must come in."""


class Files:
    """The inbox as whoever fills it remembers it. Tell it of every write *before* it is done."""

    def __init__(self, label: str) -> None:
        self.label = label
        self._files: dict[str, _File] = {}

    def write(self, path: str, content: bytes) -> None:
        """The file at the inbox-relative `path` will hold `content` from now on."""
        file = self._files.setdefault(quote_from_bytes(path.encode(), safe="/"), _File())
        file.states.append(content)
        file.stays = True
        file.due = sum(piece.sound for piece in pieces(path, content))

    def append(self, path: str, more: bytes) -> None:
        """`more` whole lines will be added at its end."""
        self.write(path, self._files[quote_from_bytes(path.encode(), safe="/")].states[-1] + more)

    def vanish(self, path: str) -> None:
        """The file will be gone; what it held may have come in or not."""
        file = self._files[quote_from_bytes(path.encode(), safe="/")]
        file.stays, file.due = False, 0

    @property
    def due(self) -> int:
        """Articles that must have come in: those of every file's present state."""
        return sum(file.due for file in self._files.values())

    def _last(self, source: str) -> list[Piece]:
        file = self._files[source]
        return pieces(source, file.states[-1]) if file.stays else []

    def faults(self, raw: Iterable[Found], rejected: Iterable[Found] = ()) -> list[str]:
        """Every way in which the raw topic, and what `watch` rejected, differ from the files. Empty: none.

        A file that was replaced may have come in, in part, as each of its former states too, but under a version of
        its own: what it holds last must be there whole, under the highest version, and nothing may be there twice.
        """
        by_source: defaultdict[str, defaultdict[int, list[Found]]] = defaultdict(lambda: defaultdict(list))
        for record in raw:
            by_source[record.headers["source"]][int(record.headers.get("version", "0"))].append(record)
        found = [f"{source}: was never in the inbox" for source in by_source.keys() - self._files.keys()]
        for source in self._files:
            found += self._faults_of(source, by_source[source])
        return [*found, *self._rejections(list(rejected))]

    def _faults_of(self, source: str, versions: dict[int, list[Found]]) -> Iterator[str]:
        file = self._files[source]
        newest = max(versions, default=0)
        for version, records in sorted(versions.items()):
            records.sort(key=lambda record: int(record.headers["position"]))
            # A blank state has no articles and so no version: those that are there may be of any state before it.
            whole = version == newest and any(piece.sound for piece in self._last(source))
            if not any(self._are(source, records, version, state, whole) for state in self._candidates(file, whole)):
                yield f"{source} version {version}: {len(records)} articles, which are no state of that file"
        if not versions and any(piece.sound for piece in self._last(source)):
            yield f"{source}: nothing of it came in"

    @staticmethod
    def _candidates(file: _File, whole: bool) -> Sequence[bytes]:
        return file.states[-1:] if whole else file.states

    def _are(self, source: str, records: Sequence[Found], version: int, state: bytes, whole: bool) -> bool:
        """Whether `records` are the articles of `state`: all of them where `whole`, else the first ones."""
        wanted = [piece for piece in pieces(source, state) if piece.sound]
        if len(records) != len(wanted) if whole else len(records) > len(wanted):
            return False
        return all(
            record.key == identity(self.label, source, piece, version)
            and record.value == piece.content
            and int(record.headers["position"]) == piece.position
            for record, piece in zip(records, wanted, strict=False)
        )

    def _rejections(self, rejected: list[Found]) -> Iterator[str]:
        """Broken pieces must be among the dead letters, once, as they were found."""
        known = [
            (record.key, int(record.headers["position"]), record.value)
            for record in rejected
            if record.headers.get("stage") == "watch"
        ]
        wanted = [
            (source, piece.position, piece.content)
            for source in self._files
            for piece in self._last(source)
            if not piece.sound
        ]
        for one in wanted:
            # A file may have been blank more than once.
            most = max(1, self._files[one[0]].states.count(one[2]))
            if not 1 <= known.count(one) <= most:
                yield f"{one[0]} at {one[1]}: a broken article was rejected {known.count(one)} times"
        sources = {source for source, _, _ in known}
        yield from (f"{source}: rejected, and was never in the inbox" for source in sources - self._files.keys())
        for source, position, content in known:
            states = self._files[source].states if source in self._files else []
            if not any((position, content, False) in pieces(source, state) for state in states):
                yield f"{source} at {position}: rejected, and nothing is wrong with it"
