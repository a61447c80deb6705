"""The client on the real broker: typed, committed records only, and on where its group left off."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from pipeline.broker import EmbeddedBroker
from pipeline.client import Article, duplicates, enriched, rejected, stories
from pipeline.errors import BrokerUnreachableError
from pipeline.kafka import client_options, ensure_topics
from pipeline.settings import Settings
from pipeline.stories.story import Story

OLD = Path(__file__).parents[1] / "golden" / "records" / "0.1.0.jsonl"
SEEN = "2025-03-18T09:00:00Z"


def record(number: int) -> bytes:
    """An enriched record of an earlier version, under another id."""
    found = next(json.loads(line)["value"] for line in OLD.read_text().splitlines() if '"articles.enriched"' in line)
    return json.dumps(found | {"x_copydesk": found["x_copydesk"] | {"id": f"{number:032x}"}}).encode()


async def write(settings: Settings) -> None:
    await ensure_topics(settings)
    async with AIOKafkaProducer(
        **client_options(settings), transactional_id=settings.prefix, retry_backoff_ms=5
    ) as producer:
        async with producer.transaction():
            for number in range(10):
                await producer.send(f"{settings.prefix}.enriched", record(number), partition=0)
            await producer.send(f"{settings.prefix}.enriched", b"not ours", partition=0)
            for size in (1, 2):
                told = Story(size, size - 1, SEEN, SEEN, "Bridge opens", {"pt": 1}).to_json(f"{7:032x}")
                await producer.send(f"{settings.prefix}.stories", told, key=f"{7:032x}".encode())
            await producer.send(f"{settings.prefix}.stories", b'{"story": 7}', key=b"not ours")
            headers = [(name, b"7") for name in ("reason", "error", "stage", "source", "position")]
            await producer.send(f"{settings.prefix}.rejected", b"\xff", headers=headers)
        await producer.begin_transaction()
        await producer.send_and_wait(f"{settings.prefix}.enriched", record(99), partition=0)
        await producer.abort_transaction()


async def take(settings: Settings, group: str, count: int) -> list[Article]:
    """The next `count` articles; the last one is not done when we stop."""
    found = []
    async with asyncio.timeout(40), aclosing(enriched(settings, group)) as articles:
        async for article in articles:
            found.append(article)
            if len(found) == count:
                break
    return found


def test_typed_records_in_order_and_on_from_where_the_group_left_off(broker: EmbeddedBroker, prefix: str) -> None:
    settings = Settings(broker=broker.bootstrap, prefix=prefix)

    async def body() -> None:
        await write(settings)
        first = await take(settings, f"{prefix}-a", 4)
        assert [int(one.id, 16) for one in first] == [0, 1, 2, 3]
        assert (first[0].language, bool(first[0].headline), first[0].where.partition) == ("ja", True, 0)
        # Three were done; the one at which we stopped comes again.
        assert [int(one.id, 16) for one in await take(settings, f"{prefix}-a", 7)] == [3, 4, 5, 6, 7, 8, 9]
        assert [int(one.id, 16) for one in await take(settings, f"{prefix}-b", 1)] == [0]
        async with asyncio.timeout(40), aclosing(rejected(settings, f"{prefix}-c")) as letters:
            letter = await anext(letters)
        assert (letter.content, letter.reason, letter.position) == (b"\xff", "7", 7)
        async with asyncio.timeout(40), aclosing(stories(settings, f"{prefix}-d")) as told:
            begun, grown = await anext(told), await anext(told)
        assert (begun.id, begun.size, begun.duplicates) == (f"{7:032x}", 1, 0)
        assert (grown.id, grown.size, grown.duplicates) == (begun.id, 2, 1)
        assert (grown.headline, grown.languages, grown.first_seen) == ("Bridge opens", {"pt": 1}, SEEN)

    asyncio.run(body())


def test_a_broker_out_of_reach_is_said_at_once() -> None:
    async def body() -> None:
        with pytest.raises(BrokerUnreachableError, match=r"no Kafka answers at 127\.0\.0\.1:1 "):
            await anext(duplicates("127.0.0.1:1", "nobody"))

    asyncio.run(body())
