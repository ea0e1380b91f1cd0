"""``symbench demo``: the page at an address of this machine."""

from __future__ import annotations

import http.client
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from symbench.cli import app
from symbench.demo import PageServer, page
from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    Open = Callable[..., Page]


@pytest.fixture
def server() -> Iterator[PageServer]:
    with PageServer(page(), 0) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.05,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def asked(server: PageServer, path: str, method: str = "GET") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    connection.request(method, path)
    return connection.getresponse()


def test_it_serves_the_page_and_nothing_else(server: PageServer) -> None:
    answer = asked(server, "/")
    assert answer.status == 200 and answer.read() == page().encode()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["X-Frame-Options"] == "DENY"
    for path in ("/../pyproject.toml", "/etc/passwd", "/%2e%2e/", "/favicon.ico"):
        assert asked(server, path).status == 404
    assert asked(server, "/", "HEAD").read() == b""
    assert asked(server, "/", "POST").status == 501


def test_only_this_machine_is_answered(server: PageServer) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_a_port_in_use_is_one_clear_line(server: PageServer) -> None:
    port = server.server_address[1]
    with pytest.raises(SymbenchError, match=rf"cannot listen on 127.0.0.1:{port} \(.*in use\); take another --port"):
        PageServer("", port)
    result = CliRunner().invoke(app, ["demo", "--port", str(port), "--no-browser"])
    assert result.exit_code == 2 and "take another --port" in result.output and result.output.count("\n") == 1


def test_a_browser_that_goes_away_stops_nothing(server: PageServer, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(5):
        with socket.create_connection(server.server_address[:2]) as connection:  # type: ignore[arg-type]
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert asked(server, "/").status == 200
    assert capfd.readouterr().err == ""


def test_out_writes_the_page_and_says_where(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "there")])
    assert result.exit_code == 0 and result.output.strip() == str(tmp_path / "there" / "index.html")
    assert (tmp_path / "there" / "index.html").read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--port", "-1"], ["--out", ""]])
def test_wrong_options_are_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["demo", *arguments]).exit_code == 2


@pytest.mark.browser
def test_the_served_page_plays(visit: Open, server: PageServer) -> None:
    found = visit(server.address, running=True)
    found.wait_for_function("() => session.steps > 20")
