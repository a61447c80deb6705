"""All stages in a plain loop, without Kafka, and what each takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipeline import ninjs
from pipeline.records import RawArticle
from pipeline.stages.deduplicate import Index, decode_claims, encode_claims, fingerprints
from pipeline.stages.normalise import normalise
from pipeline.stages.tag import Tagger

STAGES = ("normalise", "fingerprint", "index", "tag", "ninjs")


class Stopwatch:
    """Adds up seconds by stage."""

    def __init__(self) -> None:
        self.wall_seconds = dict.fromkeys(STAGES, 0.0)
        self.cpu_seconds = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """What is done inside counts to `stage`."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall_seconds[stage] += time.perf_counter() - wall
        self.cpu_seconds[stage] += time.process_time() - cpu


def run_batch(raws: Sequence[RawArticle], tagger: Tagger, index: Index, watch: Stopwatch) -> None:
    """One batch through every stage, as the stream has it."""
    with watch.on("normalise"):
        clean = [normalise(raw) for raw in raws]
    with watch.on("fingerprint"):
        prints = fingerprints(clean)
    with watch.on("index"):
        verdicts = index.apply(decode_claims(encode_claims(prints, 0)))
    judged = list(zip(clean, verdicts, strict=True))
    with watch.on("tag"):
        kept = [pair for pair in judged if pair[1].kind != "duplicate"]
        tags = tagger.tag_all([article for article, _ in kept])
    with watch.on("ninjs"):
        for (article, verdict), found in zip(kept, tags, strict=True):
            ninjs.enriched(article, verdict, found)
        for article, verdict in judged:
            if verdict.kind == "duplicate":
                ninjs.duplicate(article, verdict)
