"""How `run` looks at the books while Kafka does not answer."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.commands.run import patiently
from pipeline.errors import BrokerFailedError
from pipeline.monitor.snapshot import Snapshot


def test_a_look_that_hangs_is_given_up_once_our_broker_is_found_dead() -> None:
    ended: list[str] = []

    async def hanging() -> Snapshot:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("look")
        return Snapshot()

    def dead() -> None:
        raise BrokerFailedError("it ended by itself")

    with pytest.raises(BrokerFailedError):
        asyncio.run(patiently(hanging(), dead, seconds=0.0))
    assert ended == ["look"]


def test_a_look_that_takes_long_is_waited_for_and_its_error_is_raised() -> None:
    waited: list[str] = []

    async def body(fails: bool) -> Snapshot:
        done = asyncio.Event()

        async def slow() -> Snapshot:
            await done.wait()
            if fails:
                raise BrokerFailedError("no answer")
            return Snapshot()

        def meanwhile() -> None:
            waited.append("a while")
            done.set()

        return await patiently(slow(), meanwhile, seconds=0.0)

    assert asyncio.run(body(fails=False)) == Snapshot()
    with pytest.raises(BrokerFailedError, match="no answer"):
        asyncio.run(body(fails=True))
    assert waited
