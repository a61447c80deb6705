"""Dead letters that go into the stream again: the same bytes under the same id, with one attempt more.

Exactly once, whoever asks how often: each retry is one transaction that holds the raw record and a mark in the ledger
topic (`retry:ID` → the attempt made). What may be retried is decided from marks that are read after our transactional
id has been taken over, which ends every other retry at the broker. Kafka forgets raw records after a week; the ledger
is compacted, so a mark stays.

No inbox is called `retry:…`, since a label is percent-encoded; to watchers and books a mark says nothing: a retried
article was received long ago. How it is counted is told in `pipeline.settled`.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError, ProducerFenced

from pipeline.errors import FencedError
from pipeline.kafka import client_options, max_record_bytes, unreachable
from pipeline.records import RawArticle
from pipeline.settings import Settings
from pipeline.topics import topic_name
from pipeline.transactions import drop, transact

_MARK = b"retry:"
_RUN_BYTES = 4 << 20
_RUN_RECORDS = 1_000


@dataclass(frozen=True, slots=True)
class Letter:
    """One record of the rejected topic."""

    key: str
    content: bytes
    headers: tuple[tuple[str, bytes], ...]
    partition: int
    offset: int
    timestamp_ms: int

    @classmethod
    def of(cls, record: ConsumerRecord) -> Letter:
        """The record as it was read."""
        key = (record.key or b"").decode("utf-8", "replace")
        headers = tuple((name, value or b"") for name, value in record.headers)
        return cls(key, record.value or b"", headers, record.partition, record.offset, record.timestamp)

    def header(self, name: str) -> str:
        """Its text; empty where there is none."""
        return dict(self.headers).get(name, b"").decode("utf-8", "replace")

    @property
    def attempts(self) -> int:
        """How often it was tried, this time included."""
        text = self.header("attempts")
        return int(text) if text.isdecimal() else 1

    def again(self) -> RawArticle | str:
        """As it would go into the stream again, or why it cannot, in words."""
        if self.header("stage") == "watch":
            return (
                f"{self.header('source')} was set aside before it was an article, and what is kept of it may be its"
                " beginning only; mend the file and put it into the inbox again"
            )
        try:
            raw = RawArticle.from_record(self.key.encode(), self.content, self.headers)
        except (KeyError, ValueError, AttributeError):
            return "it is no article that `copydesk watch` published; publish it through an inbox"
        if hashlib.sha256(self.content).hexdigest() != raw.sha256:
            return "its bytes are not those that came in; put the file into the inbox again"
        return replace(raw, attempts=raw.attempts + 1)


class Marks:
    """Which attempt was made last for each retried article, as the ledger topic says."""

    def __init__(self) -> None:
        self._made: dict[str, int] = {}

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """Take in one record of the ledger topic; those of files are passed over."""
        if key and value and key.startswith(_MARK):
            self._made[key.removeprefix(_MARK).decode()] = int(orjson.loads(value)["attempts"])

    def is_open(self, letter: Letter) -> bool:
        """Whether no retry followed from this rejection yet."""
        return self._made.get(letter.key, 1) <= letter.attempts

    @staticmethod
    def record(raw: RawArticle, time: str) -> tuple[bytes, bytes]:
        """Key and value of the mark that says: this attempt was made, at `time` (RFC 3339)."""
        return _MARK + raw.id.encode(), orjson.dumps({"attempts": raw.attempts, "source": raw.source, "time": time})


class Retrier:
    """Puts articles into the stream again. Read marks and letters only after `open`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._raw, self._files = topic_name(settings.prefix, "raw"), topic_name(settings.prefix, "files")
        self._producer = AIOKafkaProducer(
            **client_options(settings),
            transactional_id=f"{settings.group}-retry",
            transaction_timeout_ms=30_000,
            max_request_size=max_record_bytes(settings),
            retry_backoff_ms=5,
        )

    async def open(self) -> None:
        """Become the only one who retries; another one's open transaction is aborted. Raises BrokerUnreachableError."""
        try:
            await self._producer.start()
        except (KafkaError, OSError) as error:
            await drop(self._producer)
            raise unreachable(self._settings, error) from error

    async def close(self) -> None:
        """Let go; never raises."""
        await drop(self._producer)

    async def publish(self, raws: Sequence[RawArticle], time: str) -> None:
        """Put `raws` into the stream, in transactions of bounded size; each is whole or not at all.

        Raises FencedError where somebody else began to retry, and BrokerUnreachableError.
        """
        try:
            for run in _runs(raws):
                await transact(self._producer, self._write(run, time))
        except ProducerFenced as error:
            raise FencedError("another `copydesk rejected retry` took over; let it finish, then ask again") from error
        except (KafkaError, OSError, TimeoutError) as error:
            raise unreachable(self._settings, error) from error

    async def _write(self, run: Sequence[RawArticle], time: str) -> None:
        await self._producer.begin_transaction()
        count = len(await self._producer.partitions_for(self._raw))
        for raw in run:
            key = raw.id.encode()
            await self._producer.send(
                self._raw, raw.content, key, headers=raw.headers(), partition=zlib.crc32(key) % count
            )
            mark, value = Marks.record(raw, time)
            await self._producer.send(self._files, value, mark, partition=0)
        await self._producer.commit_transaction()


def _runs(raws: Iterable[RawArticle]) -> Iterator[list[RawArticle]]:
    run: list[RawArticle] = []
    size = 0
    for raw in raws:
        if run and (size + len(raw.content) > _RUN_BYTES or len(run) >= _RUN_RECORDS):
            yield run
            run, size = [], 0
        run.append(raw)
        size += len(raw.content)
    if run:
        yield run


def latest(letters: Iterable[Letter]) -> Mapping[str, Letter]:
    """Of each retried article the last rejection; those of `watch`, which have no id, each by its place."""
    found: dict[str, Letter] = {}
    for letter in letters:
        name = letter.key if letter.header("stage") != "watch" else f"{letter.partition}:{letter.offset}"
        if name not in found or letter.attempts > found[name].attempts:
            found[name] = letter
    return found


Answer = tuple[Letter, "RawArticle | str"]


def answers(letters: Iterable[Letter], marks: Marks) -> list[Answer]:
    """For each of `letters` what would be published, or why nothing is."""
    return [(letter, letter.again() if marks.is_open(letter) else "it was retried already") for letter in letters]


def as_json(answer: Answer) -> dict[str, Any]:
    """For `--json`."""
    letter, what = answer
    retried = isinstance(what, RawArticle)
    attempts = what.attempts if isinstance(what, RawArticle) else letter.attempts
    return {
        "id": letter.key,
        "source": letter.header("source"),
        "retried": retried,
        "attempts": attempts,
        "why": "" if retried else what,
    }
