"""The four steps of the flow as `app`'s agents call them: run, count, time, and wait for the claim log.

`Flow` owns what a worker needs besides Faust. Each step's name is the stage's name everywhere: module, agent,
metric label.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import TypeVar

from aiokafka import TopicPartition

from pipeline.catalogue import CLOSED, OTHER_INBOX
from pipeline.checked import faults, is_sampled
from pipeline.clock import Clock
from pipeline.metrics import Meter
from pipeline.records import Article, Tags, inbox_label
from pipeline.settings import Settings
from pipeline.stages.tag import Tagger
from pipeline.stream.batch import Delivered, Judged, Normalised, Tagged
from pipeline.stream.claims import ClaimLog
from pipeline.stream.delivery import Deliveries, Pace
from pipeline.stream.guard import Guard
from pipeline.stream.outcomes import Outcome
from pipeline.stream.poison import Limits, Tally
from pipeline.stream.sink import Sink
from pipeline.stream.steps import judge_batch, normalise_batch, tag_batch
from pipeline.taxonomies import TaxonomyFile
from pipeline.topics import topic_name
from pipeline.transactions import failure

R = TypeVar("R")
logger = logging.getLogger(__name__)

# Ten times what the work in a batch should take: then it is waiting for something.
_SLOW_SECONDS = 5.0


class Flow:
    """Everything between Faust's agents and Kafka. `fail` is called with an error that must end the worker."""

    def __init__(self, settings: Settings, clock: Clock, meter: Meter, fail: Callable[[BaseException], None]) -> None:
        self.settings = settings
        self._clock = clock
        self._meter = meter
        self.deliveries = Deliveries()
        self.pace = Pace(settings.batch_seconds, settings.batch_articles)
        self.claims = ClaimLog(settings, clock, meter, fail, self._run)
        self.sink = Sink(settings, clock)
        self._tagger = Tagger(settings.tagger)
        self.stages_cpu_seconds = 0.0
        """CPU that the stages' thread has spent so far: what is left of the process's is what moving costs."""
        self._taxonomy = TaxonomyFile(settings.taxonomy)
        self._inboxes = {inbox_label(inbox) for inbox in settings.inbox}
        self._queued = dict.fromkeys(CLOSED["queue"], 0)
        self._guard = Guard(settings)
        self._entered: dict[str, float] = {}
        """When each stage that is at a batch took it in hand, monotonic seconds."""
        self._limits, self._tally = Limits(settings.reject_ratio, settings.reject_run), Tally()
        # One thread, for the index as well: all of it is Python and would only fight for the interpreter, which costs a
        # third of what moving an article takes. The event loop stays free for heartbeats, endpoints and transactions.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="stages")

    async def start(self) -> None:
        """Connect the claim log; it replays in the background."""
        await self.claims.start()

    async def stop(self) -> None:
        """Let go of everything: a commit under way may finish, or its transaction is given up. To be called again."""
        # Whatever one of the two meets, the other must be let go of as well; nothing that they hold is lost by it.
        for failed in await asyncio.gather(self.claims.stop(), self.sink.close(), return_exceptions=True):
            if failed is not None:
                logger.warning("letting go of Kafka: %r", failed)
        self._guard.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    @property
    def waits(self) -> list[str]:
        """What keeps the flow from flowing, in words; empty: nothing does."""
        now = self._clock.monotonic()
        found = [] if self.claims.caught_up.is_set() else ["replaying the claim log"]
        for stage, since in self._entered.items():
            if now - since > _SLOW_SECONDS:
                found.append(f"{stage}: at one batch for {now - since:.0f} s")
        return found

    def follow_terms(self) -> None:
        """Look at the file of terms. Asked for every second, so that workers with nothing to tag keep up with it, and
        all of them have the same terms when it is broken later."""
        self._taxonomy.current()

    async def fence(self, tps: set[TopicPartition], epoch: int) -> Mapping[TopicPartition, int]:
        """See `Sink.fence`."""
        self._meter.add("rebalances_total")
        self._meter.set("assigned_partitions", len(tps))
        begun = self._clock.monotonic()
        places = await self.sink.fence(tps, epoch)
        self._meter.observe("rebalance_duration_seconds", self._clock.monotonic() - begun)
        return places

    def queue(self, name: str, capacity: int) -> None:
        """Say that there is a queue `name` between two stages that takes `capacity` batches."""
        self._meter.set("queue_capacity", capacity, queue=name)

    async def hand_on(self, name: str, put: Awaitable[None]) -> None:
        """Put a batch into the queue `name`; how long that takes is the back-pressure."""
        begun = self._clock.monotonic()
        await put
        self._meter.add("backpressure_seconds_total", self._clock.monotonic() - begun, queue=name)
        self._waiting(name, +1)

    async def normalise(self, batch: Delivered) -> Normalised:
        """Records → clean articles with fingerprints. Raises PoisonError where nearly everything is rejected."""
        self._enter("normalise", batch.origin.size)
        done, seconds = await self._timed(lambda: normalise_batch(batch, self._guard))
        self.pace.observe(batch.origin.size, seconds)
        self._leave("normalise", seconds, ok=len(done.articles), rejected=len(done.rejected))
        self._tally = self._tally.after(len(done.articles), [found.reason for found in done.rejected])
        self._limits.check(self._tally)
        return done

    async def deduplicate(self, batch: Normalised) -> Judged:
        """Claim the batch in the log and wait for the verdicts."""
        self._waiting("normalised", -1)
        self._enter("deduplicate", len(batch.articles))
        begun = self._clock.monotonic()
        verdicts = await self.claims.claim(batch.fingerprints)
        duplicates = sum(verdict.kind == "duplicate" for verdict in verdicts)
        seconds = self._clock.monotonic() - begun
        self._leave("deduplicate", seconds, ok=len(verdicts) - duplicates, duplicate=duplicates)
        return judge_batch(batch, verdicts)

    async def tag(self, batch: Judged) -> Tagged:
        """Tag everything but duplicates."""
        self._waiting("judged", -1)
        self._enter("tag", len(batch.articles))
        # One taxonomy for all of the batch, even where its file changes meanwhile.
        tag = partial(self._tagger.tag_all, taxonomy=self._taxonomy.current())
        done, seconds = await self._timed(lambda: tag_batch(batch, tag))
        self.pace.observe(batch.origin.size, seconds)
        failed = sum(tags is not None and tags.failed is not None for tags in done.tags)
        self._meter.add("articles_untagged_total", failed)
        self._leave("tag", seconds, ok=len(done.tags) - failed, error=failed)
        return done

    async def commit(self, batch: Tagged) -> None:
        """Write the batch and its offset in one transaction, or drop it where it is stale."""
        self._waiting("tagged", -1)
        self._enter("sink", batch.origin.size)
        begun = self._clock.monotonic()
        try:
            written = await self.sink.commit(batch)
        except Exception as error:
            self._meter.add("kafka_produce_errors_total", role="worker", error_type=failure(error))
            raise
        seconds = self._clock.monotonic() - begun
        if written is None:
            self._meter.add("stale_batches_total")
            self._leave("sink", seconds)
            return
        self._leave("sink", seconds, ok=len(written))
        self._meter.observe("kafka_produce_seconds", seconds, role="worker")
        self._count(batch, written)

    def _count(self, batch: Tagged, written: Sequence[Outcome]) -> None:
        now, tp = self._clock.now(), batch.origin.tp
        self._meter.set(
            "consumer_commit_timestamp_seconds", now.timestamp(), topic=tp.topic, partition=str(tp.partition)
        )
        for verdict in batch.verdicts:
            if verdict.kind == "duplicate":
                self._meter.add("duplicates_total", kind=verdict.method or "near")
            elif verdict.kind == "revision":
                self._meter.add("revisions_total")
        self._meter.add("articles_enriched_total", sum(tags is not None for tags in batch.tags))
        for rejected in batch.rejected:
            self._meter.add("dlq_messages_total", stage=rejected.stage, error_type=rejected.reason)
        for topic, count in _counts([one for one in written if one.retried]).items():
            self._meter.add("dlq_replayed_total", count, outcome=topic)
        self._check(written)
        for name, count in _counts(written).items():
            self._meter.add("kafka_produced_total", count, topic=topic_name(self.settings.prefix, name))
        for taxonomy, count in _tags(batch.tags).items():
            self._meter.add("tags_assigned_total", count, taxonomy=taxonomy)
        for article in batch.articles:
            if article.raw.attempts > 1:
                continue  # how long it lay among the dead letters says nothing about us
            inbox = article.raw.inbox if article.raw.inbox in self._inboxes else OTHER_INBOX
            self._meter.observe("end_to_end_seconds", _age_seconds(article, now), source=inbox)

    def _waiting(self, queue: str, change: int) -> None:
        # A batch may be taken before whoever put it goes on, so this may be -1 for a moment.
        self._queued[queue] += change
        self._meter.set("queue_items", max(0, self._queued[queue]), queue=queue)

    def _check(self, written: Sequence[Outcome]) -> None:
        """Hold a share of the records against both schemas: a fault is ours, and the record is out already."""
        ratio = self.settings.check_ratio
        sample = [record for record in written if record.topic != "rejected" and is_sampled(record.key.decode(), ratio)]
        found = [(record.key, wrong) for record in sample if (wrong := faults(record.value))]
        self._meter.add("records_checked_total", len(sample))
        self._meter.add("records_faulty_total", len(found))
        for key, wrong in found[:1]:
            logger.error("record %s breaks its schema (%s); please report it", key.decode(), wrong[0])

    def _enter(self, stage: str, articles: int) -> None:
        self._meter.add("stage_received_total", articles, stage=stage)
        self._meter.set("stage_in_progress", articles, stage=stage)
        self._entered[stage] = self._clock.monotonic()

    def _leave(self, stage: str, seconds: float, **outcomes: int) -> None:
        self._meter.set("stage_in_progress", 0, stage=stage)
        self._entered.pop(stage, None)
        self._meter.observe("stage_duration_seconds", seconds, stage=stage)
        self._meter.set("stage_last_success_timestamp_seconds", self._clock.now().timestamp(), stage=stage)
        for outcome, articles in outcomes.items():
            self._meter.add("stage_processed_total", articles, stage=stage, outcome=outcome)

    async def _run(self, work: Callable[[], R]) -> R:
        """As `_timed`, where the time is of no interest."""
        done, _ = await self._timed(work)
        return done

    async def _timed(self, work: Callable[[], R]) -> tuple[R, float]:
        """Run `work` in the stages' thread; the seconds are the thread's own CPU, so waiting is not counted."""

        def run() -> tuple[R, float]:
            begun = time.thread_time()
            return work(), time.thread_time() - begun

        done, seconds = await asyncio.get_running_loop().run_in_executor(self._executor, run)
        self.stages_cpu_seconds += seconds
        return done, seconds


def _counts(written: Sequence[Outcome]) -> dict[str, int]:
    topics = [outcome.topic for outcome in written]
    return {name: topics.count(name) for name in sorted(set(topics))}


def _tags(found: Sequence[Tags | None]) -> dict[str, int]:
    return {name: sum(len(getattr(tags, name)) for tags in found if tags) for name in CLOSED["taxonomy"]}


def _age_seconds(article: Article, now: datetime) -> float:
    return (now - datetime.fromisoformat(article.raw.received)).total_seconds()
