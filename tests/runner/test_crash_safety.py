"""What becomes of a run when its process is killed, its disk is full, its directory is read-only, or shared."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.runner import Store, load_manifest, run
from symbench.suites import Suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TASK = "CartPole-v1"
KILLS = 50


def play(suite: dict[str, Any], out: Path, agents: list[str]) -> None:
    """A run in a process of its own."""
    run(Suite.model_validate(suite), out, tasks=[TASK], agents=agents)


@pytest.fixture(scope="module")
def processes() -> Any:
    """Children are forked from a server that has imported everything: a start takes milliseconds, not seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["symbench.runner", "symbench.zoo", "symbench.envs.tasks", "torch", "gymnasium"])
    return context


@pytest.fixture
def start(processes: Any, suite: Suite, agents: dict[str, str]) -> Callable[[Path], Any]:
    def start(out: Path) -> Any:
        process = processes.Process(target=play, args=(suite.model_dump(), out, [agents["mlp"], agents["set"]]))
        process.start()
        return process

    return start


def files(directory: Path) -> dict[str, bytes]:
    """Everything a reader of the directory may take for a cell."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.glob("cells/**/*.json")}


def finish(process: Any) -> int:
    process.join(60)
    assert process.exitcode is not None
    return int(process.exitcode)


@pytest.mark.slow
def test_a_run_that_is_killed_fifty_times_ends_as_if_nothing_had_happened(
    start: Callable[[Path], Any], tmp_path: Path
) -> None:
    whole, killed, rng, interrupted = tmp_path / "whole", tmp_path / "killed", np.random.default_rng(0), 0
    clock = time.perf_counter()
    assert finish(start(whole)) == 0
    seconds, expected = time.perf_counter() - clock, files(whole)
    assert len(expected) == 8
    for _ in range(KILLS):
        process = start(killed)
        process.join(rng.uniform(0, seconds))
        process.kill()
        interrupted += finish(process) == -9
        assert files(killed).items() <= expected.items()  # at no moment anything but whole, right cells
        if files(killed) == expected:
            assert finish(start(killed)) == 0
            assert sorted(load_manifest(killed).cells) == sorted(load_manifest(whole).cells)
            shutil.rmtree(killed)
    assert interrupted > KILLS // 2
    assert finish(start(killed)) == 0
    assert files(killed) == expected
    records = Store(killed).records(load_manifest(killed).cells)
    assert len({record.cell.id for record in records}) == len(records) == 8


@pytest.mark.slow
def test_two_processes_exclude_each_other_and_a_killed_one_lets_go(
    start: Callable[[Path], Any], tmp_path: Path, suite: Suite
) -> None:
    out = tmp_path / "shared"
    Store(out).prepare()
    with Store(out).lock():
        assert finish(start(out)) == 1  # the child says so and has written nothing
        assert files(out) == {} and not Store(out).manifest.exists()
    process = start(out)
    while not Store(out).manifest.exists() and process.is_alive():
        time.sleep(0.001)
    process.kill()
    assert finish(process) in (-9, 0)
    assert run(suite, out, tasks=[TASK], agents=["random"]).failed == {}


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, int], None]]:
    """Lets a number of files be written, then every further one fails with an error of the system."""
    original = os.fsync

    def fail(number: int, after: int) -> None:
        left = iter(range(after))

        def fsync(handle: int) -> None:
            if next(left, None) is None:
                raise OSError(number, os.strerror(number))
            original(handle)

        monkeypatch.setattr(os, "fsync", fsync)

    yield fail
    monkeypatch.undo()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("after", [1, 2, 3, 6])
def test_a_disk_that_fails_midway_costs_nothing_that_was_done(
    suite: Suite,
    tmp_path: Path,
    disk: Callable[[int, int], None],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    after: int,
) -> None:
    out, whole = tmp_path / "run", tmp_path / "whole"
    disk(number, after)
    with pytest.raises(SymbenchError, match=os.strerror(number)):
        run(suite, out, tasks=[TASK], agents=["random"])
    monkeypatch.undo()
    kept = files(out)
    assert len(kept) < 3
    run(suite, out, tasks=[TASK], agents=["random"])
    run(suite, whole, tasks=[TASK], agents=["random"])
    assert files(out) == files(whole)
    assert kept.items() <= files(whole).items()
    assert not [path for path in out.rglob(".*") if path.name != ".lock"]  # nothing half written is left


def test_a_directory_that_became_read_only_is_known_before_anything_is_played(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated, since the superuser may write everywhere."""
    out = tmp_path / "run"
    run(suite, out, tasks=[TASK], agents=["random"])
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def read_only(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(tempfile, "mkstemp", read_only)
    with pytest.raises(SymbenchError, match=r"cannot write into .*Read-only file system.*give another --out"):
        run(suite, out, tasks=[TASK], agents=["random"], resume=False)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
