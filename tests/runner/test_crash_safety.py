"""What becomes of a run when its process is killed, its disk is full, its directory is read-only, or shared."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import tempfile
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.runner import Manifest, Store, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from symbench.suites import Suite

TASK = "CartPole-v1"
KILLS = 50

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked: nothing is imported again")


@pytest.fixture
def play(suite: Suite, agents: dict[str, str]) -> Callable[[Path], Manifest]:
    """Runs the tiny suite in this process."""
    return lambda out: run(suite, out, tasks=[TASK], agents=[agents["mlp"], agents["set"]])


class Child:
    """A process that begins as a copy of this one and does one thing."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                action()
                code = 0
            finally:
                os._exit(code)  # no test is ever reported twice

    def kill_after(self, seconds: float) -> bool:
        """Kill it; whether that came in time."""
        time.sleep(seconds)
        os.kill(self.pid, signal.SIGKILL)
        return self.wait() == -signal.SIGKILL

    def wait(self) -> int:
        """Exit code, negative for a signal."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def files(directory: Path) -> dict[str, bytes]:
    """Everything a reader of the directory may take for a cell."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.glob("cells/**/*.json")}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_run_that_is_killed_fifty_times_ends_as_if_nothing_had_happened(
    play: Callable[[Path], Manifest], tmp_path: Path
) -> None:
    whole, killed, rng, kills = tmp_path / "whole", tmp_path / "killed", np.random.default_rng(0), 0
    play(tmp_path / "first")  # imports everything
    start = time.perf_counter()
    cells = play(whole).cells
    seconds, expected = time.perf_counter() - start, files(whole)
    assert len(expected) == len(cells) == 8
    while kills < KILLS:
        kills += Child(lambda: play(killed)).kill_after(rng.uniform(0, seconds))
        assert files(killed).items() <= expected.items()  # at no moment anything but whole, right cells
        if files(killed) == expected:
            assert play(killed).cells == cells
            shutil.rmtree(killed)
    assert play(killed).cells == cells
    assert files(killed) == expected
    assert [record.cell.id for record in Store(killed).records(cells)] == list(cells)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_two_processes_exclude_each_other_and_a_killed_one_lets_go(
    play: Callable[[Path], Manifest], tmp_path: Path
) -> None:
    out = tmp_path / "shared"
    Store(out).prepare()
    with Store(out).lock():
        assert Child(lambda: _refused(play, out)).wait() == 0
        assert files(out) == {} and not Store(out).manifest.exists()

    def hold() -> None:
        with Store(out).lock():
            (out / "held").touch()
            time.sleep(60)

    holder = Child(hold)
    while not (out / "held").exists():
        time.sleep(0.001)
    _refused(play, out)
    assert holder.kill_after(0)
    assert len(play(out).cells) == 8


def _refused(play: Callable[[Path], Manifest], out: Path) -> None:
    with pytest.raises(SymbenchError, match="another symbench run is writing into"):
        play(out)


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
