"""The thread in which one open page's session lives: its clock, what it is told, what it sends."""

from __future__ import annotations

import time
from contextlib import closing
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, Final

from symbench.demo.messages import FASTEST, SLOWEST, read
from symbench.demo.session import Session
from symbench.errors import SymbenchError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbench.demo.setting import Setting

FRAMES: Final = 20  # a second; a picture is drawn for each
_BETWEEN: Final = 1.5  # seconds between episodes
_BEHIND: Final = 0.25  # seconds that are made up for at most


class Closed(Exception):
    """The page is gone."""


def play(setting: Setting, told: Queue[str | None], send: Callable[[dict[str, Any]], None]) -> None:
    """Play until the page is gone.

    Args:
        setting: What is played.
        told: The page's messages; ``None`` when it is gone.
        send: Sends JSON values to the page, and returns when they are on their way.

    Raises:
        Closed: Or whatever ``send`` raises when the page is gone.
    """
    send(greeting(setting))
    try:
        session = Session(setting)
    except Exception as error:  # whatever somebody's environment raises
        send({"type": "error", "message": one_line(error), "fatal": True})
        return
    with closing(session):
        send(session.state())
        clock = _Clock(session)
        while True:
            obeyed = _listen(session, told, send, wait=clock.wait())
            if clock.advance() or obeyed:
                send(session.state())


def greeting(setting: Setting) -> dict[str, Any]:
    """What a page must know before it shows anything, as JSON values."""
    return {
        "type": "hello",
        "task": setting.task.name,
        "description": setting.task.description,
        "agents": list(setting.agents),
        "shuffle": setting.shuffle,
        "speeds": [SLOWEST, FASTEST],
        "perturbations": [
            {
                "name": choice.name,
                "explanation": choice.explanation,
                "labels": choice.labels,
                "redraws": choice.redraws,
                "reason": choice.reason,
            }
            for choice in setting.choices.values()
        ],
    }


def _listen(
    session: Session, told: Queue[str | None], send: Callable[[dict[str, Any]], None], wait: float | None
) -> bool:
    """Obey all that was said, after waiting for it at most so many seconds; whether there was anything.

    What is no message or cannot be done is answered, and nothing else changes.
    """
    heard = False
    while True:
        try:
            text = told.get(timeout=wait) if wait is None or wait > 0 else told.get_nowait()
        except Empty:
            return heard
        if text is None:
            raise Closed
        heard, wait = True, 0.0
        try:
            session.obey(read(text))
        except SymbenchError as error:
            send({"type": "error", "message": one_line(error)})


class _Clock:
    """When steps are due."""

    def __init__(self, session: Session) -> None:
        self._session, self._last, self._owed = session, time.monotonic(), 0.0
        self._over_since: float | None = None

    def wait(self) -> float | None:
        """Seconds until something is due; ``None`` if nothing is before the page says so."""
        if not self._session.running or self._session.stuck:
            return None
        return max(0.0, self._last + 1 / FRAMES - time.monotonic())

    def advance(self) -> bool:
        """Take the steps that are due; whether there is anything new."""
        session, now = self._session, time.monotonic()
        elapsed, self._last = min(now - self._last, _BEHIND), now
        if not session.running or session.stuck:
            self._owed, self._over_since = 0.0, None
            return False
        if session.over:
            return self._between(now)
        self._owed += elapsed * session.steps_per_second
        # On a slow machine time goes slower rather than the page.
        while self._owed >= 1 and not session.over and time.monotonic() - now < 1 / FRAMES:
            session.tick()
            self._owed -= 1
        self._owed = min(self._owed, 1.0)
        return True

    def _between(self, now: float) -> bool:
        """Some time after the last episode the next begins."""
        self._over_since = now if self._over_since is None else self._over_since
        if now - self._over_since < _BETWEEN:
            return False
        self._owed, self._over_since = 0.0, None
        self._session.next()
        return True
