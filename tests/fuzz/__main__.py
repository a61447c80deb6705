"""`python -m tests.fuzz SECONDS [TARGET…]`: fuzz each target for so long with atheris, as many at a time as there are
processors.

`make fuzz` runs them all. A corpus grows in build/fuzz/ from one run to the next, beginning with seeds/ and the golden
inputs; a finding is left there, and the run ends with 1 and its trace.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from pathlib import Path

import atheris

_INSTRUMENTED = ["pipeline.stages.normalise", "pipeline.inbox", "pipeline.formats"]
# It names every module it instruments.
with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere), atheris.instrument_imports(include=_INSTRUMENTED):
    from tests.fuzz.targets import ROOT, TARGETS, Target

BUILD = ROOT / "build" / "fuzz"
# One input may take so many seconds; the first use of dateparser alone takes some on a busy machine.
_SLOWEST = 30
_LONGEST = 16_384


def main(seconds: str, wanted: list[str]) -> int:
    """Fuzz in child processes, as many at a time as there are processors; 1 where there was a finding."""
    found, running = 0, dict[int, str]()
    for name in [name for name in TARGETS if not wanted or any(word in name for word in wanted)]:
        if len(running) == len(os.sched_getaffinity(0)):
            found += _finished(running)
        if child := os.fork():
            running[child] = name
        else:
            _fuzz(name, TARGETS[name], seconds)
    while running:
        found += _finished(running)
    print(f"{found} of {len(TARGETS)} targets with a finding" if found else "no finding")
    return 1 if found else 0


def _fuzz(name: str, target: Target, seconds: str) -> None:
    """In the child, which libFuzzer ends."""
    log = os.open(_place(name, ".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    corpus = _place(name, "")
    corpus.mkdir(exist_ok=True)
    for sample in target.samples():
        if len(sample) <= _LONGEST:
            (corpus / hashlib.sha1(sample, usedforsecurity=False).hexdigest()).write_bytes(sample)
    options = [f"-max_total_time={seconds}", f"-timeout={_SLOWEST}", "-rss_limit_mb=3000", f"-max_len={_LONGEST}",
               "-print_final_stats=1", f"-artifact_prefix={_place(name, '-')}"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.check)
    atheris.Fuzz()


def _place(name: str, end: str) -> Path:
    return BUILD / (re.sub(r"\W+", "-", name) + end)


def _finished(running: dict[int, str]) -> int:
    """Wait for a child, say how it went; 1 where it had a finding."""
    child, status = os.wait()
    name = running.pop(child)
    log = _place(name, ".log").read_text("utf-8", "replace")
    runs = re.search(r"number_of_executed_units: (\d+)", log)
    if not status and runs:
        print(f"{name}: {runs[1]} inputs, no finding", flush=True)
        return 0
    print(f"{name}: FINDING, status {status}", *_told(log), sep="\n", flush=True)
    return 1


def _told(log: str) -> Iterator[str]:
    """The trace and the name of the input, out of all that libFuzzer says."""
    with suppress(ValueError):
        yield from log[log.index(" === Uncaught Python exception: ===") :].splitlines()[:40]
        return
    yield from log.splitlines()[-40:]


if __name__ == "__main__":
    BUILD.mkdir(parents=True, exist_ok=True)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
