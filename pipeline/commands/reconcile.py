"""`copydesk reconcile DIR`: what became of every file of a folder, by the topics themselves."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pipeline.clock import SystemClock
from pipeline.cluster import committed_offsets
from pipeline.commands import until_closed, with_broker
from pipeline.commands.scanning import scan
from pipeline.errors import FolderError
from pipeline.formats import promised
from pipeline.inbox.scan import Look, look_at
from pipeline.inbox.scan import scan as scan_folder
from pipeline.kafka import administrator, asking
from pipeline.monitor.fates import Evidence, Fate
from pipeline.monitor.looks import JSON_TOPICS, parsed
from pipeline.monitor.printable import printable
from pipeline.reader import first_offsets, need_partitions
from pipeline.records import inbox_label, source_name
from pipeline.settings import Settings
from pipeline.topics import OUTCOMES

_SHOWN_ARTICLES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `reconcile` takes."""
    parser.description = (
        "Say for every file of a folder what became of it: published, duplicate, rejected or waiting, and where or why."
        " Ends with 1 if anything is unaccounted for."
    )
    parser.add_argument("dir", metavar="DIR", type=Path, help="an inbox, or a folder in one of --inbox")
    parser.add_argument("--json", action="store_true", help="one JSON object a file and line")


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Print every file's fate; 1 where one is unaccounted for. Raises UserError where there is no folder or broker."""
    root, under = _place(settings, args.dir)
    return until_closed(lambda: asyncio.run(_reconcile(with_broker(settings), root, under, args.json)))


def _place(settings: Settings, folder: Path) -> tuple[Path, bytes]:
    """The inbox that `folder` is or lies in, and the path from there."""
    if not folder.is_dir():
        raise FolderError(f"there is no folder {folder}; name an inbox, or a folder in one")
    folder = folder.absolute()
    for inbox in settings.inbox:
        root = Path(inbox).absolute()
        if folder != root and folder.is_relative_to(root):
            return root, os.fsencode(folder.relative_to(root))
    return folder, b""


async def _reconcile(settings: Settings, root: Path, under: bytes, as_json: bool) -> int:
    evidence = Evidence(inbox_label(str(root)))
    clock = SystemClock()
    # In the order of the flow, so that whatever is read later knows at least as much.
    async for name, record in scan(settings, clock, "files", "raw"):
        evidence.take(name, record, parsed(record.value) if name in JSON_TOPICS else None)
    evidence.committed, evidence.cut = await _offsets(settings)
    async for name, record in scan(settings, clock, *OUTCOMES):
        # An enriched article's value is of no interest here, and the largest by far.
        evidence.take(name, record, parsed(record.value) if name == "duplicates" else None)
    counts: Counter[str] = Counter()
    for look in _looks(os.fsencode(root), under):
        fates = evidence.file(source_name(look.path), look, promised(look.path) is not None)
        counts.update(fate.kind for fate in fates)
        print(_object(look, fates) if as_json else "\n".join(map(printable, _lines(look, fates))))
    if not as_json:
        print(" · ".join(f"{name} {count}" for name, count in counts.items()) or "no files")
    return 1 if counts["unaccounted"] else 0


async def _offsets(settings: Settings) -> tuple[dict[int, int], set[str]]:
    """What the workers committed on each raw partition, and which topics have lost their beginning."""
    with asking(settings):
        places = await need_partitions(settings, ("raw", *OUTCOMES))
        async with administrator(settings) as admin:
            found = await committed_offsets(admin, settings.group, places["raw"], SystemClock())
        firsts = await first_offsets(settings, [tp for some in places.values() for tp in some])
    cut = {name for name, some in places.items() if any(firsts[tp] > 0 for tp in some)}
    return {tp.partition: max(0, at.offset) for tp, at in found.items()}, cut


def _looks(root: bytes, under: bytes) -> Iterator[Look]:
    yield from sorted(look_at(root, under) if under else scan_folder(root))


def _object(look: Look, fates: list[Fate]) -> str:
    kinds = dict(Counter(fate.kind for fate in fates))
    return json.dumps({"file": source_name(look.path), "fates": kinds, "articles": [one.as_json() for one in fates]})


def _lines(look: Look, fates: list[Fate]) -> Iterator[str]:
    """One line a file; of several articles, those that were not simply published follow."""
    name = source_name(look.path)
    if len(fates) == 1:
        yield f"{name}: {fates[0].kind} {fates[0].why}"
        return
    kinds = Counter(fate.kind for fate in fates)
    yield f"{name}: {', '.join(f'{count} {kind}' for kind, count in kinds.most_common())}"
    # What is unaccounted for is never among those left out.
    others = sorted((one for one in fates if one.kind != "published"), key=lambda one: one.kind != "unaccounted")
    for fate in others[:_SHOWN_ARTICLES]:
        yield f"    at {fate.position}: {fate.kind} {fate.why}"
    if len(others) > _SHOWN_ARTICLES:
        yield f"    … and {len(others) - _SHOWN_ARTICLES} more; --json shows all"
