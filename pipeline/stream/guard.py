"""Normalising within a budget: what could take long runs in a child process that can be killed.

Most articles are small, and parsing them takes milliseconds: those stay in this process, for the price of a look at
their size (under a microsecond; ten for a page). Large ones, and pages of many tags, where a parser's time grows
faster than its input, cost a millisecond more and can at worst cost the article.
"""

from __future__ import annotations

import os
import pickle
import selectors
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

from pipeline.errors import BadInput, StageFault, TooCostly
from pipeline.records import Article, RawArticle
from pipeline.settings import Settings
from pipeline.stages.normalise import normaliser

_LARGE_BYTES = 262_144
# Signs of which no article has so many, by the media type whose parser they keep busy.
_SIGNS = {"text/html": (b"<", 6_000), "application/xhtml+xml": (b"<", 6_000), "text/markdown": (b"[", 500)}
MEMORY_BYTES = 1 << 30
"""What a child may take beside what it starts with."""
# The limit is the child's CPU time, which is the same on a busy machine; a child that only waits is given up as well.
_WALL_SECONDS_PER_CPU_SECOND = 12
_LENGTH = struct.Struct("!Q")


def is_costly(raw: RawArticle) -> bool:
    """Whether a parser could take long over this article."""
    if len(raw.content) > _LARGE_BYTES:
        return True
    sign, many = _SIGNS.get(raw.media_type, (b"", 0))
    return bool(many) and raw.content.count(sign) > many


class Guard:
    """RawArticle → Article, as `normalise` is, but never for longer than the settings allow.

    For one thread at a time.
    """

    def __init__(
        self, settings: Settings, costly: Callable[[RawArticle], bool] = is_costly, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._memory_bytes = memory_bytes
        self._seconds = settings.parse_seconds
        self._names = settings.field_names()
        self._normalise = normaliser(self._names)
        self._costly = costly
        self._child: subprocess.Popen[bytes] | None = None

    def __call__(self, raw: RawArticle) -> Article:
        """The Article in `raw`. Raises BadInput; TooCostly where the budget is spent."""
        if not self._costly(raw):
            return self._normalise(raw)
        child = self._child or self._start()
        try:
            _send(child, raw)
            answer = _receive(child, self._seconds * _WALL_SECONDS_PER_CPU_SECOND)
        except (OSError, EOFError) as error:
            raise TooCostly(self._why(self._ended())) from error
        if isinstance(answer, Article):
            return answer
        raise answer if isinstance(answer, BadInput) else StageFault(str(answer))

    def close(self) -> None:
        """End the child, whatever it is at. May be called from another thread."""
        self._ended()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "pipeline.stream.guarded"]
        self._child = child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        _send(child, (self._names, self._seconds, self._memory_bytes))
        return child

    def _ended(self) -> int:
        """The child's exit status, once it is gone; a new one is started when there is need."""
        child, self._child = self._child, None
        if child is None:
            return 0
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.2)  # one that ended by itself has something to say
        child.kill()
        for pipe in filter(None, (child.stdin, child.stdout)):
            with suppress(OSError):
                pipe.close()
        return child.wait()

    def _why(self, status: int) -> str:
        if status in (-signal.SIGPROF, -signal.SIGKILL):
            return f"parsing took over parse_seconds ({self._seconds:g}); simplify the article, or raise the limit"
        return f"the parser broke down over this article (exit status {status}); simplify it"


def _send(child: subprocess.Popen[bytes], what: object) -> None:
    """Raises OSError where the child is gone."""
    assert child.stdin  # noqa: S101
    packed = pickle.dumps(what, pickle.HIGHEST_PROTOCOL)
    child.stdin.write(_LENGTH.pack(len(packed)) + packed)
    child.stdin.flush()


def _receive(child: subprocess.Popen[bytes], seconds: float) -> object:
    """What the child answers. Raises EOFError where it ends or is silent for so many seconds."""
    assert child.stdout  # noqa: S101
    handle, held, size = child.stdout.fileno(), bytearray(), -1
    with selectors.DefaultSelector() as ready:
        ready.register(handle, selectors.EVENT_READ)
        while size < 0 or len(held) < size:
            part = os.read(handle, 1 << 20) if ready.select(seconds) else b""
            if not part:
                raise EOFError("no answer")
            held += part
            if size < 0 and len(held) >= _LENGTH.size:
                size = _LENGTH.unpack_from(held)[0]
                del held[: _LENGTH.size]
    return pickle.loads(held)  # noqa: S301  # written by our own child
