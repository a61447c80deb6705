"""Figures of the de-duplication index: `python -m tests.bench.bench_index [ARTICLES]` (default 1,000,000).

CPU time of one thread. Articles are generated: 5 % exact and 10 % near duplicates, spread over a whole window, in
records of 500; a third is on the same as an earlier one. What stories take is told apart. Signatures and terms are
drawn rather than computed, so that the index alone is measured.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from time import thread_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.monitor.pulse import resident_bytes
from pipeline.records import Article, RawArticle, article_id
from pipeline.stages.deduplicate import Index, Replica, decode_claims, fingerprints
from pipeline.stages.deduplicate import index as index_module
from pipeline.stages.deduplicate.claims import ROW, Rows, encode_rows
from pipeline.stages.deduplicate.parameters import BINS, KEYS, TERMS

WINDOW_SECONDS = 604_800
BATCH = 500
LOWEST = np.uint64(0x1111_1111_1111_1111)  # so that no bin is empty


def drawn(count: int, seed: int) -> Iterator[Rows]:
    """`count` articles in batches; duplicates are of articles up to 64 batches back."""
    dice = np.random.default_rng(seed)
    models = np.zeros(0, dtype=ROW)
    for _ in range(0, count, BATCH):
        rows = np.zeros(BATCH, dtype=ROW)
        rows["id"] = dice.integers(0, 2**64, (BATCH, 2), dtype=np.uint64)
        rows["exact"], rows["revision"] = dice.integers(1, 2**64, (2, BATCH), dtype=np.uint64)
        rows["keys"] = dice.integers(1, 2**32, (BATCH, KEYS))
        rows["signature"] = dice.integers(0, 2**64, (BATCH, BINS // 16), dtype=np.uint64) | LOWEST
        rows["words"], rows["shingles"] = 600, 598
        if len(models):
            exact, near = np.split(dice.choice(BATCH, BATCH * 15 // 100, replace=False), [BATCH * 5 // 100])
            of = models[dice.integers(0, len(models), len(exact))]
            for name in ("exact", "keys", "signature"):
                rows[name][exact] = of[name]
            of = models[dice.integers(0, len(models), len(near))]
            kept = dice.random((len(near), KEYS)) < 0.75
            rows["keys"][near] = np.where(kept, of["keys"], rows["keys"][near])
            kept = dice.random((len(near), BINS // 16)) < 0.75
            rows["signature"][near] = np.where(kept, of["signature"], rows["signature"][near])
        rows["terms"] = _terms(dice, len(rows))
        if len(models):
            akin = dice.choice(BATCH, BATCH // 3, replace=False)
            rows["terms"][akin, :9] = models["terms"][dice.integers(0, len(models), len(akin)), :9]
        models = np.concatenate((models, rows))[-64 * BATCH :: 7]
        yield rows


def _terms(dice: np.random.Generator, count: int) -> NDArray[np.uint32]:
    """Different words each, of equal weight: of a million but the common ones, as often as words are."""
    words = np.exp(dice.uniform(np.log(1_000), np.log(1_000_000), (count, TERMS))).astype(np.uint64)
    words += np.arange(TERMS, dtype=np.uint64) - words % np.uint64(TERMS)
    hashes = (words * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    terms: NDArray[np.uint32] = (np.maximum(hashes, np.uint64(1)).astype(np.uint32) << np.uint32(8)) | np.uint32(64)
    return terms


def bench_apply(count: int, windows: int = 1) -> None:
    """Judge a log of `count` articles, decoding included, as a worker does that follows it; print cost and memory.

    The log is spread over so many windows: from the second on, each article is looked up in four slices.
    """
    worker, spent, since, slowest = Replica(WINDOW_SECONDS), 0.0, 0.0, 0.0
    told, resident = _timed("join"), resident_bytes()
    step = max(count // 10, BATCH)
    print(f"over {windows} window(s):")
    print(
        f"{'articles':>10} {'µs each':>8} {'articles/s':>11} {'bytes each':>11} {'stories: µs':>11} {'bytes':>6}"
        f" {'slowest record, ms':>19}"
    )
    for number, rows in enumerate(drawn(count, 1)):
        value = encode_rows(rows, _claimed_ms(number, count // windows), WINDOW_SECONDS, worker.basis)
        start = thread_time()
        worker.read([(number, decode_claims(value))], more=False)
        took = thread_time() - start
        spent, since, slowest = spent + took, since + took, max(slowest, took)
        done = (number + 1) * BATCH
        if done % step < BATCH:
            index = worker.index
            each, rate, size = since / step * 1e6, step / since, index.memory_bytes / len(index)
            stories = f"{told.pop() / step * 1e6:>11.1f} {index.story_bytes / len(index):>6.0f}"
            print(f"{done:>10,} {each:>8.1f} {rate:>11,.0f} {size:>11.0f} {stories} {slowest * 1e3:>19.0f}", flush=True)
            since = slowest = 0.0
            told.append(0.0)
    print(
        f"{done:,} articles, at last {len(index):,} in the index: {spent / done * 1e6:.1f} µs,"
        f" {len(value) / BATCH:.0f} bytes each on the log;"
        f" the process has grown by {(resident_bytes() - resident) / done:.0f} bytes each\n"
    )


def _timed(name: str) -> list[float]:
    """The seconds that the index's function `name` takes from now on are added to the last number of this list."""
    spent, function = [0.0], getattr(index_module, name)

    def timed(*args: Any) -> Any:
        start = thread_time()
        found = function(*args)
        spent[-1] += thread_time() - start
        return found

    setattr(index_module, name, timed)
    return spent


def bench_replay(count: int, size: int = BATCH) -> None:
    """A worker that starts reads a log of `count` articles in records of `size`, in chunks as they are fetched."""
    before, log = Replica(WINDOW_SECONDS), list[bytes]()
    for number, rows in enumerate(drawn(count, 1)):
        for at in range(0, BATCH, size):
            log.append(encode_rows(rows[at : at + size], _claimed_ms(number, count), WINDOW_SECONDS, before.basis))
            before.read([(len(log) - 1, decode_claims(log[-1]))], more=False)
    after, chunk = Replica(WINDOW_SECONDS), 3500 // size
    start = thread_time()
    for at in range(0, len(log), chunk):
        some = [(at + n, decode_claims(value)) for n, value in enumerate(log[at : at + chunk])]
        after.read(some, more=at + chunk < len(log))
    spent = thread_time() - start
    print(f"replay of {count:,} articles in records of {size:>3}: {count / spent:,.0f} a second")


def _claimed_ms(number: int, window: int) -> int:
    """So many articles come in a window."""
    return 1_700_000_000_000 + WINDOW_SECONDS * 1000 * number * BATCH // window


def bench_small_records(count: int) -> None:
    """The cost of an article where records are small, as at low traffic."""
    for batch in (1, 5, 20):
        index = Index(WINDOW_SECONDS)
        spent = 0.0
        for rows in drawn(count, 2):
            for at in range(0, BATCH, batch):
                value = encode_rows(rows[at : at + batch], 1_700_000_000_000)
                start = thread_time()
                index.apply(decode_claims(value))
                spent += thread_time() - start
        print(f"records of {batch:>2}: {spent / count * 1e6:.0f} µs an article")


def bench_fingerprint(count: int, words: int = 600) -> None:
    """The cost of `fingerprints` over `count` different texts in batches, after a few to warm up."""
    dice = random.Random(3)
    letters = "eeeettaaooiinnsshhrrddlluucmfwygpbvk"
    vocabulary = ["".join(dice.choices(letters, k=dice.randint(1, 11))) for _ in range(20_000)]
    weights = [1 / rank for rank in range(1, 20_001)]
    articles = []
    for number in range(count):
        text = dice.choices(vocabulary, weights, k=words)
        for at in range(dice.randrange(9), words, 13):
            text[at] = dice.choice(
                (f"“{text[at].capitalize()}”,", f"{dice.randint(1, 9999):,}", f"{text[at]}’s", text[at] + ".")
            )
        source = f"bench/{number}.txt"
        raw = RawArticle(article_id(source, 0, ""), source, 0, "text/plain", "", "", b"")
        articles.append(Article(raw, "text", "", False, " ".join(text), words))
    fingerprints(articles[:20])
    start = thread_time()
    for at in range(0, count, BATCH):
        fingerprints(articles[at : at + BATCH])
    print(f"fingerprint of {words} words: {(thread_time() - start) / count * 1e6:.0f} µs")


if __name__ == "__main__":
    bench_fingerprint(2_000)
    bench_small_records(5_000)
    bench_replay(20_000, 5)
    bench_replay(200_000)
    bench_apply(1_200_000, 3)
    bench_apply(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
