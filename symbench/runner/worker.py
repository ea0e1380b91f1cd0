"""What a process does first that works for another one, so that it ends when that one says so, or is gone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time

GRACE = 3.0  # seconds to close environments in, before a process is killed


def begin() -> None:
    """Leave Ctrl-C to the parent, end in good order on SIGTERM, and end with the parent, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches all processes; the parent decides what it means
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait in a thread for the end of the parent: who plays an episode does not notice that a pipe has ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)
