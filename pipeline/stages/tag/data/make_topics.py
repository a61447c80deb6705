"""Makes `topics.tsv` (code, label, parent) from the IPTC's Media Topics file, for the codes in `topic_words.tsv`.

Run it by hand: `python pipeline/stages/tag/data/make_topics.py cptall-en-GB.json`. Facts only, no definitions.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def parents(concept: dict[str, Any]) -> list[str]:
    """Codes right above `concept`; they stand there as addresses."""
    return [address.rsplit("/", 1)[-1] for address in concept.get("broader", [])]


def wanted(concepts: dict[str, Any], code: str) -> set[str]:
    """`code` and all that stand above it. Raises KeyError where the code is unknown or retired."""
    return {code}.union(*(wanted(concepts, parent) for parent in parents(concepts[code])))


def main(source: Path) -> None:
    """Read the vocabulary at `source`, write the file beside this one."""
    every = json.loads(source.read_text(encoding="utf-8"))["conceptSet"]
    concepts = {c["qcode"].removeprefix("medtop:"): c for c in every if "retired" not in c}
    lines = (HERE / "topic_words.tsv").read_text(encoding="utf-8").splitlines()
    codes = {line.split("\t")[0] for line in lines if not line.startswith("#")}
    keep = sorted(set().union(*(wanted(concepts, code) for code in codes)))
    rows = []
    for code in keep:
        above = (parents(concepts[code]) or [""])[0]
        rows.append(f"{code}\t{concepts[code]['prefLabel']['en-GB']}\t{above}\n")
    (HERE / "topics.tsv").write_text("".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
