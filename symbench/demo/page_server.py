"""The page at an address of this machine, and of no other."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from symbench.demo.listening import HOST, address_of, listen


class PageServer(ThreadingHTTPServer):
    """Serves one page, and nothing else, to browsers on this machine. Call ``serve_forever()``."""

    daemon_threads = True  # a browser that keeps its connection open does not keep the command from ending

    def __init__(self, page: str, port: int) -> None:
        """Take the port.

        Args:
            page: The HTML.
            port: 0 to 65535; 0 takes a free one.

        Raises:
            SymbenchError: The port is in use, or not to be had.
        """
        self.content = page.encode()
        super().__init__((HOST, port), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listen(port)
        self.server_address = self.socket.getsockname()

    @property
    def address(self) -> str:
        """Where the page is."""
        return address_of(self.socket)

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
