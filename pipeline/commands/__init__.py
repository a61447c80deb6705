"""One module a command: `add_arguments(parser)` says what it takes, `run(settings, args)` gives the exit code.

What several commands share is here: where the broker is, and how to end when nobody reads on.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console, RenderableType

from pipeline.broker import running_bootstrap
from pipeline.errors import BrokerUnreachableError
from pipeline.settings import Settings


def with_broker(settings: Settings) -> Settings:
    """`settings` with `broker` filled in: the one that was named, else the embedded one that runs.

    Raises BrokerUnreachableError where no broker was named and none is running.
    """
    if settings.broker:
        return settings
    found = running_bootstrap(Path(settings.data_dir))
    if not found:
        raise BrokerUnreachableError(
            f"no broker runs for {settings.data_dir}; start one with `copydesk run` or name one with --broker"
        )
    return replace(settings, broker=found)


def count(text: str) -> int:
    """A flag's value that says how many. Raises ArgumentTypeError where it is no whole number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def show(*parts: RenderableType, soft_wrap: bool = False) -> None:
    """Print `parts` to stdout as they would look there; with `soft_wrap` no line is broken.

    Raises BrokenPipeError where nobody reads on.
    """
    console = Console(markup=False, highlight=False, emoji=False)
    # Left to itself, rich ends the process with 1 when the pipe breaks.
    with console.capture() as captured:
        for part in parts:
            console.print(part, soft_wrap=soft_wrap)
    sys.stdout.write(captured.get())
    sys.stdout.flush()


def until_closed(work: Callable[[], int]) -> int:
    """What `work` returns; 0 where whoever read our output (`| head`) went away, 130 after Ctrl-C."""
    try:
        code = work()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Python flushes stdout once more on its way out, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
