"""`copydesk ROLE` on a machine whose clock is wrong and jumps to and fro every two seconds, as far as is allowed for.

That is half an hour each way: the claim log allows for clocks that differ by an hour.
"""

from __future__ import annotations

import os
import random
import sys
import time
from datetime import UTC, datetime

_time = time.time
_JUMP_SECONDS = 2
_MOST_SECONDS = 1_800


def wild() -> float:
    """What this clock shows: seconds since 1970."""
    right = _time()
    return right + random.Random(f"{os.getpid()} {right // _JUMP_SECONDS}").uniform(-_MOST_SECONDS, _MOST_SECONDS)


if __name__ == "__main__":
    # Before anything is imported that takes the function by name.
    time.time = wild
    from pipeline import cli, clock

    clock.SystemClock.now = lambda self: datetime.fromtimestamp(wild(), UTC)  # type: ignore[method-assign]
    sys.exit(cli.main(sys.argv[1:]))
