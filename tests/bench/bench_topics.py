"""How right the topics are: labelled public news, by top-level Media Topic. Nothing was trained on it.

    python -m tests.bench.bench_topics --ag FOLDER --bbc FOLDER [--huffpost FILE]

`--ag` is the folder `data/ag_news_csv` of github mhjabreel/CharCnn_Keras (7,600 leads of news; for non-commercial use),
`--bbc` a folder of the BBC's 2,225 articles of 2004 and 2005 in five sections, a folder each (github
dejanbatanjac/bbc-article-classify-bert has it; the texts are the BBC's, to be used for research), `--huffpost` the News
Category Dataset (JSON Lines, Misra 2022, CC BY 4.0: headline and one sentence). A label counts as found where one of
the top topics that it may mean is among ours. Of other languages no text may have a topic: `--other` takes a folder of
texts, a file a language, as in github pemistahl/lingua-py, `language-testdata/sentences`.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.records import Article, RawArticle
from pipeline.stages.tag import Tagger

ARTS, CRIME, DISASTER, ECONOMY, EDUCATION, ENVIRONMENT, HEALTH = (f"{n:02}000000" for n in range(1, 8))
LEISURE, POLITICS, RELIGION, SCIENCE, SOCIETY, SPORT, CONFLICT, WEATHER = (f"{n:02}000000" for n in range(10, 18))
# What AG calls the world is politics, war, crime or disaster, and its technology has the business of technology, too.
AG = {
    "1": ("world", {POLITICS, CONFLICT, CRIME, DISASTER}), "2": ("sport", {SPORT}), "3": ("business", {ECONOMY}),
    "4": ("science, technology", {SCIENCE, ECONOMY}),
}  # fmt: skip
BBC = {
    "business": {ECONOMY}, "entertainment": {ARTS}, "politics": {POLITICS}, "sport": {SPORT},
    "tech": {SCIENCE, ECONOMY, ARTS},
}  # fmt: skip
HUFFPOST = {
    "POLITICS": {POLITICS}, "BUSINESS": {ECONOMY}, "MONEY": {ECONOMY}, "SPORTS": {SPORT}, "CRIME": {CRIME},
    "RELIGION": {RELIGION}, "SCIENCE": {SCIENCE}, "TECH": {SCIENCE, ECONOMY}, "EDUCATION": {EDUCATION},
    "COLLEGE": {EDUCATION}, "ENVIRONMENT": {ENVIRONMENT}, "GREEN": {ENVIRONMENT}, "ENTERTAINMENT": {ARTS},
    "ARTS": {ARTS}, "ARTS & CULTURE": {ARTS}, "CULTURE & ARTS": {ARTS}, "TRAVEL": {LEISURE}, "FOOD & DRINK": {LEISURE},
    "TASTE": {LEISURE}, "WELLNESS": {HEALTH, LEISURE}, "HEALTHY LIVING": {HEALTH, LEISURE},
}  # fmt: skip


BRIEF = range(20, 41)


class Labelled(NamedTuple):
    """An article, and the top topics that its label may mean."""

    article: Article
    label: str
    topics: set[str]


def article(headline: str, body: str) -> Article:
    raw = RawArticle("0" * 32, "bench", 0, "text/plain", "2025-03-18T09:00:00.000Z", "0" * 64, b"")
    return Article(raw, "text", headline, not headline, body, len(body.split()))


def ag(folder: Path) -> Iterator[Labelled]:
    with (folder / "test.csv").open(encoding="utf-8", newline="") as file:
        for number, headline, body in csv.reader(file):
            label, topics = AG[number]
            yield Labelled(article(headline, body.replace("\\", " ")), label, topics)


def bbc(folder: Path) -> Iterator[Labelled]:
    for label, topics in BBC.items():
        for path in sorted((folder / label).glob("*.txt")):
            headline, _, body = path.read_text(encoding="utf-8", errors="replace").partition("\n\n")
            yield Labelled(article(headline, body.strip()), label, topics)


def briefs(folder: Path) -> Iterator[Labelled]:
    """Headline and first paragraph of the BBC's articles, where that has 20 to 40 words."""
    for one in bbc(folder):
        lead = one.article.body.partition("\n\n")[0]
        if len(lead.split()) in BRIEF:
            yield one._replace(article=article(one.article.headline, lead))


def huffpost(path: Path) -> Iterator[Labelled]:
    for line in path.read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        if topics := HUFFPOST.get(found["category"]):
            label = "/".join(sorted(topics))
            yield Labelled(article(found["headline"], found["short_description"]), label, topics)


def measure(name: str, tagger: Tagger, labelled: list[Labelled]) -> None:
    """Print, by label: how many have it among their topics, have it first, have none, and what was said instead."""
    print(f"{name}: {len(labelled):,} articles")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    instead: dict[str, Counter[str]] = defaultdict(Counter)
    found = tagger.tag_all([one.article for one in labelled])
    for one, tags in zip(labelled, found, strict=True):
        tops = [topic for topic in tags.topics if len(topic.path) == 1]
        hits = [topic.code in one.topics for topic in tops]
        counts[one.label].update(all=1, none=not tops, first=bool(hits and hits[0]), found=any(hits))
        if tops and not any(hits):
            instead[one.label][tops[0].label] += 1
    for label, count in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        said = max(count["all"] - count["none"], 1)
        right, first = count["found"], count["first"]
        every = count["all"]
        print(f"  {label:24} {every:5} found {right / every:.3f}, no topic {count['none'] / every:.3f};", end=" ")
        print(
            f"where there is one: right {right / said:.3f}, first {first / said:.3f}",
            dict(instead[label].most_common(3)),
        )


def other(tagger: Tagger, folder: Path) -> None:
    """Print for how many texts of other languages there is a topic."""
    texts = [(path.stem, text) for path in sorted(folder.glob("*.txt")) if path.stem != "en" for text in _texts(path)]
    tags = tagger.tag_all([article("", text) for _, text in texts])
    wrong = Counter(code for (code, _), found in zip(texts, tags, strict=True) if found.topics or found.people)
    print(f"other languages: {len(texts):,} texts, {sum(wrong.values())} with a topic or a person: {dict(wrong)}")


def _texts(path: Path) -> Iterable[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return (" ".join(lines[i : i + 8]) for i in range(0, min(len(lines), 400), 8))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("ag", "bbc", "huffpost", "other"):
        parser.add_argument(f"--{name}", type=Path)
    args = parser.parse_args()
    tagger = Tagger()
    if args.ag:
        measure("AG News, test", tagger, list(ag(args.ag)))
    if args.bbc:
        measure("BBC", tagger, list(bbc(args.bbc)))
        measure("BBC, headline and first paragraph of 20 to 40 words", tagger, list(briefs(args.bbc)))
    if args.huffpost:
        measure("News Category Dataset", tagger, list(huffpost(args.huffpost)))
    if args.other:
        other(tagger, args.other)


if __name__ == "__main__":
    main()
