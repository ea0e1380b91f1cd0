"""The live page at an address of this machine: one page, and a websocket for what is played."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager, suppress
from queue import Queue
from typing import TYPE_CHECKING, Any, Final

from symbench.demo import worker
from symbench.demo.listening import HOST, address_of, listen
from symbench.demo.messages import LONGEST
from symbench.demo.page_file import live_page
from symbench.errors import one_line
from symbench.extras import require
from symbench.runner.evaluate import single_thread

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterator

    from fastapi import FastAPI, WebSocket

    from symbench.demo.setting import Setting

    App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

MOST_PAGES: Final = 4  # open at the same time; each plays its own session
_REFUSED, _CROWDED = 1008, 1013  # codes with which a websocket is closed
_NAME: Final = "symbench demo"  # of threads
_GRACE: Final = 2  # seconds that open pages have when the server ends
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}


def _silent(line: str) -> None:
    """For those who have no terminal."""


def require_packages() -> None:
    """Import what a live page needs beside symbench.

    Raises:
        SymbenchError: A package is missing.
    """
    for package in ("fastapi", "uvicorn", "websockets", "PIL.Image"):
        require(package, "live demos")


def serve(setting: Setting, listening: socket.socket, say: Callable[[str], None] = _silent) -> None:
    """Serve the page of a setting until Ctrl-C.

    Args:
        setting: What is played.
        listening: As of :func:`symbench.demo.listening.listen`; it is closed.
        say: Is told in a line, beside the page, when an agent or the environment has broken.

    Raises:
        SymbenchError: A package is missing.
    """
    with single_thread(), listening:
        make_server(make_app(setting, listening.getsockname()[1], say)).run(sockets=[listening])


@contextmanager
def serving(setting: Setting) -> Iterator[str]:
    """Serve the page of a setting from another thread, at a free port, until the block ends.

    Yields:
        Its address.

    Raises:
        SymbenchError: A package is missing.
    """
    with listen(0) as listening:
        server = make_server(make_app(setting, listening.getsockname()[1]))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield address_of(listening)
        finally:
            server.should_exit = True
            thread.join()


def make_server(app: FastAPI) -> Any:
    """The ``uvicorn.Server`` of an application.

    Raises:
        SymbenchError: A package is missing.
    """
    uvicorn = require("uvicorn", "live demos")
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        lifespan="off",
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=16 * LONGEST,
        timeout_graceful_shutdown=_GRACE,
    )
    return uvicorn.Server(config)


def make_app(setting: Setting, port: int, say: Callable[[str], None] = _silent) -> FastAPI:
    """The application that is served.

    Args:
        setting: What is played.
        port: Where; only pages from there are answered.
        say: As of :func:`serve`.

    Raises:
        SymbenchError: A package is missing.
    """
    fastapi = require("fastapi", "live demos")
    from starlette.routing import WebSocketRoute  # on which fastapi is built

    hosts = [f"{name}:{port}" for name in (HOST, "localhost")]
    content, policy = live_page([f"ws://{host}" for host in hosts])
    app: FastAPI = fastapi.FastAPI(openapi_url=None)
    app.add_middleware(_OnlyHere, hosts=hosts)
    pages = _Pages(setting, say)

    async def page() -> Any:
        headers = {**_HEADERS, "Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}
        return fastapi.Response(content, media_type="text/html; charset=utf-8", headers=headers)

    app.add_api_route("/", page, methods=["GET", "HEAD"], response_model=None)
    app.router.routes.append(WebSocketRoute("/play", pages.play))
    return app


class _OnlyHere:
    """Refuses whatever does not come from a page of this server.

    A page of another site can open a websocket to any address; the browser says in ``Origin`` whose page it is. One
    whose own name was made to point to this machine is known by ``Host``.
    """

    def __init__(self, app: App, hosts: list[str]) -> None:
        self._app, self._hosts = app, [host.encode() for host in hosts]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        origin = headers.get(b"origin", b"" if scope["type"] == "websocket" else None)
        is_here = origin is None or origin in [b"http://" + host for host in self._hosts]
        if headers.get(b"host") in self._hosts and is_here:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _REFUSED, "reason": "not a page of this server"})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"not a page of this server\n"})


class _Pages:
    """The open pages, each with a thread of its own, so that none waits for another."""

    def __init__(self, setting: Setting, say: Callable[[str], None]) -> None:
        self._setting, self._room = setting, threading.BoundedSemaphore(MOST_PAGES)
        self._say, self._said = say, set[str]()

    async def play(self, socket: WebSocket) -> None:
        """Play with one page until it is gone."""
        await socket.accept()
        if not self._room.acquire(blocking=False):
            message = f"{MOST_PAGES} pages are open, which is the most there can be: close one"
            await socket.send_text(json.dumps({"type": "error", "message": message, "fatal": True}))
            await socket.close(_CROWDED)
            return
        told: Queue[str | None] = Queue()
        thread = threading.Thread(
            target=self._work, args=(socket, told, asyncio.get_running_loop()), name=_NAME, daemon=True
        )
        thread.start()
        try:
            await _hear(socket, told)
        finally:
            told.put(None)
            await asyncio.shield(asyncio.to_thread(thread.join))

    def _work(self, socket: WebSocket, told: Queue[str | None], loop: asyncio.AbstractEventLoop) -> None:
        def send(message: dict[str, Any]) -> None:
            self._say_what_broke(message)
            text = json.dumps(message, allow_nan=False)  # which browsers could not read
            try:
                asyncio.run_coroutine_threadsafe(socket.send_text(text), loop).result()
            except Exception as error:  # of the websocket, of its server, of the loop
                raise worker.Closed from error

        try:
            worker.play(self._setting, told, send)
        except worker.Closed:
            pass
        except Exception as error:  # a defect of this session is not one of the others
            _say_last(send, error)
        finally:
            self._room.release()

    def _say_what_broke(self, message: dict[str, Any]) -> None:
        """Each thing once, however many pages and episodes it breaks."""
        broken = [f"{each['agent']}: {each['problem']}" for each in message.get("lanes", ()) if each["broken"]]
        for line in [*broken, message["message"]] if message.get("fatal") else broken:
            if line not in self._said:
                self._said.add(line)
                self._say(line)


def _say_last(send: Callable[[dict[str, Any]], None], error: Exception) -> None:
    message = f"{type(error).__name__}: {one_line(error)} (a defect in symbench or in the task; load the page again)"
    with suppress(worker.Closed):
        send({"type": "error", "message": message, "fatal": True})


async def _hear(socket: WebSocket, told: Queue[str | None]) -> None:
    """Pass on what the page says, until it is gone."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        told.put(message.get("text") or "")
