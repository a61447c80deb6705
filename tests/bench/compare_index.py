"""Our index beside LSH indexes that there are: `python -m tests.bench.compare_index [ARTICLES]` (default 50,000).

CPU time of one thread and growth of resident memory, each in a process of its own. The others query and insert ready
MinHash signatures of 128 values (32 bands of 4) and keep no signatures to verify by; ours decodes, looks up, verifies,
judges and enters. `datasketch` is no dependency of ours: where it is not installed, its line is left out.
"""

from __future__ import annotations

import gc
import importlib.util
import multiprocessing
import resource
import sys
from collections.abc import Callable
from time import thread_time
from typing import Any

import numpy as np

from pipeline.stages.deduplicate import Index, decode_claims
from pipeline.stages.deduplicate.claims import encode_rows
from tests.bench.bench_index import WINDOW_SECONDS, drawn

_BANDS, _PERMUTATIONS = 32, 128


def ours(count: int) -> float:
    """Seconds of `Index.apply`."""
    index, spent = Index(WINDOW_SECONDS), 0.0
    for rows in drawn(count, 1):
        value = encode_rows(rows, 1_700_000_000_000)
        start = thread_time()
        index.apply(decode_claims(value))
        spent += thread_time() - start
    return spent


def rensa(count: int) -> float:
    """Seconds of query and insert in rensa's LSH."""
    import rensa

    lsh = rensa.RMinHashLSH(threshold=0.5, num_perm=_PERMUTATIONS, num_bands=_BANDS)
    return _spent(count, _rensa_sketch, lsh.query, lsh.insert)


def datasketch(count: int) -> float:
    """Seconds of query and insert in datasketch's LSH."""
    from datasketch import MinHash, MinHashLSH

    dice = np.random.default_rng(1)
    lsh = MinHashLSH(num_perm=_PERMUTATIONS, params=(_BANDS, _PERMUTATIONS // _BANDS))

    def sketch(number: int) -> Any:
        values = dice.integers(0, 2**32, _PERMUTATIONS, dtype=np.uint64)
        return MinHash(num_perm=_PERMUTATIONS, hashvalues=values, scheme="legacy")

    return _spent(count, sketch, lsh.query, lsh.insert)


def _rensa_sketch(number: int) -> Any:
    import rensa

    sketch = rensa.RMinHash(num_perm=_PERMUTATIONS, seed=42)
    sketch.update([f"{number}/{word}" for word in range(50)])
    return sketch


def _spent(
    count: int, sketch: Callable[[int], Any], query: Callable[[Any], Any], insert: Callable[[int, Any], Any]
) -> float:
    spent = 0.0
    for number in range(count):
        made = sketch(number)
        start = thread_time()
        query(made)
        insert(number, made)
        spent += thread_time() - start
    return spent


def _report(name: str, count: int) -> None:
    globals()[name](100)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = globals()[name](count)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    print(f"{name:>10}: {seconds / count * 1e6:6.1f} µs and {grown / count:6.0f} bytes an article", flush=True)


if __name__ == "__main__":
    articles = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    for index_name in ("ours", "rensa", "datasketch"):
        if index_name == "ours" or importlib.util.find_spec(index_name):
            process = multiprocessing.get_context("spawn").Process(target=_report, args=(index_name, articles))
            process.start()
            process.join()
