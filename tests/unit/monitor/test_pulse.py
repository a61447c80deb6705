"""What a process says about itself."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from pipeline.metrics import Meter
from pipeline.monitor.pulse import measure, pulse
from pipeline.testing import FakeClock


def value(meter: Meter, name: str) -> float:
    found = meter.registry.get_sample_value(f"copydesk_{name}", {"role": "worker"})
    assert found is not None
    return found


def test_cpu_time_is_counted_once() -> None:
    meter = Meter(role="worker")
    sum(range(300_000))
    counted = measure(meter, "worker", measure(meter, "worker", 0.0))
    assert value(meter, "process_cpu_seconds_total") == pytest.approx(counted)
    assert 0 < counted <= sum(os.times()[:2])


@pytest.mark.skipif(sys.platform != "linux", reason="there is /proc on Linux alone")
def test_memory_and_files_are_those_of_this_process() -> None:
    meter = Meter(role="worker")
    measure(meter, "worker", 0.0)
    before = value(meter, "process_open_fds")
    with open(os.devnull) as one, open(os.devnull) as two:
        measure(meter, "worker", 0.0)
        assert (one.closed, two.closed) == (False, False)
        assert value(meter, "process_open_fds") == before + 2
    assert 10e6 < value(meter, "process_resident_memory_bytes") < 10e9


def test_a_process_says_when_it_started() -> None:
    clock, meter = FakeClock(), Meter(role="worker")

    async def one_beat() -> None:
        heart = asyncio.create_task(pulse(meter, "worker", clock))
        await asyncio.sleep(0)
        heart.cancel()
        await asyncio.gather(heart, return_exceptions=True)

    asyncio.run(one_beat())
    assert value(meter, "process_start_timestamp_seconds") == clock.now().timestamp()
    assert value(meter, "event_loop_lag_seconds_count") == 0
