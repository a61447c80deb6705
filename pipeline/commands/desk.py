"""Watcher and worker in one, without Kafka: what would become of a file, by the very functions that do it.

file ─▶ feeder ─▶ normalise ─▶ deduplicate ─▶ tag ─▶ outcomes
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiokafka import ConsumerRecord, TopicPartition

from pipeline.clock import Clock, rfc3339
from pipeline.errors import FolderError
from pipeline.inbox.feeder import Feeder
from pipeline.inbox.ledger import Ledger
from pipeline.inbox.scan import look_at
from pipeline.inbox.splitters import Limits
from pipeline.inbox.taking import Run
from pipeline.kafka import max_record_bytes
from pipeline.monitor.looks import Look
from pipeline.records import RawArticle, inbox_label
from pipeline.settings import Settings
from pipeline.stages.deduplicate import Index, decode_claims, encode_claims
from pipeline.stages.tag import Tagger
from pipeline.stream.batch import Delivered, Normalised, Origin
from pipeline.stream.guard import Guard
from pipeline.stream.outcomes import Outcome, outcomes
from pipeline.stream.steps import judge_batch, normalise_batch, tag_batch
from pipeline.taxonomies import TaxonomyFile
from pipeline.topics import topic_name

# Stands in for a raw partition; nothing is committed to it.
_NOWHERE = Origin(TopicPartition("raw", 0), epoch=0, number=0, first_offset=0, last_offset=0, size=0)


@dataclass(frozen=True, slots=True)
class Explained:
    """What would become of one article, or of a file that holds none."""

    look: Look
    """The record that would be written."""
    position: int
    """In the file."""
    bytes_in: int
    """Of the article as found."""
    origins: tuple[tuple[str, str], ...] = ()
    """Each fact found and where it stood; see `Article.origins`."""

    @property
    def bytes_on_wire(self) -> int:
        """Key, value and headers, before compression."""
        headers = sum(len(name) + len(value) for name, value in self.look.headers)
        return len(self.look.key or b"") + len(self.look.value or b"") + headers


class Desk:
    """Watcher and worker in one, for files one after another. Raises nothing over content: that is an outcome."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._max_bytes = max_record_bytes(settings)
        self._index = Index(settings.window_seconds, settings.story_window_seconds)
        self._tag = partial(Tagger(settings.tagger).tag_all, taxonomy=TaxonomyFile(settings.taxonomy).current())
        self._guard = Guard(settings)

    def close(self) -> None:
        """End what parses in our stead."""
        self._guard.close()

    def explain(self, file: Path) -> Iterator[Explained]:
        """Every article of `file` in order; a large file comes in stretches, in bounded memory."""
        root, path = self._place(file)
        label = inbox_label(str(root))
        feeder = Feeder(os.fsencode(root), label, Ledger(label), self._limits())
        for look in look_at(os.fsencode(root), os.fsencode(path)):
            feeder.add(look)
        while len(feeder):
            stretch = feeder.fill(rfc3339(self._clock.now()))
            if stretch.moved or stretch.unreadable:
                raise FolderError(f"{file} changed while it was read, or cannot be read; try again")
            yield from sorted(self._explained(stretch), key=_position)

    def _place(self, file: Path) -> tuple[Path, Path]:
        """The inbox that holds `file`, else its folder, and the path from there: both are part of the id."""
        file = file.absolute()
        for inbox in self._settings.inbox:
            root = Path(inbox).absolute()
            if file.is_relative_to(root):
                return root, file.relative_to(root)
        return file.parent, Path(file.name)

    def _limits(self) -> Limits:
        most = self._settings.max_article_bytes
        chosen = self._settings
        return Limits(most, chosen.max_file_bytes, 2 * most, chosen.max_unpacked_ratio, chosen.max_unpacked_bytes)

    def _explained(self, stretch: Run) -> Iterator[Explained]:
        raws = {raw.id: raw for raw in stretch.raw}
        normalised = normalise_batch(Delivered(_NOWHERE, [_record(raw) for raw in stretch.raw]), self._guard)
        origins = {article.id: article.origins for article in normalised.articles}
        for outcome in self._outcomes(normalised):
            raw = raws[outcome.key.decode()]
            yield Explained(self._look(outcome), raw.position, len(raw.content), origins.get(raw.id, ()))
        for rejected in stretch.rejected:
            outcome = Outcome("rejected", rejected.key.encode(), rejected.content, rejected.headers())
            yield Explained(self._look(outcome), rejected.position, len(rejected.content))

    def _outcomes(self, normalised: Normalised) -> Iterator[Outcome]:
        now_ms = int(self._clock.now().timestamp() * 1000)
        claims = decode_claims(encode_claims(normalised.fingerprints, now_ms))
        verdicts = self._index.apply(claims) if normalised.articles else []
        yield from outcomes(tag_batch(judge_batch(normalised, verdicts), self._tag), self._max_bytes)

    def _look(self, outcome: Outcome) -> Look:
        topic = topic_name(self._settings.prefix, outcome.topic)
        now_ms = int(self._clock.now().timestamp() * 1000)
        return Look(outcome.topic, topic, 0, 0, now_ms, outcome.key, outcome.value, outcome.headers)


def _record(raw: RawArticle) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord("raw", 0, 0, 0, 0, raw.id.encode(), raw.content, None, 0, 0, raw.headers())


def _position(found: Explained) -> int:
    return found.position
