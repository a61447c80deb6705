"""`copydesk explain FILE…`: what would become of these files, article by article, without Kafka.

Duplicates are found among the files given, not among what was published before.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.panel import Panel

from pipeline.clock import SystemClock
from pipeline.commands import show, until_closed
from pipeline.commands.desk import Desk, Explained
from pipeline.errors import FolderError
from pipeline.formats import promised
from pipeline.inbox.scan import look_at
from pipeline.monitor.cards import content, framed
from pipeline.monitor.looks import json_line
from pipeline.monitor.printable import printable
from pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `explain` takes."""
    parser.description = "Show what would become of files, article by article. Needs no Kafka and changes nothing."
    parser.add_argument("file", nargs="+", type=Path, metavar="FILE", help="a file as it would be dropped in the inbox")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Print what would become of every article; 0. Raises FolderError where there is no such file."""
    return until_closed(lambda: _explain(settings, args.file, args.json))


def _explain(settings: Settings, files: list[Path], as_json: bool) -> int:
    with closing(Desk(settings, SystemClock())) as desk:
        totals = _show_all(desk, files, as_json)
    if not as_json:
        print(" · ".join(f"{name} {count}" for name, count in totals.items()))
    return 0


def _show_all(desk: Desk, files: list[Path], as_json: bool) -> Counter[str]:
    totals: Counter[str] = Counter()
    for file in files:
        why = left_alone(file)
        if why:
            totals["left alone"] += 1
            print(json.dumps({"outcome": "left alone", "file": str(file), "why": why}) if as_json else why)
            continue
        for found in desk.explain(file):
            totals[found.look.name] += 1
            if as_json:
                print(json.dumps(as_object(found)))
            else:
                show(as_card(found))
    return totals


def left_alone(file: Path) -> str:
    """Why the watcher would not touch `file`; empty where it would. Raises FolderError where there is no file."""
    if file.is_dir() or not os.path.lexists(file):
        what = "is a folder; name files" if file.is_dir() else "does not exist; check the path"
        raise FolderError(f"{file} {what}")
    name = printable(str(file))
    (look,) = look_at(os.fsencode(file.absolute().parent), os.fsencode(file.name))
    if look.kind == "hidden":
        return f"{name} is left alone: its name says that it is hidden or not finished"
    if look.kind == "file" and promised(look.path) is None:
        return f"{name} waits: its name promises none of the formats that we read; see `copydesk formats`"
    return ""


def as_card(found: Explained) -> Panel:
    """The article's card, with what is only of interest here."""
    said = content(found.look)
    size = f"{found.bytes_in:,} bytes found, {found.bytes_on_wire:,} bytes on the wire"
    lines = [("topic", found.look.topic), ("size", size), *_dates(found.look.json), *_origins(found), *said.lines]
    key = (found.look.key or b"").decode()
    return framed(said._replace(lines=lines), found.look.name, f"{key} · position {found.position}")


def _dates(record: Any) -> list[tuple[str, str]]:
    """Where the article's dates were read, and how much of them is known."""
    dates = record["x_copydesk"]["dates"] if isinstance(record, dict) and "x_copydesk" in record else {}
    return [(name, f"{_known(date)}, from “{date['raw']}” ({date['origin']})") for name, date in dates.items()]


def _origins(found: Explained) -> list[tuple[str, str]]:
    """What was found, by where it stood: `json-ld: headline, byline`."""
    stood: dict[str, list[str]] = {}
    for fact, origin in found.origins:
        stood.setdefault(origin, []).append(fact.replace("_", " "))
    return (
        [("found in", "; ".join(f"{origin}: {', '.join(facts)}" for origin, facts in stood.items()))] if stood else []
    )


def _known(date: dict[str, str]) -> str:
    return date["value"][:10] if date["precision"] == "day" else f"{date['value']} to the {date['precision']}"


def as_object(found: Explained) -> dict[str, Any]:
    """For `--json`: the outcome's record as `tail` shows it, without what only a broker can give."""
    record = json.loads(json_line(found.look))
    return {
        "outcome": found.look.name,
        "topic": record["topic"],
        "position": found.position,
        "bytes_found": found.bytes_in,
        "bytes_on_wire": found.bytes_on_wire,
        "origins": dict(found.origins),
        "key": record["key"],
        "headers": record["headers"],
        "value": record["value"],
    }
