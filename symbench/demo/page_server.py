"""The page at an address of this machine, and of no other."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from symbench.errors import SymbenchError

HOST: Final = "127.0.0.1"


class PageServer(ThreadingHTTPServer):
    """Serves one page, and nothing else, to browsers on this machine. Call ``serve_forever()``."""

    daemon_threads = True  # a browser that keeps its connection open does not keep the command from ending
    allow_reuse_address = False  # with it a second server could take the port of the first, on Windows

    def __init__(self, page: str, port: int) -> None:
        """Take the port.

        Args:
            page: The HTML.
            port: 0 to 65535; 0 takes a free one.

        Raises:
            SymbenchError: The port is in use, or not to be had.
        """
        self.content = page.encode()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            why = error.strerror or str(error)
            raise SymbenchError(
                f"cannot listen on {HOST}:{port} ({why}); take another --port, 0 for a free one"
            ) from error

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_address[1]}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away while it is answered is no mistake."""


class _Handler(BaseHTTPRequestHandler):
    server: PageServer

    def do_GET(self) -> None:
        """Answer with the page at its address."""
        if self.path.partition("?")[0] not in ("/", "/index.html"):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._head()
        self.wfile.write(self.server.content)

    def do_HEAD(self) -> None:
        """What ``do_GET`` says of it."""
        self._head()

    def _head(self) -> None:
        self.send_response(HTTPStatus.OK)
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(self.server.content)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing of requests."""
