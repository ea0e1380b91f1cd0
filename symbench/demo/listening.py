"""Where pages are served: at an address of this machine, and of no other."""

from __future__ import annotations

import socket
import sys
from typing import Final

from symbench.errors import SymbenchError

HOST: Final = "127.0.0.1"
_WAITING = 128  # connections


def listen(port: int) -> socket.socket:
    """A socket that listens on this machine; 0 takes a free port.

    Raises:
        SymbenchError: The port is in use, or not to be had.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there a second server could take the port of the first
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen(_WAITING)
    except OSError as error:
        found.close()
        why = error.strerror or str(error)
        raise SymbenchError(f"cannot listen on {HOST}:{port} ({why}); take another --port, 0 for a free one") from error
    return found


def address_of(listening: socket.socket) -> str:
    """Where a page is that is served from this socket."""
    return f"http://{HOST}:{listening.getsockname()[1]}/"
