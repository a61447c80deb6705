"""Letting go of an aiokafka producer whose broker is gone. It reaches into aiokafka 0.14, which has no way for this."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import chain
from typing import Any

from aiokafka.errors import KafkaError

_STOP_SECONDS = 3.0


async def drop(producer: Any) -> None:
    """Stop an aiokafka producer at once, also where its broker is gone: its own `stop` would wait without end.

    What it still held is given up. Never raises.
    """
    sender, accumulator = producer._sender.sender_task, producer._message_accumulator
    held = list(chain(*accumulator._batches.values(), accumulator._pending_batches))
    accumulator.fail_all(KafkaError("given up"))
    with suppress(Exception):
        # The first cancellation lets requests in flight come home; where none can, the second ends the waiting.
        for _ in range(2):
            if sender is not None and not sender.done():
                sender.cancel()
                await asyncio.wait([sender], timeout=_STOP_SECONDS / 4)
        async with asyncio.timeout(_STOP_SECONDS):
            await producer.stop()
    with suppress(Exception):
        await producer.client.close()
    # aiokafka leaves errors on futures of its own; asyncio would print each that nobody looked at, with a traceback.
    inner = [future for batch in held for future in (batch.future, batch._drain_waiter)]
    for future in (*inner, producer._txn_manager.wait_for_transaction_end()):
        if future is not None and future.done() and not future.cancelled():
            future.exception()
