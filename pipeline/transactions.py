"""Kafka clients whose broker may go away: neither wait for ever, nor spin, nor leave anything behind.

Reaches into aiokafka 0.14, which has no way of its own for this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any

from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NodeNotReadyError,
    ProducerFenced,
    RecordListTooLargeError,
    RequestTimedOutError,
)

from pipeline.kafka import NOT_ALLOWED

_STOP_SECONDS = 3.0
_POLITE_SECONDS = 1.0
_CHECK_SECONDS = 1.0
# Well inside every transaction timeout of ours: after that the broker aborts by itself.
_PATIENCE_SECONDS = 20.0
# In this order: some are kinds of others.
_FAILURES: Mapping[str, tuple[type[BaseException], ...]] = {
    "fenced": (ProducerFenced, InvalidProducerEpoch),
    "refused": NOT_ALLOWED,
    "too-large": (MessageSizeTooLargeError, RecordListTooLargeError),
    "timeout": (KafkaTimeoutError, RequestTimedOutError, TimeoutError),
    "connection": (KafkaConnectionError, NodeNotReadyError, OSError),
}


def failure(error: BaseException) -> str:
    """What kind of failure of a transaction this is: one of `catalogue.CLOSED["failure"]`."""
    return next((kind for kind, errors in _FAILURES.items() if isinstance(error, errors)), "other")


async def transact(producer: Any, work: Coroutine[Any, Any, None]) -> None:
    """Run `work`, one transaction on `producer` from begin to commit, given up where the broker is gone.

    Raises what `work` raises, else KafkaError where no broker answers, or TimeoutError; whether the transaction was
    committed is then open, and the next producer of the same id settles it.
    """
    task = asyncio.create_task(work, name="transaction")
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not (await asyncio.wait([task], timeout=_CHECK_SECONDS))[0]:
                # Raises where no broker answers. aiokafka itself would try again 4,000 times a second.
                await producer.client.fetch_all_metadata()
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def leave(consumer: Any, stopping: Coroutine[Any, Any, None] | None = None) -> None:
    """Stop an aiokafka consumer, by `stopping` where that is more than its `stop`, in a few seconds. Never raises.

    Without a broker it would wait without end, or raise a CancelledError that nobody asked for. Over TLS it would wait
    half a minute for a polite goodbye where a fetch is under way: Kafka reads no further until it has answered that.
    """
    connections = consumer._client._conns.values() if consumer else ()
    writers = [connection._writer for connection in connections if connection._writer]
    task = asyncio.create_task(stopping or consumer.stop(), name="leave")
    if not (await asyncio.wait([task], timeout=_POLITE_SECONDS))[0]:
        for writer in writers:
            writer.transport.abort()
        # With its connections gone there is nothing left to wait for, but Faust can wait for itself: it is told what it
        # was assigned by a thread that has stopped.
        await asyncio.wait([task], timeout=_POLITE_SECONDS)
    task.cancel()
    if (await asyncio.wait([task], timeout=_STOP_SECONDS / 4))[0] and not task.cancelled():
        task.exception()


async def drop(producer: Any) -> None:
    """Stop an aiokafka producer at once, also where its broker is gone: its own `stop` would wait without end.

    What it still held is given up. Never raises.
    """
    sender, accumulator = producer._sender.sender_task, producer._message_accumulator
    held = list(chain(*accumulator._batches.values(), accumulator._pending_batches))
    # What aiokafka puts back to try once more it also takes off this set, and then misses it there with a KeyError.
    accumulator._pending_batches.update(held)
    accumulator.fail_all(KafkaError("given up"))
    manager = producer._txn_manager
    if manager is not None and manager._transaction_waiter is None:
        # aiokafka takes for granted, when its sender ends, that a transaction was begun at some time.
        manager._transaction_waiter = asyncio.get_running_loop().create_future()
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
    for future in (*inner, manager and manager.wait_for_transaction_end()):
        if future is not None and future.done() and not future.cancelled():
            future.exception()
