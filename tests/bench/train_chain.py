"""Trains the chain of `pipeline/stages/tag/chain.py` and writes its weights. Run by hand:

    python -m tests.bench.train_chain --ner FOLDER --gum FOLDER --dev FOLDER

`pipeline/stages/tag/data/README.md` names the texts and their licences. Universal NER is never trained
on: its part `dev` chooses, its part `test` measures. Half of Wikigold is trained on, the other half measures.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.tag.chain import BITS, KINDS, LABELS, OUTSIDE, Batch, Chain, Tokens, features, find_runs, tokens
from pipeline.stages.tag.gazetteer import Gazetteer
from pipeline.stages.tag.letters import cut
from pipeline.stages.tag.lexicon import Lexicon
from pipeline.stages.tag.places import Atlas
from pipeline.stages.tag.words import DATA, words
from tests.bench import corpora
from tests.bench.corpora import Document

# The genres of GUM whose texts are stated to be under CC BY; of speeches, textbooks and vlogs its licence says nothing.
FREE_GENRES = ("news", "interview", "court", "academic")
EPOCHS, BATCH, RATE, PENALTY = 8, 64, 0.03, 0.05
NEVER = -1e4
FORBIDDEN = -1_000_000
# Chosen on the part `dev` of Universal NER: a little more found, a little less of it right.
EAGER = 0.2
# Of the largest weight, in the 16 bits that a weight is kept in.
LARGEST = 2_000
# Smaller ones decide nothing, but half the file is theirs.
SMALLEST = 10


class Example(NamedTuple):
    """One run: the features of its words, and what they are."""

    ids: NDArray[np.uint32]
    gold: list[int]


class Reader:
    """Turns documents into what the chain sees of them."""

    def __init__(self) -> None:
        self.atlas = Atlas()
        self.gazetteer = Gazetteer(self.atlas)
        self.lexicon = Lexicon(self.atlas)

    def batch(self, texts: list[str]) -> Batch:
        cuts = cut(texts)
        runs = find_runs(cuts)
        known = [self.gazetteer.letters(self.gazetteer.find(text)) for text in texts]
        return Batch(cuts, runs, tokens(texts, cuts, runs), known)

    def examples(self, document: Document) -> list[Example]:
        batch = self.batch([document.text])
        (text,) = batch.texts
        if not text.runs:
            return []
        ids = features(batch, self.lexicon).T
        labels = _labels(text, document)
        return [Example(ids[first:after], labels[first:after]) for first, after in text.runs]


def _labels(tokens: Tokens, document: Document) -> list[int]:
    labels = [OUTSIDE] * len(tokens.starts)
    starts = {start: i for i, start in enumerate(tokens.starts)}
    ends = {end: i for i, end in enumerate(tokens.ends)}
    for name in document.names:
        first, last = starts.get(name.start), ends.get(name.end)
        if first is None or last is None:
            continue
        code = 1 + 2 * KINDS.index(name.kind)
        labels[first : last + 1] = [code] + [code + 1] * (last - first)
    return labels


def allowed() -> NDArray[np.bool_]:
    """Which label may follow which; the last row is for the first word. Only B and I of a kind stand before its I."""
    table = np.ones((LABELS + 1, LABELS), bool)
    for kind in range(len(KINDS)):
        table[:, 2 + 2 * kind] = False
        table[1 + 2 * kind : 3 + 2 * kind, 2 + 2 * kind] = True
    return table


class Field:
    """A conditional random field (Lafferty et al. 2001), trained by AdaGrad (Duchi et al. 2011)."""

    def __init__(self) -> None:
        self.weights = np.zeros((1 << BITS, LABELS), np.float32)
        self.moves = np.zeros((LABELS + 1, LABELS))
        # Squares of 1 to begin with hold the first steps back, so that rare features do not outweigh frequent ones.
        self._squares = np.ones_like(self.weights)
        self._moves_squares = np.ones_like(self.moves)
        self._allowed = allowed()

    def learn(self, ids: NDArray[np.int64], gold: NDArray[np.int64]) -> None:
        """One step on runs of one length: `ids` by run, word and feature, `gold` by run and word."""
        slopes, moves = self._slopes(ids, gold)
        moves += PENALTY * self.moves
        self._moves_squares += moves**2
        self.moves -= RATE * moves / np.sqrt(self._moves_squares)
        rows, where = np.unique(ids, return_inverse=True)
        total = np.zeros((len(rows), LABELS), np.float32)
        np.add.at(total, where.ravel(), np.repeat(slopes.reshape(-1, LABELS), ids.shape[2], axis=0).astype(np.float32))
        total += PENALTY * self.weights[rows]
        self._squares[rows] += total**2
        self.weights[rows] -= RATE * total / np.sqrt(self._squares[rows])

    def _slopes(
        self, ids: NDArray[np.int64], gold: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How the loss changes with each word's scores, and with the moves: by sums forwards and backwards."""
        count, length = gold.shape
        scores = self.weights[ids].sum(2, dtype=np.float64)
        table = np.where(self._allowed, self.moves, NEVER)
        ahead = [table[LABELS] + scores[:, 0]]
        for i in range(1, length):
            ahead.append(_log_sum(ahead[-1][:, :, None] + table[None, :LABELS], 1) + scores[:, i])
        behind = [np.zeros((count, LABELS))]
        for i in range(length - 1, 0, -1):
            behind.insert(0, _log_sum(table[None, :LABELS] + (scores[:, i] + behind[0])[:, None, :], 2))
        whole = _log_sum(ahead[-1], 1)[:, None]
        slopes = np.stack([np.exp(a + b - whole) for a, b in zip(ahead, behind, strict=True)], 1)
        runs = np.arange(count)
        for i in range(length):
            slopes[runs, i, gold[:, i]] -= 1
        moves = np.zeros_like(self.moves)
        moves[LABELS] = slopes[:, 0].sum(0)
        for i in range(1, length):
            both = ahead[i - 1][:, :, None] + table[None, :LABELS] + (scores[:, i] + behind[i])[:, None, :]
            moves[:LABELS] += np.exp(both - whole[:, :, None]).sum(0)
            np.add.at(moves, (gold[:, i - 1], gold[:, i]), -1)
        return slopes, moves


def _log_sum(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    top = values.max(axis=axis, keepdims=True)
    found: NDArray[np.float64] = (top + np.log(np.exp(values - top).sum(axis=axis, keepdims=True))).squeeze(axis)
    return found


def train(examples: list[Example]) -> Field:
    """The field after `EPOCHS` rounds. Fixed seed: the same texts give the same weights."""
    lengths: dict[int, list[Example]] = defaultdict(list)
    for example in examples:
        lengths[len(example.gold)].append(example)
    groups = [(np.stack([e.ids for e in v]).astype(np.int64), np.array([e.gold for e in v])) for v in lengths.values()]
    rng, field = np.random.default_rng(1), Field()
    for _ in range(EPOCHS):
        batches = []
        for group, (ids, _gold) in enumerate(groups):
            order = rng.permutation(len(ids))
            batches += [(group, order[i : i + BATCH]) for i in range(0, len(ids), BATCH)]
        for number in rng.permutation(len(batches)):
            group, part = batches[number]
            field.learn(groups[group][0][part], groups[group][1][part])
    return field


def whole(field: Field, eager: float) -> tuple[NDArray[np.int16], NDArray[np.int32]]:
    """Weights and moves as whole numbers of one scale. `eager` is taken off every word's score for no name."""
    scale = LARGEST / np.abs(field.weights).max()
    moves = field.moves.copy()
    moves[:, OUTSIDE] -= eager
    rounded = np.rint(field.weights * scale).astype(np.int16)
    rounded[np.abs(rounded) < SMALLEST] = 0
    return rounded, np.where(allowed(), np.rint(moves * scale), FORBIDDEN).astype(np.int32)


def score(chain: Chain, reader: Reader, documents: list[Document]) -> str:
    """Strict precision, recall and F1."""
    right = said = gold = 0
    for document in documents:
        found = {span._replace(doubtful=False) for span in chain.spans(reader.batch([document.text]))[0]}
        right += len(found & set(document.names))
        said += len(found)
        gold += len(document.names)
    precision, recall = right / max(said, 1), right / max(gold, 1)
    return f"precision {precision:.3f} recall {recall:.3f} F1 {2 * right / max(said + gold, 1):.3f}"


def main() -> None:
    """Train on all that is given, say how it does on `dev`, write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("ner", "gum", "dev"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=DATA / "chain.npz")
    args = parser.parse_args()
    reader = Reader()
    titles = words("titles.txt") | words("title_starts.txt")
    peoples = frozenset(name for name, known in reader.atlas.names.items() if known.hints)
    # Every other document of Wikigold is kept to measure on. It is small and marked as we want it: it counts twice.
    gold = corpora.wikigold(args.ner)
    marked = (corpora.tidied(document, titles, peoples) for document in corpora.gum(args.gum, FREE_GENRES))
    texts = [*gold[::2], *gold[::2], *marked, *corpora.tweets(args.ner)]
    examples = [example for document in texts for example in reader.examples(document)]
    names = sum(len(document.names) for document in texts)
    print(f"{len(texts):,} documents, {names:,} names, {len(examples):,} runs")
    field = train(examples)
    dev = corpora.universal(args.dev, "dev")
    for eager in sorted({0.0, 0.4, EAGER}):
        weights, moves = whole(field, eager)
        print(f"eager {eager}: dev {score(Chain(reader.lexicon, weights, moves), reader, dev)}")
    weights, moves = whole(field, EAGER)
    np.savez_compressed(args.out, weights=weights, moves=moves)
    print(f"{args.out}: {args.out.stat().st_size:,} bytes")
    chain = Chain(reader.lexicon, weights, moves)
    print("wikigold, other half:", score(chain, reader, gold[1::2]))


if __name__ == "__main__":
    main()
