"""The child of `guard`: articles from its standard input, answers on its standard output; it ends with its parent."""

from __future__ import annotations

import pickle
import resource
import signal
import struct
import sys
from typing import Any, BinaryIO

from pipeline.errors import BadInput, TooCostly
from pipeline.stages.normalise import normaliser

_LENGTH = struct.Struct("!Q")


def main(requests: BinaryIO, answers: BinaryIO) -> None:
    """Serve until there is no more to read. The kernel ends a child that spends too much CPU time on one article."""
    names, seconds, memory_bytes = _read(requests)
    normalise = normaliser(names)
    _limit_memory(memory_bytes)
    while (raw := _read(requests)) is not None:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            answer: object = normalise(raw)
        except BadInput as error:
            answer = error
        except MemoryError:
            answer = TooCostly(f"parsing took over {memory_bytes} bytes of memory; simplify the article")
        except Exception as error:
            answer = f"normalise failed unexpectedly: {type(error).__name__}: {error}"
        signal.setitimer(signal.ITIMER_PROF, 0)
        packed = pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
        answers.write(_LENGTH.pack(len(packed)) + packed)
        answers.flush()


def _read(requests: BinaryIO) -> Any:
    head = requests.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return pickle.loads(requests.read(_LENGTH.unpack(head)[0]))  # noqa: S301  # written by our own parent


def _limit_memory(more_bytes: int) -> None:
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + more_bytes, now + more_bytes))


if __name__ == "__main__":
    # A terminal's Ctrl-C is for the parent, which then closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(sys.stdin.buffer, sys.stdout.buffer)
