"""Runs a command and ends it when the owner is gone, however the owner went.

    python -I -S keeper.py COMMAND ARGUMENT…

The owner holds the other end of our stdin: when it closes that, exits or is killed, we read end-of-file and stop the
command. A pipe works on every Unix and for any thread, which a parent-death signal does not; that signal (Linux) only
covers the keeper itself being killed. Standard library alone: this file runs outside the package.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading

PATIENCE_SECONDS = 15.0
_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> int:
    """Run `command` to its end; its exit code, as a shell would give it."""
    keeper = os.getpid()
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def die_with_keeper() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != keeper:
                os._exit(1)

    # File descriptors stay open: one of them is the lock that says that this data directory has a broker.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False, preexec_fn=die_with_keeper)  # noqa: S603
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=_stop_with_owner, args=(child,), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _stop_with_owner(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1):
        pass
    child.terminate()
    try:
        child.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
