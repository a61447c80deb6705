"""Figures of reading web pages, beside trafilatura alone: `python -m tests.bench.bench_pages FOLDER…`.

A folder is a checkout of scrapinghub/article-extraction-benchmark (bodies, measured as its own evaluate.py does) or of
adbar/trafilatura (its tests/evaldata.json: title, day, authors, and pieces that must or must not be in the body).
CPU time of one thread, the pages read beforehand, every page by each extractor before the next, so that a machine that
is busy at times is so for both; they take turns in being first, since what one of them caches serves the other.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, quantiles
from time import thread_time
from typing import Any

from trafilatura import bare_extraction

from pipeline.errors import BadInput
from pipeline.records import RawArticle
from pipeline.stages.normalise import normalise

RECEIVED = "2026-11-01T00:00:00Z"
SHINGLE = 4


@dataclass(frozen=True)
class Found:
    """What an extractor says of one page."""

    body: str = ""
    title: str = ""
    day: str = ""
    timed: bool = False
    authors: tuple[str, ...] = ()


@dataclass
class Page:
    """One page and what people found on it; None where they did not say."""

    content: bytes
    url: str
    body: str | None = None
    title: str | None = None
    day: str | None = None
    authors: tuple[str, ...] | None = None
    inside: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


def ours(page: Page) -> Found:
    raw = RawArticle("0" * 32, "page.html", 0, "text/html", RECEIVED, "", page.content)
    try:
        article = normalise(raw)
    except BadInput:
        return Found()
    date = article.published
    title = "" if article.headline_derived else article.headline
    timed = date is not None and date.precision != "day"
    # People who label pages write down the day they see, not that in London.
    stated = re.match(r"\d{4}-\d\d-\d\d", date.raw) if date else None
    day = stated[0] if stated else date.value[:10] if date else ""
    return Found(article.body, title, day, timed, article.byline)


def trafilatura_alone(page: Page) -> Found:
    found = bare_extraction(page.content, fast=True, include_comments=False, with_metadata=True)
    if found is None:
        return Found()
    authors = tuple((found.author or "").split("; ")) if found.author else ()
    return Found(found.text or "", found.title or "", found.date or "", False, authors)


EXTRACTORS: dict[str, Callable[[Page], Found]] = {"copydesk": ours, "trafilatura alone (fast)": trafilatura_alone}


def load(folder: Path) -> list[Page]:
    """The pages of either benchmark."""
    if (folder / "ground-truth.json").exists():
        truth = json.loads((folder / "ground-truth.json").read_text())
        return [
            Page(
                gzip.decompress((folder / "html" / f"{key}.html.gz").read_bytes()),
                said.get("url", ""),
                said["articleBody"],
            )
            for key, said in truth.items()
        ]
    tests = folder / "tests"
    pages = []
    for url, said in json.loads((tests / "evaldata.json").read_text()).items():
        paths = [path for name in ("cache", "eval") if (path := tests / name / said["file"]).exists()]
        if not paths:
            continue
        stated = said.get("author")
        authors = tuple(stated if isinstance(stated, list) else re.split(r"; ", stated)) if stated else None
        title, day = said.get("title") or None, said.get("date") or None
        inside, outside = said["with"] or [], said["without"] or []
        pages.append(Page(paths[0].read_bytes(), url, None, title, day, authors, inside, outside))
    return pages


def shingles(text: str) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    return Counter(tuple(words[n : n + SHINGLE]) for n in range(max(1, len(words) - SHINGLE + 1)) if words)


def overlap(true: str, said: str) -> tuple[float, float]:
    """Precision and recall of the words in order."""
    expected, found = shingles(true), shingles(said)
    common = (expected & found).total()
    return (common / found.total() if found else 0.0, common / expected.total() if expected else 1.0)


def pieces(page: Page, body: str) -> Counter[str]:
    inside, outside = [words in body for words in page.inside], [words in body for words in page.outside]
    return Counter(hit=sum(inside), missed=len(inside) - sum(inside), wrong=sum(outside))


def f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def squeezed(text: str) -> str:
    return " ".join(text.split())


def share(pairs: Iterable[tuple[Any, Any]]) -> str:
    """How many of what is known was found exactly."""
    known = [(true, said) for true, said in pairs if true is not None]
    return f"{sum(true == said for true, said in known) / len(known):.3f} of {len(known)}" if known else "-"


def extracted(pages: list[Page]) -> dict[str, list[tuple[Found, float]]]:
    """By extractor: what it says of each page, and the milliseconds that took."""
    rows: dict[str, list[tuple[Found, float]]] = {name: [] for name in EXTRACTORS}
    for extract in EXTRACTORS.values():
        extract(pages[0])
    turns = list(EXTRACTORS.items())
    for page in pages:
        turns.reverse()
        for name, extract in turns:
            begun = thread_time()
            found = extract(page)
            rows[name].append((found, (thread_time() - begun) * 1000))
    return rows


def measure(pages: list[Page], extracts: list[tuple[Found, float]]) -> dict[str, str]:
    found, times = [said for said, _ in extracts], [spent for _, spent in extracts]
    both = list(zip(pages, found, strict=True))
    row = {"ms mean / p95": f"{mean(times):.1f} / {quantiles(times, n=20)[-1]:.1f}"}
    if pages[0].body is not None:
        scores = [overlap(page.body or "", said.body) for page, said in both]
        precision = mean(score[0] for score, (_, said) in zip(scores, both, strict=True) if said.body)
        recall = mean(score[1] for score in scores)
    else:
        total: Counter[str] = sum((pieces(page, said.body) for page, said in both), Counter())
        precision, recall = (
            total["hit"] / (total["hit"] + total["wrong"]),
            total["hit"] / (total["hit"] + total["missed"]),
        )
    row["body F1 (P / R)"] = f"{f1(precision, recall):.4f} ({precision:.3f} / {recall:.3f})"
    row["title exact"] = share((page.title and squeezed(page.title), squeezed(said.title)) for page, said in both)
    row["day"] = share((page.day, said.day) for page, said in both)
    row["time of day stated"] = f"{mean(said.timed for said in found):.3f}"
    row["authors exact"] = share((page.authors, said.authors) for page, said in both)
    return row


def main(folders: list[Path]) -> None:
    for folder in folders:
        pages = load(folder)
        rows = {name: measure(pages, extracts) for name, extracts in extracted(pages).items()}
        print(f"\n{folder.name}: {len(pages)} pages\n")
        columns = list(next(iter(rows.values())))
        print("| | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1))
        for name, row in rows.items():
            print(f"| {name} | " + " | ".join(row[column] for column in columns) + " |")


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
