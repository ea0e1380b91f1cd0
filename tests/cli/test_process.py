"""The command as a process of its own: what it imports, how fast it answers, what survives when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "symbench.cli"]
RUN = ["run", "-s", "shuffle", "-t", "CartPole-v1", "-a", "random", "-a", "./mlp.json", "--episodes", "100"]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    import symbench

    root = os.path.dirname(os.path.dirname(symbench.__file__))  # noqa: PTH120
    monkeypatch.setenv("PYTHONPATH", root)


def test_help_imports_neither_torch_nor_gymnasium() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from symbench.cli import app; "
        "assert 'symbench run' in CliRunner().invoke(app, ['--help']).output; "
        "print([m for m in ('torch', 'gymnasium', 'numpy', 'pandas', 'pydantic') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.skipif(sys.platform == "win32", reason="the time a child computed is known on POSIX only")
def test_help_answers_at_once() -> None:
    """Less than half a second on an idle machine: of computing, since other processes may be running."""
    import resource

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*COMMAND, "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.5


@pytest.mark.parametrize("words", [["list", "tasks"], ["list", "suites"]])
def test_a_reader_that_has_seen_enough_is_no_error(words: list[str]) -> None:
    with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == "" and process.wait(timeout=60) == 0


def cells(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.glob("cells/**/*.json")}


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_killed_run_loses_only_what_was_in_flight(tmp_path: Path, sent: signal.Signals, workers: str) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [*COMMAND, *RUN, "-w", workers, "--out"]
    process = subprocess.Popen(
        [*command, str(killed)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs these tests in the background makes its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while len(cells(killed)) < 3 and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(sent)
    _, error = process.communicate(timeout=60)
    kept = cells(killed)
    if sent == signal.SIGINT:
        assert process.returncode == 130 and "Traceback" not in error
    assert 3 <= len(kept) < 14
    subprocess.run([*command, str(killed)], check=True, capture_output=True)
    subprocess.run([*command, str(whole)], check=True, capture_output=True)
    assert cells(killed) == cells(whole)
    assert kept.items() <= cells(whole).items()
