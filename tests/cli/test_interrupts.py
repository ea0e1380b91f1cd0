"""What a command says that is interrupted, by Ctrl-C or by a signal: what is kept, and how to go on."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Symbench

RUN = ("run", "--suite", "tiny.toml", "--task", "CartPole-v1", "--workers", "1")
KEPT = "what was computed is kept"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], f"interrupted; 3 of 8 cells are done; {KEPT}, the same command goes on from there\n"),
        (
            ["--no-resume"],
            f"interrupted; 3 of 8 cells are done; {KEPT}; "
            "the same command begins again, without --no-resume it goes on from there\n",
        ),
    ],
)
def test_ctrl_c_ends_quietly_and_promises_what_is_true(
    symbench: Symbench, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt("3 of 8 cells are done")

    monkeypatch.setattr("symbench.runner.run", interrupted)
    result = symbench(*RUN, *words)
    assert result.exit_code == 130 and result.stderr == message


def test_a_command_that_keeps_nothing_promises_nothing(symbench: Symbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("symbench.leaderboard.write_report", interrupted)
    result = symbench("report", "mine")
    assert result.exit_code == 130 and result.stderr == "interrupted\n"


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of POSIX")
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_ends_a_command_as_ctrl_c_does(
    symbench: Symbench, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    number = getattr(signal, name)

    def run(*_: Any, **__: Any) -> None:
        try:
            os.kill(os.getpid(), number)
            time.sleep(60)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("3 of 8 cells are done") from None
        finally:
            os.kill(os.getpid(), number)  # twice, as timeout does: the first is being obeyed

    monkeypatch.setattr("symbench.runner.run", run)
    result = symbench(*RUN)
    assert result.exit_code == code
    assert (
        result.stderr == f"interrupted by {name}; 3 of 8 cells are done; {KEPT}, the same command goes on from there\n"
    )
    assert signal.getsignal(number) == signal.SIG_DFL


def test_a_signal_that_someone_else_handles_is_left_to_them(
    symbench: Symbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[int] = []

    def run(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr("symbench.runner.run", run)
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        assert symbench(*RUN).exit_code == 130
    finally:
        signal.signal(signal.SIGTERM, before)
    assert received == [signal.SIGTERM]


def test_commands_can_be_called_in_threads(symbench: Symbench) -> None:
    """Only the main thread may say what signals do."""
    with ThreadPoolExecutor() as pool:
        assert pool.submit(symbench, "list", "tasks").result().exit_code == 0


def test_nothing_is_promised_before_the_first_cell_is_done(symbench: Symbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("symbench.runner.executors.base.play_batch", interrupted)
    result = symbench(*RUN, "--agent", "random")
    assert result.exit_code == 130 and result.stderr == "interrupted; nothing is kept\n"
