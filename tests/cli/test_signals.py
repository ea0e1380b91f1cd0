"""What ends a run from outside: Ctrl-C, SIGTERM, a closed terminal, a crash. Nothing plays on, nothing is lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import symbench

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="sends signals of POSIX")]

RUN = ["run", "-s", "tiny.toml", "-t", "CartPole-v1", "-a", "ppo:mine.zip", "--trust", "--only", "--out", "mine"]
# Every worker says who it is and is busy for longer than any test waits, as in a long call of native code.
BUSY = """
import os, pathlib, signal, time
{before}
pathlib.Path("workers", str(os.getpid())).touch()
end = time.monotonic() + 60
while time.monotonic() < end:
    try:
        time.sleep(60)
    except BaseException:
        {answer}
"""
POLITE, STUBBORN = (
    BUSY.format(before="", answer="raise"),
    BUSY.format(before="signal.signal(signal.SIGTERM, signal.SIG_IGN)", answer="pass"),
)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command as a process of its own."""
    monkeypatch.setenv("PYTHONPATH", str(Path(symbench.__file__).parents[1]))
    (tmp_path / "workers").mkdir()
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "symbench.cli", *RUN, *words]
        # A shell that runs these tests in the background makes its children ignore Ctrl-C.
        ours = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
        started.append(subprocess.Popen(command, stdout=-1, stderr=-1, text=True, preexec_fn=ours))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
    for pid in workers():
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)


def workers() -> list[int]:
    return [int(path.name) for path in Path("workers").iterdir()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(what: Callable[[], object], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(what())


@pytest.mark.parametrize(
    ("behaviour", "sent", "code"),
    [
        *((POLITE, signal.SIGINT, 130), (POLITE, signal.SIGTERM, 143), (POLITE, signal.SIGHUP, 129)),
        *((STUBBORN, signal.SIGINT, 130), (STUBBORN, signal.SIGTERM, 143)),
    ],
    ids=["polite-SIGINT", "polite-SIGTERM", "polite-SIGHUP", "stubborn-SIGINT", "stubborn-SIGTERM"],
)
def test_a_signal_ends_the_run_and_its_workers(
    start: Callable[..., subprocess.Popen[str]],
    sb3_that: Callable[[str], Path],
    behaviour: str,
    sent: signal.Signals,
    code: int,
) -> None:
    sb3_that(behaviour)
    process = start("--workers", "2")
    assert wait_for(lambda: len(workers()) == 2, 60)
    process.send_signal(sent)
    if sent == signal.SIGTERM:
        process.send_signal(sent)  # as timeout does
    _, error = process.communicate(timeout=20)
    assert process.returncode == code
    by = "" if sent == signal.SIGINT else f" by {sent.name}"
    assert f"interrupted{by}; 1 of 4 cells are done; what was computed is kept, the same command goes on" in error
    assert "Traceback" not in error
    assert not any(map(is_running, workers()))


@pytest.mark.parametrize("behaviour", [POLITE, STUBBORN], ids=["polite", "stubborn"])
def test_no_worker_outlives_a_run_that_is_killed(
    start: Callable[..., subprocess.Popen[str]], sb3_that: Callable[[str], Path], behaviour: str
) -> None:
    sb3_that(behaviour)
    process = start("--workers", "2")
    assert wait_for(lambda: len(workers()) == 2, 60)
    process.kill()
    assert wait_for(lambda: not any(map(is_running, workers())), 15)


def test_who_ignores_a_closed_terminal_goes_on(
    start: Callable[..., subprocess.Popen[str]], sb3_that: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sb3_that("import pathlib; pathlib.Path('workers', str(__import__('os').getpid())).touch()")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        process = start("--workers", "1")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert wait_for(workers, 60)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_crash_costs_its_own_cells_and_the_retry_that_is_advised_works(
    start: Callable[..., subprocess.Popen[str]], sb3_that: Callable[[str], Path], tmp_path: Path
) -> None:
    sb3_that("import os, signal\nif not os.path.exists('mended'): os.kill(os.getpid(), signal.SIGSEGV)")
    for _ in range(2):  # the second time, nothing but what crashes is left
        output, error = start("--workers", "2").communicate(timeout=120)
        crashed = r"failed tiny@1/CartPole-v1/\S+/mine/s0: the worker process died \(exit code -11, Seg"  # either first
        assert re.search(crashed, error)
        assert "error: 2 cells failed; the same command tries them again" in error
        assert "random" in output and "FAILED: 2" in output
    (tmp_path / "mended").touch()
    process = start("--workers", "2")
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert len(list(Path("mine").glob("cells/**/*.json"))) == 4
