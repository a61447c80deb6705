"""Runs commands of ours one after another in one process, as the command line does, and tells how each ended.

    python -m tests.refused < COMMANDS > ENDS       both JSON: lists of arguments; [exit code, stdout, stderr] for each

One process, since starting thirty of them is what such a test would spend its time on.
"""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import NamedTuple


class End(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Commands:
    """Commands with the environment that they share."""

    environment: Mapping[str, str]

    def ends(self, *commands: Sequence[str], seconds: float = 120) -> dict[str, End]:
        """How each ended, by its words. Fails where together they take longer than `seconds`."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.refused"],
            input=json.dumps(commands),
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, done.stderr
        found = [End(*end) for end in json.loads(done.stdout)]
        return {" ".join(command): end for command, end in zip(commands, found, strict=True)}


def _run(command: Sequence[str]) -> End:
    from pipeline.cli import main

    # Each command sets up its log anew, on the stderr that it finds.
    logging.getLogger().handlers.clear()
    with redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")) as out, redirect_stderr(io.StringIO()) as err:
        try:
            code = main(command)
        except SystemExit as end:
            code = int(end.code or 0)
        out.flush()
    return End(code, out.buffer.getvalue().decode(), err.getvalue())


if __name__ == "__main__":
    json.dump([_run(command) for command in json.load(sys.stdin)], sys.stdout)
