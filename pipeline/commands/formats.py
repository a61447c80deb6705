"""`copydesk formats`: which files are read, by what name and content, and what one article of each is."""

from __future__ import annotations

import argparse
import json

from rich.table import Table

from pipeline.commands import show
from pipeline.formats import PACKINGS, formats
from pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `formats` takes."""
    parser.description = "List the formats that are read. What a file is, its content says; its name only that we look."
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Print the table; 0."""
    if args.json:
        for form in formats():
            row = {"format": form.slug, "extensions": form.extensions, "media_type": form.media_type, "what": form.what}
            print(json.dumps(row))
        return 0
    table = Table("format", "names", "what", box=None, header_style="bold")
    for form in sorted(formats(), key=lambda form: form.slug):
        table.add_row(form.slug, " ".join(form.extensions), form.what)
    ends = ", ".join(end for _, end in PACKINGS.values())
    show(
        table, f"\nEach also packed ({ends}), and within archives. Where name and content differ, the content is right."
    )
    return 0
