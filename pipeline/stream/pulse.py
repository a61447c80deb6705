"""Why a worker is not ready, in words: its own word on every wait, so that `/readyz` never just says no."""

from __future__ import annotations

import asyncio

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from pipeline.kafka import client_options
from pipeline.settings import Settings

_ANSWER_SECONDS = 3.0


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
