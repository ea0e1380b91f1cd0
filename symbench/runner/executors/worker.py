"""What a process does first that works for another one, so that it ends when that one says so, or is gone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import suppress

GRACE = 3.0  # seconds to close environments in, before a process is killed


def begin() -> None:
    """Leave Ctrl-C to the parent, end in good order on SIGTERM, and end with the parent, however it ends.

    The process may start others, as vectorised environments do; they are in its process group and end with it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches all processes; the parent decides what it means
    signal.signal(signal.SIGTERM, _end)
    multiprocessing.current_process().daemon = False  # as a daemon it could have no children
    if sys.platform != "win32":
        os.setpgid(0, 0)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end(number: int, _: object) -> None:
    """End in good order, but end: a signal that comes while the interpreter closes is an exception that nobody sees."""
    if sys.platform != "win32":
        signal.alarm(int(GRACE))  # without a handler it ends the process, whatever that waits for
    sys.exit(128 + number)


def kill_group(number: int | None) -> None:
    """Kill a worker and all that it has started; Windows has no groups."""
    if sys.platform != "win32" and number is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(number, signal.SIGKILL)


def _end_with_parent() -> None:
    """Wait in a thread for the end of the parent: who plays an episode does not notice that a pipe has ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    kill_group(os.getpid())
    os._exit(1)
