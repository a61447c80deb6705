"""Fills an inbox as the world does: whole files and folders, files that grow, shrink, vanish or are renamed over."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from pipeline.generate import articles
from tests.expected import Files

_MANY = 10_000_000
_BLANK = b'{"title": "", "body": ""}'


class Load:
    """Seeded. `files` remembers all that was ever written, for the oracle; `tick` does what was begun earlier."""

    def __init__(self, inbox: Path, outside: Path, seed: int) -> None:
        self.files = Files(inbox.name)
        self._inbox, self._outside = inbox, outside
        outside.mkdir(parents=True, exist_ok=True)
        self._rng = random.Random(seed)
        self._articles = (one.line for one in articles(_MANY, seed))
        self._number = 0
        self._later: list[Callable[[], None]] = []
        self._kinds = [
            *6 * [self._lines],
            self._folder, self._list, self._packed, self._broken,
            self._growing, self._opened, self._renamed_over, self._truncated, self._emptied, self._vanishing,
        ]  # fmt: skip

    def burst(self, count: int) -> None:
        """Drop `count` articles, in files of all kinds."""
        while count > 0:
            size = min(count, self._rng.randint(40, 160))
            self._number += 1
            self._rng.choice(self._kinds)(f"{self._number:05d}", list(islice(self._articles, size)))
            count -= size

    def some(self, count: int) -> None:
        """Drop `count` articles in one file that stays."""
        self._number += 1
        self._lines(f"{self._number:05d}", list(islice(self._articles, count)))

    def number(self, least: int, most: int) -> int:
        """One drawn from this load's own chance."""
        return self._rng.randint(least, most)

    def big(self, count: int, size: int) -> None:
        """Drop `count` articles of `size` bytes and more each, none like another, in one file that stays."""
        self._number += 1
        lines = [
            json.dumps({"title": f"Number {self._rng.random()}", "body": self._rng.randbytes(size // 2).hex(" ", 3)})
            for _ in range(count)
        ]
        self._lines(f"{self._number:05d}", [line.encode() for line in lines])

    def crowd(self, count: int) -> None:
        """Drop `count` small files at once: a folder of a thousand folders that is made elsewhere and moved in."""
        self._number += 1
        name = f"{self._number:05d}"
        for number in range(count):
            path = f"{name}/{number % 1_000}/{number}.txt"
            text = f"Report {number}: {self._rng.randbytes(12).hex(' ', 2)} came to {self._rng.random()} on the day."
            self.files.write(path, text.encode())
            made = self._outside / path
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_text(text)
        (self._outside / name).rename(self._inbox / name)

    def tick(self) -> None:
        """Go on with one of the files that are not what they shall be."""
        if self._later:
            self._later.pop(self._rng.randrange(len(self._later)))()

    def finish(self) -> None:
        """Go on with all of them."""
        while self._later:
            self.tick()

    def _lines(self, name: str, lines: list[bytes]) -> None:
        self._put(f"{name}.jsonl", b"\n".join(lines) + b"\n" * self._rng.randint(0, 1))

    def _list(self, name: str, lines: list[bytes]) -> None:
        self._put(f"{name}.json", b"[" + b",\n".join(lines) + b"]")

    def _packed(self, name: str, lines: list[bytes]) -> None:
        self._put(f"{name}.jsonl.gz", gzip.compress(b"\n".join(lines), 1))

    def _broken(self, name: str, lines: list[bytes]) -> None:
        """One line that is no JSON, which `watch` sets aside, and one without a text, which `normalise` does."""
        self._put(f"{name}.jsonl", b"\n".join([*lines, b'{"title": "cut sho', _BLANK]))

    def _folder(self, name: str, lines: list[bytes]) -> None:
        """Many small files at once: a folder that is made elsewhere and moved in."""
        made = self._outside / name
        made.mkdir()
        for number, line in enumerate(lines):
            self.files.write(f"{name}/{number}.json", line)
            (made / f"{number}.json").write_bytes(line)
        made.rename(self._inbox / name)

    def _growing(self, name: str, lines: list[bytes]) -> None:
        third = len(lines) // 3
        path = f"{name}.jsonl"
        self._write(path, _joined(lines[:third]))
        for part in (lines[third : 2 * third], lines[2 * third :]):
            self._later.append(lambda part=part: self._append(path, _joined(part)))  # type: ignore[misc]

    def _opened(self, name: str, lines: list[bytes]) -> None:
        """By a writer who takes a while to find its words, too long for the watcher at times."""
        self._write(f"{name}.jsonl", b"")
        self._later.append(lambda: self._append(f"{name}.jsonl", _joined(lines)))

    def _renamed_over(self, name: str, lines: list[bytes]) -> None:
        half = len(lines) // 2
        self._write(f"{name}.jsonl", _joined(lines[:half]))
        self._later.append(lambda: self._put(f"{name}.jsonl", _joined(lines[half:])))

    def _truncated(self, name: str, lines: list[bytes]) -> None:
        self._write(f"{name}.jsonl", _joined(lines))
        self._later.append(lambda: self._cut(f"{name}.jsonl", _joined(lines[: len(lines) // 2])))

    def _emptied(self, name: str, lines: list[bytes]) -> None:
        self._write(f"{name}.jsonl", _joined(lines))
        self._later.append(lambda: self._cut(f"{name}.jsonl", b""))

    def _vanishing(self, name: str, lines: list[bytes]) -> None:
        path = f"{name}.jsonl"
        self._write(path, _joined(lines))

        def vanish() -> None:
            self.files.vanish(path)
            (self._inbox / path).unlink()

        self._later.append(vanish)

    def _put(self, path: str, content: bytes) -> None:
        """As a careful writer does: written elsewhere, then renamed into place."""
        self.files.write(path, content)
        made = self._outside / path
        made.write_bytes(content)
        made.rename(self._inbox / path)

    def _write(self, path: str, content: bytes) -> None:
        """As most do: in place, so that it is empty for a moment, which is long where the machine is busy."""
        self.files.write(path, b"")
        self.files.write(path, content)
        (self._inbox / path).write_bytes(content)

    def _cut(self, path: str, kept: bytes) -> None:
        self.files.write(path, kept)
        os.truncate(self._inbox / path, len(kept))

    def _append(self, path: str, more: bytes) -> None:
        self.files.append(path, more)
        with (self._inbox / path).open("ab", buffering=0) as file:
            file.write(more)


def _joined(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n" if lines else b""
