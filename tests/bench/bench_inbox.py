"""How long a watcher looks at a large inbox, and how much memory that takes: no Kafka, the watcher's own functions.

    python -m tests.bench.bench_inbox --files 100000 --folder /tmp/large
    python -m tests.bench.bench_inbox --files 1000000 --published --folder /tmp/huge

First scan: every file is new. Reading: all are read and split into transactions. Steady scan: all are published and
nothing changed, which is what a watcher does every few seconds for ever. With `--published` the ledger says from the
beginning that all are, as after a restart. Files are 300 bytes, 1,000 a folder.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import time
from pathlib import Path

from pipeline.inbox.feeder import Feeder
from pipeline.inbox.folder import Folder, survey
from pipeline.inbox.ledger import Known, Ledger
from pipeline.inbox.scan import scan
from pipeline.inbox.splitters import Limits

_LIMITS = Limits(article_bytes=1 << 22, file_bytes=1 << 26, kept_bytes=1 << 23, ratio=200)
_TIME = "2025-03-18T09:00:00.000Z"
_TEXT = "LISBON, March 18 — Ferries across the Tagus stood still for a third day on Tuesday, number {}. " + "word " * 40


def main() -> None:
    """Make the files, take the times, print them, remove the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--published", action="store_true", help="all of them were published before")
    parser.add_argument("--folder", type=Path, required=True, help="a folder to make and to remove again")
    args = parser.parse_args()
    args.folder.mkdir()
    try:
        _make(args.folder, args.files)
        (_restart if args.published else _measure)(os.fsencode(args.folder), args.files)
    finally:
        shutil.rmtree(args.folder)


def _make(folder: Path, files: int) -> None:
    for number in range(files):
        place = folder / f"{number // 1000:04}"
        if not number % 1000:
            place.mkdir()
        (place / f"{number}.txt").write_text(_TEXT.format(number))


def _measure(root: bytes, files: int) -> None:
    ledger, folder = Ledger("in"), Folder(0.0)
    start = _Clock()
    found = survey(root, ledger, None, want_published=False)
    start.say("first scan", files)
    folder.see(found, 0.0)
    start.say("  taken in", files)
    ready = folder.see(survey(root, ledger, None, want_published=False), 1.0)
    start.say("second scan (all ready)", files)
    assert len(ready) == files
    feeder, articles = Feeder(root, "in", ledger, _LIMITS), 0
    for look in ready:
        feeder.add(look)
    while (run := feeder.fill(_TIME)).ledger:
        articles += len(run.raw)
        for look, known in run.ledger:
            ledger.put(look.path, known)
            folder.done(look.path)
    assert articles == files
    start.say("read and split", files)
    del ready, found, feeder
    _steady(root, ledger, files, start)


def _restart(root: bytes, files: int) -> None:
    start, ledger = _Clock(), Ledger("in")
    for look in scan(root):
        times = {"size": look.size, "mtime_ns": look.mtime_ns, "ctime_ns": look.ctime_ns}
        known = Known(b"s" * 32, look.size, **times, position=1, published=1, state="published")
        ledger.apply(ledger.key(look.path), known.to_json(_TIME))
    start.say("ledger's records made, read", files)
    _steady(root, ledger, files, start)


def _steady(root: bytes, ledger: Ledger, files: int, start: _Clock) -> None:
    for number in range(3):
        found = survey(root, ledger, None, want_published=False)
        assert not found.files
        start.say(f"scan {number + 1} (all published)", files)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Clock:
    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def say(self, what: str, files: int) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        seconds = f"{wall - self._wall:7.2f} s, {cpu - self._cpu:7.2f} s of CPU"
        print(
            f"{what:28} {seconds} ({(cpu - self._cpu) / files * 1e6:5.1f} µs a file), peak memory {_peak_mb():5.0f} MB"
        )
        self._wall, self._cpu = wall, cpu


if __name__ == "__main__":
    main()
