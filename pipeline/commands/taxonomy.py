"""`copydesk taxonomy check FILE`: whether a file of your own terms can be used, and which terms hold for an article."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import TaxonomyError
from pipeline.settings import Settings
from pipeline.taxonomies import read_taxonomy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `taxonomy` takes."""
    parser.add_argument("action", choices=("check",), help="check: say every fault in the file")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: the setting `taxonomy`")


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Print how many terms there are and the version; 0. Raises TaxonomyError with every fault, one a line."""
    path = args.file or (Path(settings.taxonomy) if settings.taxonomy else None)
    if path is None:
        raise TaxonomyError("no file was named; `copydesk taxonomy check FILE`, or set `taxonomy`")
    taxonomy = read_taxonomy(path)
    print(f"{path}: {taxonomy.terms:,} terms, version {taxonomy.version}")
    return 0
