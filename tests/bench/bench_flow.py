"""The whole flow on a broker of its own, in figures: freshness, number of workers, a file of a gigabyte.

    python -m tests.bench.bench_flow fresh --files 20
    python -m tests.bench.bench_flow workers --articles 50000 --workers 2 1 4
    python -m tests.bench.bench_flow large --bytes 1000000000

`fresh`: `copydesk run` is up, files are written into its inbox one after the other, at odd moments; how long from a
file's last byte until a `read_committed` consumer has it. `workers`: the same articles, with each number of workers;
the independent oracle must find no fault, and the same clusters of duplicates each time. `large`: one JSON Lines file,
the watcher killed in the middle of it and started again; each article once, and the watcher's peak memory.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

import orjson
from confluent_kafka import Consumer, TopicPartition

from pipeline.broker import EmbeddedBroker
from pipeline.generate import articles
from tests import oracle
from tests.faults.whole import whole
from tests.rig import Rig, rig

_PATIENCE_SECONDS = 3600.0
_ARTICLE = " date 2025-03-18 The ferry to island {0} sailed on Tuesday, {0} hours late.\n\nNobody complained {1}."


def main() -> None:
    """Run the part that was asked for; a fault in what came out ends it with an AssertionError."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    parts.add_parser("fresh").add_argument("--files", type=int, default=20)
    workers = parts.add_parser("workers")
    workers.add_argument("--articles", type=int, default=50_000)
    workers.add_argument("--workers", type=int, nargs="+", default=[2, 1, 4])
    large = parts.add_parser("large")
    large.add_argument("--bytes", type=int, default=1_000_000_000)
    large.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        if args.part == "fresh":
            _fresh(Path(folder), args.files)
            return
        with EmbeddedBroker(Path(folder), 0, lambda line: None) as broker:
            if args.part == "workers":
                _workers(broker.bootstrap, Path(folder), args.articles, args.workers)
            else:
                _large(broker.bootstrap, Path(folder), args.bytes, args.workers)


def _fresh(folder: Path, files: int) -> None:
    """Write, and wait for what comes out; the first file only warms up."""
    with whole(folder, seed=1) as made:
        made.start()
        enriched = f"{made.rig.settings.prefix}.enriched"
        consumer = oracle.reader(made.rig.settings.broker)
        partitions = consumer.list_topics(enriched, timeout=30).topics[enriched].partitions
        consumer.assign([TopicPartition(enriched, number, 0) for number in partitions])
        for name, renamed in (("written", False), ("renamed into place", True)):
            seconds = []
            for number in range(files + 1):
                # Odd moments: the watcher must not be caught at the same point of its round each time.
                time.sleep(random.Random(number).uniform(0.5, 1.5))
                source = f"{name.split()[0]}-{number}.txt"
                last_byte = _write(made.rig.inbox / source, _ARTICLE.format(number, os.urandom(8).hex()), renamed)
                _wait_for(consumer, source)
                seconds.append(time.monotonic() - last_byte)
            median, worst = statistics.median(seconds[1:]), max(seconds[1:])
            print(f"{name:20} {files} files: median {median:.2f} s, slowest {worst:.2f} s", flush=True)
        consumer.close()


def _write(path: Path, text: str, renamed: bool) -> float:
    target = path.with_suffix(".part") if renamed else path
    target.write_text(text)
    if renamed:
        target.rename(path)
    return time.monotonic()


def _wait_for(consumer: Consumer, source: str) -> None:
    """Until a record that was made from the file `source` is read."""
    while True:
        message = consumer.poll(30)
        assert message is not None, f"waited 30 s in vain for {source}"
        assert not message.error(), message.error()
        if orjson.loads(message.value())["x_copydesk"]["source"] == source:
            return


def _workers(bootstrap: str, folder: Path, count: int, numbers: list[int]) -> None:
    """The same articles with each number of workers: conserved, and the same clusters."""
    clusters = []
    for turn, number in enumerate(numbers):
        with rig(bootstrap, f"bench{turn}", folder / str(turn)) as desk:
            desk.drop_articles(count)
            _publish(desk, count)
            begun = time.monotonic()
            for _ in range(number):
                desk.start("worker")
            desk.wait_settled(count, _PATIENCE_SECONDS)
            seconds = time.monotonic() - begun
            desk.stop()
            topics = desk.topics()
        assert topics.faults() == [], topics.faults()[:5]
        assert sum(topics.raw.values()) == count
        clusters.append(topics.clusters())
        found = ", ".join(f"{name} {len(topics.records[name]):,}" for name in oracle.OUTCOMES)
        print(
            f"{number} workers: {count:,} of {count:,}, 0 faults; {found}; {len(clusters[-1]):,} clusters;"
            f" {count / seconds:,.0f} articles/s",
            flush=True,
        )
    assert all(one == clusters[0] for one in clusters), "the clusters differ"
    print("the same clusters each time")


def _publish(desk: Rig, count: int) -> None:
    """Let a watcher publish everything, then end it."""
    watcher = desk.start("watch")
    desk.wait(lambda: desk.settled() >= 0 and desk.received >= count, f"{count} articles on the raw topic", 600)
    watcher.terminate()
    watcher.wait(40)


def _large(bootstrap: str, folder: Path, size_bytes: int, workers: int) -> None:
    """One large file, a watcher that is killed in the middle of it; ids only, so that the judge fits in memory."""
    with rig(bootstrap, "large", folder / "large") as desk:
        count = _make(desk.inbox / "large.jsonl", size_bytes)
        print(f"{count:,} articles in {size_bytes / 1e9:.2f} GB", flush=True)
        for _ in range(workers):
            desk.start("worker")
        watcher, peaks = desk.start("watch"), []
        begun = time.monotonic()
        desk.wait(lambda: desk.settled() >= 0 and desk.received > count * 0.4, "two fifths to be published", 1200)
        peaks.append(_peak_mb(watcher.pid))
        watcher.kill()
        print(f"watcher killed after {desk.received:,} articles, peak memory {peaks[-1]:.0f} MB", flush=True)
        watcher = desk.start("watch")
        desk.wait(lambda: desk.settled() >= 0 and desk.received >= count, "the rest to be published", 1200)
        peaks.append(_peak_mb(watcher.pid))
        print(f"all published after {time.monotonic() - begun:.0f} s, peak memory {peaks[-1]:.0f} MB", flush=True)
        desk.wait_settled(count, _PATIENCE_SECONDS)
        seconds = time.monotonic() - begun
        desk.kill()
    raw = _ids(bootstrap, "large.raw")
    out = sum((_ids(bootstrap, f"large.{name}") for name in oracle.OUTCOMES), Counter())
    assert len(raw) == count
    assert set(raw.values()) == set(out.values()) == {1}
    assert raw == out
    assert max(peaks) < 300, peaks
    print(f"{count:,} of {count:,} articles, each exactly once, in {seconds:.0f} s")


def _make(path: Path, size_bytes: int) -> int:
    """Generated articles, a line each, until the file has `size_bytes`; how many they are."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        for seed in itertools.count(1):
            for made in articles(10_000, seed):
                file.write(made.line + b"\n")
            if file.tell() >= size_bytes:
                break
    with part.open("rb") as file:
        count = sum(1 for _ in file)
    part.rename(path)
    return count


def _peak_mb(pid: int) -> float:
    """The largest resident memory that the process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _ids(bootstrap: str, topic: str) -> Counter[str]:
    return Counter(record.key for record in oracle.stream(bootstrap, topic))


if __name__ == "__main__":
    main()
