"""What a user sees whose input is wrong: one line that says what was received and what would be right, exit code 2."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import pytest

from symbench import runner
from symbench.runner.executors import base

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Symbench

RUN = ("run", "--suite", "tiny.toml", "--task", "CartPole-v1", "--workers", "1")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("run --suite shufle", "unknown suite 'shufle'; did you mean 'shuffle'?"),
        ("run --suite nowhere.toml", "suite file 'nowhere.toml' does not exist"),
        ("run --suite shuffle --task CartPol", "where MODULE registers it); did you mean 'CartPole-v1'"),
        ("run --suite tiny.toml --task CartPole-v1 --agent rnadom", "did you mean 'random'"),
        ("run --suite shuffle --task Acrobot-v1 --agent mlp.json", "cannot play Acrobot-v1: mlp reads 4 sensors"),
        ("run --suite tiny.toml --task CartPole-v1 --agent ppo:x.zip --trust", "'x.zip' does not exist"),
        ("run --suite tiny.toml --task CartPole-v1 --quick --episodes 3", "either --quick or --episodes"),
        ("describe here/there", "expected SUITE@VERSION/TASK/PERTURBATION/LEVEL/AGENT/sRUN"),
        ("describe shuffle@2/CartPole-v1/shuffle-sensors/every-26/random/s0", "did you mean"),
        ("describe shuffle@9/CartPole-v1/none/in-order/random/s0", "holds shuffle@3"),
        ("report nowhere", "'nowhere' holds no run"),
        ("train", "symbench train --list"),
        ("train mlpp", "unknown recipe 'mlpp'; did you mean 'mlp'"),
        ("train mlp --set steps", "--set takes KEY=VALUE, received 'steps'"),
        ("run --suite tiny.toml --task CartPole-v1 --episodes 0", "episodes must be at least 1, received 0"),
        ("run --suite tiny.toml --task CartPole-v1 --workers 0", "workers must be at least 1, received 0"),
        ("run --suite tiny.toml --out=", "a directory is expected, received ''"),
        ("train mlp --out=", "a directory is expected, received ''"),
        (
            "run --suite tiny.toml --task CartPole-v1 --agent ppo:. --trust",
            "the agent's file '.' cannot be read (Is a directory)",
        ),
        ("run --suite tiny.toml --task CartPole-v1 --agent zzz", "unknown agent 'zzz' for CartPole-v1; known: "),
        ("report tiny.toml", "'tiny.toml' holds no run"),
        ("report nowhere --latex", "'nowhere' holds no run"),
        ("report nowhere --out x.tex", "--out is for --latex, --html or --csv"),
        ("report nowhere --latex --csv --out x", "--out names one file, so give one of --latex, --html and --csv"),
        ("plot nowhere --out fig.gif", "'fig.gif' names no format of figures; it must end with .pdf, .svg, .png"),
        ("plot nowhere", "'nowhere' holds no run"),
        ("plot nowhere --kind retentoin", "unknown kind of figure 'retentoin'; did you mean 'retention'"),
        ("plot nowhere --kind training", "'nowhere' holds no learning curve; give a folder of symbench train"),
        ("plot", "Missing argument 'RUN...'"),
        ("train ./mine.toml", "recipe file './mine.toml' does not exist"),
        ("run", "Missing option '--suite'"),
        ("run --suit tiny.toml", "No such option: --suit; did you mean --suite? known: --suite, --task, "),
        ("report x --docx", "No such option: --docx; known: --task, --agent, --latex, --html, --csv, --format, --out"),
        ("report x --format docx", "unknown format 'docx'; known: csv, html, latex"),
        ("export hub --zip", "No such option: --zip; known: --agent, "),
        ("--versoin", "No such option: --versoin; did you mean --version? known: --version"),
        ("list foo", "'foo' is not one of 'tasks'"),
        ("rnu", "No such command 'rnu'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(symbench: Symbench, command: str, message: str) -> None:
    result = symbench(*command.split())
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("error: ") and message in line
    assert result.stdout == ""


def test_an_sb3_zip_with_code_is_refused_without_trust(symbench: Symbench, sb3_that: Callable[[str], Path]) -> None:
    sb3_that("pass")
    result = symbench(*RUN, "--agent", "ppo:mine.zip")
    assert result.exit_code == 2
    assert "may execute any code while it loads (surprise is a pickle)" in result.stderr
    assert "--trust" in result.stderr


def test_a_corrupt_weight_file_is_named(symbench: Symbench, tmp_path: Path) -> None:
    (tmp_path / "mlp.safetensors").write_bytes(b"no weights")
    result = symbench(*RUN, "--agent", "./mlp.safetensors")
    assert result.exit_code == 2 and "mlp.safetensors is corrupt" in result.stderr


def test_an_unwritable_directory_is_known_at_once(symbench: Symbench) -> None:
    result = symbench(*RUN, "--agent", "random", "--out", "tiny.toml")
    assert result.exit_code == 2 and "cannot write into 'tiny.toml'" in result.stderr


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("cells", "cannot write into 'mine' (File exists); give another --out"),
        ("run.json/x", "run.json cannot be read"),
    ],
)
def test_what_is_in_the_way_in_a_run_directory_is_named(
    symbench: Symbench, tmp_path: Path, path: str, message: str
) -> None:
    file = tmp_path / "mine" / path
    file.parent.mkdir(parents=True)
    file.touch()
    result = symbench(*RUN, "--agent", "random", "--out", "mine")
    assert result.exit_code == 2 and message in result.stderr


@pytest.mark.parametrize(
    ("apply", "message"),
    [
        (
            '{ wrapper = "AddNoiseChannels", smigma = 1 }',
            "parameter 'smigma' of AddNoiseChannels; did you mean 'sigma'?",
        ),
        (
            '{ wrapper = "AddNoiseChannels", n = 100_000_000_000_000 }',
            "cannot be applied to CartPole-v1: Unable to allocate",
        ),
    ],
)
def test_wrong_parameters_of_a_suite_are_one_line(symbench: Symbench, tmp_path: Path, apply: str, message: str) -> None:
    suite = (tmp_path / "tiny.toml").read_text().replace('{ wrapper = "ShuffleSensors", resample = "episode" }', apply)
    (tmp_path / "tiny.toml").write_text(suite)
    result = symbench(*RUN, "--agent", "random")
    assert result.exit_code == 2 and message in result.stderr, result.output


def test_a_full_disk_keeps_what_was_written(
    symbench: Symbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, calls = os.fsync, iter(range(1000))

    def full(handle: int) -> None:
        if next(calls) >= 3:  # the check of the directory, run.json and the first cell
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        result = symbench(*RUN, "--agent", "random", "--out", "mine")
    assert result.exit_code == 2 and "No space left on device" in result.stderr
    assert len(list(tmp_path.glob("mine/cells/**/*.json"))) == 1
    assert symbench(*RUN, "--agent", "random", "--out", "mine").exit_code == 0


def test_debug_adds_the_traceback(symbench: Symbench) -> None:
    assert "Traceback" not in symbench("run", "--suite", "nothing").output
    result = symbench("run", "--suite", "nothing", "--debug")
    assert result.exit_code == 2 and "Traceback" in result.stderr


def test_a_defect_is_told_from_a_mistake(symbench: Symbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise AssertionError("this cannot be")

    monkeypatch.setattr("symbench.runner.run", broken)
    result = symbench(*RUN)
    assert result.exit_code == 1
    assert "error: AssertionError: this cannot be" in result.stderr and "--debug" in result.stderr


@pytest.mark.parametrize("error", [ValueError("a bug"), TypeError("a bug"), BrokenPipeError("a bug")])
def test_only_what_a_user_can_cause_counts_as_a_mistake(
    symbench: Symbench, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("symbench.runner.run", broken)
    result = symbench(*RUN)
    assert result.exit_code == (2 if isinstance(error, OSError) else 1)
    assert "a bug" in result.stderr and ("defect" in result.stderr) == (result.exit_code == 1)


def test_what_gymnasium_says_about_an_environment_is_a_mistake(
    symbench: Symbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise gym.error.DependencyNotInstalled("install it")

    monkeypatch.setattr("symbench.runner.run", missing)
    assert symbench(*RUN).exit_code == 2


def test_describe_says_why_a_cell_has_no_pipeline(symbench: Symbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("went wrong")

    ids = [f"tiny@1/CartPole-v1/none/in-order/{agent}/s0" for agent in ("random", "mlp")]
    with monkeypatch.context() as patch:
        patch.setattr("symbench.runner.executors.base.play_batch", broken)
        symbench(*RUN, "--agent", "random", "--out", "mine")
    result = symbench("describe", ids[0], "--run", "mine")
    assert result.exit_code == 2 and "random/s0 failed: RuntimeError: went wrong" in result.stderr
    manifest = runner.load_manifest(Path("mine"))
    manifest.skipped[ids[1]], manifest.failed = "mlp reads 4 sensors", {}
    manifest.save(runner.Store(Path("mine")))
    assert "mlp/s0 is left out: mlp reads 4 sensors" in symbench("describe", ids[1], "--run", "mine").stderr
    assert "random/s0 has not been evaluated yet" in symbench("describe", ids[0], "--run", "mine").stderr


def test_cells_that_fail_are_named_and_the_exit_code_says_so(
    symbench: Symbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(cell: Any, seeds: list[int]) -> None:
        raise RuntimeError(f"[{cell.level}] went wrong")

    monkeypatch.setattr("symbench.runner.executors.base.play_batch", broken)
    result = symbench(*RUN, "--agent", "random")
    assert result.exit_code == 1
    assert "failed tiny@1/CartPole-v1/none/in-order/random/s0: RuntimeError: [in-order] went wrong" in result.stderr
    assert "[per-episode] went wrong" in result.stderr and "same reason" not in result.stderr
    assert "error: 2 cells failed" in result.stderr
    assert "FAILED: 2" in result.stdout


def test_cells_that_fail_for_the_same_reason_are_one_line_and_a_count(
    symbench: Symbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(cell: Any, seeds: list[int]) -> None:
        raise RuntimeError(f"illegal action at step {len(cell.level)}")

    monkeypatch.setattr("symbench.runner.executors.base.play_batch", broken)
    result = symbench(*RUN, "--agent", "random", "--out", "mine")
    first = "tiny@1/CartPole-v1/none/in-order/random/s0"
    said, counted, error = result.stderr.splitlines()
    assert said == f"failed {first}: RuntimeError: illegal action at step 8"
    assert counted == f"failed: 2 cells for the same reason, the first of them {first}; run.json has all"
    assert error.startswith("error: 2 cells failed")
    reasons = runner.load_manifest(Path("mine")).failed
    assert len(reasons) == len(set(reasons.values())) == 2, "each keeps its own"


@pytest.mark.parametrize("debug", [False, True])
def test_a_very_long_message_is_cut_and_shown_at_once(
    symbench: Symbench, monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("x" * 100_000)

    monkeypatch.setattr("symbench.runner.executors.base.play_batch", broken)
    begin = time.process_time()
    result = symbench(*RUN, "--agent", "random", "--out", "mine", *(["--debug"] if debug else []))
    assert time.process_time() - begin < 10
    failed = [line for line in result.stderr.splitlines() if line.startswith("failed ")]
    assert [len(line.partition("RuntimeError: ")[2]) for line in failed] == [1000]
    assert len((Path("mine") / "run.json").read_text()) < 10_000
    assert ("Traceback" in result.stderr) == debug


def test_a_long_message_of_a_defect_is_cut(symbench: Symbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise AssertionError("x" * 100_000)

    monkeypatch.setattr("symbench.runner.run", broken)
    result = symbench(*RUN)
    assert result.exit_code == 1 and len(result.stderr) < 1200 and "x ... (a defect" in result.stderr


@pytest.mark.parametrize(
    ("words", "advice"),
    [([], "; the same command tries"), (["--no-resume"], "; without --no-resume, the same command tries")],
)
def test_the_retry_of_failed_cells_that_is_advised_is_the_right_one(
    symbench: Symbench, monkeypatch: pytest.MonkeyPatch, words: list[str], advice: str
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("symbench.runner.executors.base.play_batch", broken)
        result = symbench(*RUN, "--agent", "random", "--out", "mine", *words)
    assert f"error: 2 cells failed{advice} them again" in result.stderr
    monkeypatch.setattr("symbench.runner.executors.local.Processes", lambda workers, timeout: _here)
    assert symbench(*RUN, "--agent", "random", "--out", "mine").exit_code == 0


def test_what_an_earlier_call_left_behind_does_not_fail_this_one(
    symbench: Symbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("symbench.runner.executors.base.play_batch", broken)
        assert symbench(*RUN, "--agent", "random", "--out", "mine").exit_code == 1
    other = [*RUN[: RUN.index("--task") + 1], "Acrobot-v1", *RUN[RUN.index("--task") + 2 :]]
    result = symbench(*other, "--agent", "random", "--out", "mine")
    assert result.exit_code == 0 and "error" not in result.stderr
    assert "mine holds 2 cells of other tasks that failed before" in result.stderr


def _here(jobs: Any) -> Iterator[Any]:
    yield from ((job, base.attempt(job)) for job in jobs)
