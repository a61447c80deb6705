"""Why a worker is not ready, in words: its own word on every wait, so that `/readyz` never just says no."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from pipeline.kafka import client_options
from pipeline.settings import Settings

_ANSWER_SECONDS = 3.0
_PAUSE_SECONDS = 1.0


class Pulse:
    """Asks the broker for a sign of life, over a connection of its own that no batch can keep busy."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AIOKafkaClient | None = None

    async def feel(self) -> str:
        """Empty where a broker answers, else what is wrong. Takes three seconds at most; raises nothing of Kafka's."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                if self._client is None:
                    client = AIOKafkaClient(**client_options(self._settings))
                    await client.bootstrap()
                    self._client = client
                await self._client.fetch_all_metadata()
        except (KafkaError, OSError, TimeoutError) as error:
            return f"Kafka at {self._settings.broker} does not answer ({error or type(error).__name__}); waiting for it"
        return ""

    async def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            await self._client.close()


@asynccontextmanager
async def felt(settings: Settings) -> AsyncIterator[Callable[[], str]]:
    """Feel about once a second; yields a function that gives what was felt last."""
    pulse, last = Pulse(settings), ""

    async def keep_feeling() -> None:
        nonlocal last
        while True:
            last = await pulse.feel()
            await asyncio.sleep(_PAUSE_SECONDS)

    feeling = asyncio.create_task(keep_feeling(), name="feel the broker's pulse")
    try:
        yield lambda: last
    finally:
        feeling.cancel()
        await asyncio.gather(feeling, return_exceptions=True)
        await pulse.close()


async def until_felt(settings: Settings, report: Callable[[Mapping[str, Any]], None], stop: asyncio.Event) -> None:
    """Wait until a broker answers or `stop` is set; `report` is told why, about once a second."""
    pulse = Pulse(settings)
    try:
        while not stop.is_set():
            why = await pulse.feel()
            report({"ready": False, "why": why or "starting"})
            if not why:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE_SECONDS):
                    await stop.wait()
    finally:
        await pulse.close()
