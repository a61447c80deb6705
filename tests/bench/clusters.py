"""Clusters of duplicates in real articles, to be looked at by eye: `python -m tests.bench.clusters FILE_OR_FOLDER…`.

Prints, by the very functions of watcher and worker but without Kafka, how many articles came to what, the largest
clusters, and the pairs that were closest to being judged otherwise: near duplicates that are least alike, derived ones
that are most alike.
"""

from __future__ import annotations

import argparse
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pipeline.clock import SystemClock
from pipeline.commands.desk import Desk
from pipeline.settings import load

_SHOWN_SIGNS = 600


@dataclass(frozen=True, slots=True)
class Copy:
    """An article that was linked to an earlier one."""

    how: str
    similarity: float
    of: str
    told: str


def main() -> None:
    """Print the counts and the clusters."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--show", type=int, default=20)
    args = parser.parse_args()
    told: dict[str, str] = {}
    copies: list[Copy] = []
    counts: Counter[str] = Counter()
    for topic, key, record in _outcomes(args.paths):
        counts[topic] += 1
        told[key] = _tell(record)
        copies += _copies(record, told[key])
    counts.update(copy.how for copy in copies)
    print(", ".join(f"{name} {count:,}" for name, count in counts.items()))
    _print_largest(copies, told, args.show)
    for how, closest_first in (("near", 1), ("derived", -1)):
        print(f"\n## Closest to being judged otherwise: {how}")
        ranked = sorted((copy for copy in copies if copy.how == how), key=lambda c: closest_first * c.similarity)
        for copy in ranked[: args.show]:
            print(f"\n{copy.similarity:.3f}\n{told[copy.of]}\n{copy.told}")


def _outcomes(paths: list[Path]) -> Iterator[tuple[str, str, Any]]:
    """Topic, key and value of everything but the rejected."""
    desk = Desk(load({}), SystemClock())
    try:
        files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
        for file in (file for file in files if file.is_file()):
            for found in desk.explain(file):
                if found.look.name == "rejected":
                    continue
                yield found.look.name, (found.look.key or b"").decode(), orjson.loads(found.look.value or b"{}")
    finally:
        desk.close()


def _tell(record: Any) -> str:
    body = " ".join(record["bodies"][0]["value"].split())[:_SHOWN_SIGNS]
    head = f"{record['x_copydesk']['source']}: {record['headlines'][0]['value']}"
    return textwrap.fill(head, 110) + "\n" + textwrap.indent(textwrap.fill(body, 106), "    ")


def _copies(record: Any, told: str) -> list[Copy]:
    ours = record["x_copydesk"]
    if duplicate := ours.get("duplicate"):
        return [Copy(duplicate["method"], duplicate["similarity"], duplicate["of"], told)]
    if derived := ours.get("derived"):
        return [Copy("derived", derived["similarity"], derived["of"], told)]
    return []


def _print_largest(copies: list[Copy], told: dict[str, str], most: int) -> None:
    clusters: defaultdict[str, list[Copy]] = defaultdict(list)
    for copy in copies:
        if copy.how != "derived":
            clusters[copy.of].append(copy)
    print("\n## Largest clusters")
    for of, members in sorted(clusters.items(), key=lambda item: -len(item[1]))[:most]:
        print(f"\n{len(members) + 1} articles\n{told[of]}")
        for copy in members:
            print(f"  {copy.how} {copy.similarity:.3f}\n{textwrap.indent(copy.told, '  ')}")


if __name__ == "__main__":
    main()
