"""`copydesk worker` in which something goes wrong on purpose: `python -m tests.faults.flawed FLAW`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from aiokafka import AIOKafkaConsumer

from pipeline import cli
from pipeline.stream.batch import Judged, Tagged
from pipeline.stream.flow import Flow
from pipeline.stream.outcomes import Outcome
from pipeline.stream.sink import Sink

_SLOW_SECONDS = 0.5
_STUCK_SECONDS = 9.0


def _raises() -> None:
    """An agent raises over its third batch, as no stage of ours should."""
    tag, seen = Flow.tag, 0

    async def failing(self: Flow, batch: Judged) -> Tagged:
        nonlocal seen
        seen += 1
        if seen == 3:
            raise RuntimeError("on purpose")
        return await tag(self, batch)

    Flow.tag = failing  # type: ignore[method-assign]


def _hangs() -> None:
    """The consumer of the raw topic never ends, whoever asks."""
    AIOKafkaConsumer.stop = _for_ever


async def _for_ever(self: AIOKafkaConsumer) -> None:
    while True:
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            continue


def _slow() -> None:
    _delay(lambda number: _SLOW_SECONDS)


def _stuck() -> None:
    """The second batch takes far longer than any should."""
    _delay(lambda number: _STUCK_SECONDS if number == 2 else 0.0)


def _delay(seconds: Callable[[int], float]) -> None:
    commit: Callable[[Sink, Tagged], Awaitable[list[Outcome] | None]] = Sink.commit
    number = 0

    async def delayed(self: Sink, batch: Tagged) -> list[Outcome] | None:
        nonlocal number
        number += 1
        await asyncio.sleep(seconds(number))
        return await commit(self, batch)

    Sink.commit = delayed  # type: ignore[method-assign]


FLAWS = {"raises": _raises, "hangs": _hangs, "slow": _slow, "stuck": _stuck}

if __name__ == "__main__":
    FLAWS[sys.argv[1]]()
    sys.exit(cli.main(["worker", *sys.argv[2:]]))
