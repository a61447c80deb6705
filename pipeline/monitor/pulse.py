"""What a process says about itself: CPU, memory, open files, and how late its event loop is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from pipeline.clock import Clock
from pipeline.metrics import Meter

PULSE_SECONDS = 1.0
_FDS = Path("/proc/self/fd")


async def pulse(meter: Meter, role: str, clock: Clock) -> None:
    """Measure once a second until cancelled. Where there is no /proc, memory and files stay 0."""
    meter.set("process_start_timestamp_seconds", clock.now().timestamp(), role=role)
    counted = 0.0
    while True:
        counted = measure(meter, role, counted)
        due = clock.monotonic() + PULSE_SECONDS
        await asyncio.sleep(PULSE_SECONDS)
        meter.observe("event_loop_lag_seconds", max(0.0, clock.monotonic() - due), role=role)


def measure(meter: Meter, role: str, counted: float) -> float:
    """Set the gauges and add the CPU seconds since `counted`; returns the CPU seconds counted by now."""
    times = os.times()
    used = times.user + times.system
    meter.add("process_cpu_seconds_total", max(0.0, used - counted), role=role)
    if _FDS.exists():
        meter.set("process_resident_memory_bytes", resident_bytes(), role=role)
        # Reading the folder opens it: that one is not counted.
        meter.set("process_open_fds", len(os.listdir(_FDS)) - 1, role=role)
    return max(used, counted)


def resident_bytes(process: int | str = "self") -> int:
    """What a process has in memory, by the kernel's account. Raises OSError where it is gone, or there is no /proc."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
