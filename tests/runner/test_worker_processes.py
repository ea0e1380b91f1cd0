"""What may take a process down plays in another one, which ends when it is told to, whatever it is doing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symbench.runner import AgentSource, Cell, Episodes, execute
from symbench.runner.executors import base, cells, local, worker
from symbench.runner.executors.local import ProcessLane

Start = Callable[[str], ProcessLane]


@pytest.fixture
def mine(cell: Callable[..., Cell], sb3_that: Callable[[str], Path]) -> Callable[..., Cell]:
    """Makes cells of an agent that executes code in its worker."""

    def make(code: str, **fields: Any) -> Cell:
        source = AgentSource(name="mine", kind="sb3", algorithm="ppo", path=str(sb3_that(code)), trust=True)
        return cell(source=source, **fields)

    return make


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of processes that were asked for; everything plays here."""
    numbers: list[int] = []

    def in_processes(workers: int, timeout: float | None) -> Any:
        numbers.append(workers)
        return lambda jobs: (played for played in [(job, base.attempt(job)) for job in jobs])

    monkeypatch.setattr(local, "Processes", in_processes)
    return numbers


def test_our_own_code_plays_in_this_process_if_one_is_enough(cell: Callable[..., Cell], asked: list[int]) -> None:
    outcomes = list(execute([cell(), cell("mlp")], failed=["another"]))
    assert asked == [] and all(outcome.record for outcome in outcomes)


def test_the_code_of_an_agent_plays_in_another_process(mine: Callable[..., Cell], asked: list[int]) -> None:
    (outcome,) = execute([mine("pass")])
    assert asked == [1] and outcome.record


def test_what_failed_before_plays_in_another_process(cell: Callable[..., Cell], asked: list[int]) -> None:
    list(execute([cell(level="a"), cell(level="b")], failed=[cell(level="b").id]))
    assert asked == [1]


def test_several_workers_are_processes_though_one_job_is_left(cell: Callable[..., Cell], asked: list[int]) -> None:
    list(execute([cell()], workers=2))
    assert asked == [2]


def test_no_more_processes_are_started_than_there_are_jobs(
    cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[ProcessLane] = []
    start = ProcessLane._start
    monkeypatch.setattr(ProcessLane, "_start", lambda lane: started.append(lane) or start(lane))  # type: ignore[func-returns-value]
    assert [outcome.record is not None for outcome in execute([cell()], workers=3)] == [True]
    assert len(started) == 1
    assert multiprocessing.active_children() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "end"),
    [("import os; os._exit(7)", "exit code 7"), ("import os; os.kill(os.getpid(), 9)", "exit code -9, Killed")],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_crash_of_the_only_worker_is_said_and_the_others_go_on(
    mine: Callable[..., Cell], cell: Callable[..., Cell], code: str, end: str
) -> None:
    first, second, third = execute([cell(level="a"), mine(code, level="b"), cell(level="c")])
    again = "also when it was tried a second time; out of memory or a crash?"
    assert second.error == f"the worker process died ({end}), {again}"
    assert first.record and third.record


@pytest.fixture
def lane_with(mine: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker that executes code and waits until it does."""
    lanes: list[ProcessLane] = []
    monkeypatch.chdir(tmp_path)

    def start(code: str) -> ProcessLane:
        lanes.append(ProcessLane())
        lanes[-1].give((mine(code), range(100, 101)))
        while not Path("busy").exists():
            time.sleep(0.02)
        return lanes[-1]

    yield start
    ProcessLane.stop(lanes)


SLEEP = "import pathlib, signal, time\n{}\npathlib.Path('busy').touch()\n{}"
STUBBORN = SLEEP.format("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "time.sleep(60)")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_worker_that_is_told_to_end_closes_what_it_has_opened(lane_with: Start) -> None:
    lane = lane_with(SLEEP.format("", "try: time.sleep(60)\nfinally: pathlib.Path('closed').touch()"))
    begin, process = time.monotonic(), lane.process
    ProcessLane.stop([lane])
    assert process and time.monotonic() - begin < worker.GRACE
    assert Path("closed").exists()
    assert process.exitcode == 128 + signal.SIGTERM
    assert lane.connection.closed


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_worker_that_does_not_end_is_killed(lane_with: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "GRACE", 0.5)
    lane = lane_with(STUBBORN)
    begin, process = time.monotonic(), lane.process
    ProcessLane.stop([lane])
    assert process and 0.5 <= time.monotonic() - begin < 10
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("import atexit, pathlib; atexit.register(pathlib.Path('closed').touch)", 0),
        ("import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()", -signal.SIGKILL),
    ],
)
@pytest.mark.slow
def test_a_worker_for_which_there_is_nothing_left_ends_by_itself_or_is_killed(
    mine: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, exit_code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(worker, "GRACE", 2.0)
    lane = ProcessLane()
    lane.give((mine(code), range(100, 101)))
    while lane.take() is None:
        pass
    begin, process = time.monotonic(), lane.process
    lane.dismiss()
    assert time.monotonic() - begin < 0.1
    ProcessLane.stop([lane])
    assert process and process.exitcode == exit_code
    assert Path("closed").exists() == (exit_code == 0)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_second_ctrl_c_kills_at_once(lane_with: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "GRACE", 120.0)
    lane = lane_with(STUBBORN)
    process = lane.process
    again = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest-xdist's processes ignore it
    again.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            ProcessLane.stop([lane])
    finally:
        again.cancel()
        signal.signal(signal.SIGINT, before)
    assert process and process.exitcode == -signal.SIGKILL


def test_all_workers_share_the_time_to_end_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty stubborn ones take no longer than one: docker kills after ten seconds."""
    clock, calls = [0.0], []

    class Process:
        sentinel = pid = None
        join = lambda self: calls.append("joined")  # noqa: E731
        terminate = kill = lambda self: calls.append(None)

    class Lane:
        process = Process()
        connection = type("Connection", (), {"closed": False, "close": lambda self: calls.append("closed")})()

    def wait(sentinels: list[Any], timeout: float) -> None:
        calls.append(timeout)
        clock[0] += timeout

    monkeypatch.setattr(local, "wait", wait)
    monkeypatch.setattr(local.time, "monotonic", lambda: clock[0])
    ProcessLane.stop([Lane(), Lane(), Lane()])  # type: ignore[list-item]
    assert clock == [worker.GRACE]
    assert calls == [None, None, None, worker.GRACE, 0.0, 0.0, *[None, "joined", "closed"] * 3]


def test_a_worker_is_given_a_few_seconds() -> None:
    assert 1 <= worker.GRACE <= 5  # Ctrl-C must not seem to hang; docker kills after ten


def test_of_a_cell_that_has_failed_no_other_batch_is_begun(
    cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[tuple[str, int]] = []
    original = base.play_batch

    def play(asked: Cell, seeds: range) -> Any:
        played.append((asked.level, seeds[0]))
        return original(asked, seeds) if asked.level == "fine" else 1 / 0

    monkeypatch.setattr(cells, "batches", lambda asked: [range(100, 102), range(102, 105)])
    monkeypatch.setattr(base, "play_batch", play)
    first, second = execute([cell(level="broken"), cell(level="fine")])
    assert first.error == "ZeroDivisionError: division by zero" and second.record
    assert played == [("broken", 100), ("fine", 100), ("fine", 102)]


@pytest.mark.parametrize("order", [1, -1])
def test_batches_are_joined_in_their_order_whichever_is_done_first(
    cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    whole = next(execute([cell("mlp", episodes=6)])).record
    monkeypatch.setattr(cells, "batches", lambda asked: [range(100, 102), range(102, 104), range(104, 106)])
    reordered = lambda *_: lambda jobs: ((job, base.attempt(job)) for job in list(jobs)[::order])  # noqa: E731
    monkeypatch.setattr(local, "Processes", reordered)
    (outcome,) = execute([cell("mlp", episodes=6)], workers=2)
    assert whole and outcome.record
    assert outcome.record.episodes.columns() == whole.episodes.columns()
    assert outcome.record.pipeline == whole.pipeline and outcome.record.pipeline


def test_a_cell_that_has_failed_is_reported_once(cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "batches", lambda asked: [range(100, 102), range(102, 105)])
    monkeypatch.setattr(base, "play_batch", lambda *_: 1 / 0)
    ahead = lambda *_: lambda jobs: (done for done in [(job, base.attempt(job)) for job in jobs])  # noqa: E731
    monkeypatch.setattr(local, "Processes", ahead)
    assert len(list(execute([cell()], workers=2))) == 1


class _Unreadable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("x" * 100_000), "ValueError: " + "x" * 996 + " ..."),
        (ValueError("two\nlines\udce9"), "ValueError: two lines\\udce9"),
        (_Unreadable(), "_Unreadable: a message that cannot be read: RuntimeError"),
    ],
    ids=["long", "no Unicode", "unreadable"],
)
def test_whatever_is_raised_becomes_a_short_line(
    cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    def play(*_: Any) -> None:
        raise error

    monkeypatch.setattr(base, "play_batch", play)
    (outcome,) = execute([cell()])
    assert outcome.error == line


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Episodes take no time; the calls of what is done besides."""
    calls: list[str] = []

    def play(asked: Cell, seeds: range) -> Any:
        zeros = np.zeros(len(seeds))
        return Episodes(np.array(seeds), zeros, zeros.astype(np.int64), zeros > 0)

    batches = cells.batches
    monkeypatch.setattr(cells, "batches", lambda asked: calls.append("batches") or batches(asked))  # type: ignore[func-returns-value]
    monkeypatch.setattr(base, "describe", lambda asked: calls.append("describe") or (("agent", "x"),))  # type: ignore[func-returns-value]
    monkeypatch.setattr(base, "measure", lambda asked: calls.append("measure") or {"policy_error": 1.0})  # type: ignore[func-returns-value]
    monkeypatch.setattr(base, "play_batch", play)
    return calls


def test_a_cell_of_many_batches_is_listed_described_and_measured_once(
    cell: Callable[..., Cell], instant: list[str]
) -> None:
    (outcome,) = execute([cell(episodes=20_000)])
    assert outcome.record and outcome.record.episodes.seeds.tolist() == list(range(100, 20_100))
    assert outcome.record.pipeline == (("agent", "x"),) and outcome.record.measures == {"policy_error": 1.0}
    assert instant == ["batches", "describe", "measure"]


def test_what_is_to_come_takes_no_memory(cell: Callable[..., Cell], instant: list[str]) -> None:
    import tracemalloc

    cells = [cell(level=str(i), episodes=10_000 if i == 0 else 1_000_000) for i in range(44)]
    tracemalloc.start()
    try:
        assert next(execute(cells)).record
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
    assert instant.count("batches") == 1


ONCE = """
import os, pathlib
died = pathlib.Path({folder!r}, "died")
if not died.exists():
    died.touch()
    os.kill(os.getpid(), 9)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_worker_that_died_is_replaced_and_its_job_tried_again(mine: Callable[..., Cell], tmp_path: Path) -> None:
    (outcome,) = execute([mine(ONCE.format(folder=str(tmp_path)))])
    assert outcome.record and (tmp_path / "died").exists()


@pytest.mark.slow
def test_what_hangs_is_stopped_and_the_others_go_on(mine: Callable[..., Cell], cell: Callable[..., Cell]) -> None:
    begin = time.monotonic()
    cells = [cell(level="a"), mine("import time; time.sleep(300)", level="b"), cell(level="c")]
    outcomes = {outcome.cell.level: outcome for outcome in execute(cells, timeout=5.0)}
    assert time.monotonic() - begin < 60
    assert outcomes["a"].record and outcomes["c"].record
    assert outcomes["b"].error == (
        "the episodes with seeds 100 to 104 took longer than 5 seconds and were stopped; "
        "give a longer --timeout if they do not hang"
    )


@pytest.mark.parametrize("timeout", [0.0, -1.0, float("inf"), float("nan")])
def test_a_timeout_is_a_time(cell: Callable[..., Cell], timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout must be above 0 seconds, received"):
        execute([cell()], timeout=timeout)


CHILD = """
import multiprocessing, pathlib, time
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(300,))
child.start()
pathlib.Path({folder!r}, "child").write_text(str(child.pid))
{then}
"""


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("then", ["", "time.sleep(300)", "import os; os._exit(7)"], ids=["done", "hangs", "crashes"])
def test_environments_can_start_processes_and_none_outlives_its_worker(
    mine: Callable[..., Cell], tmp_path: Path, then: str
) -> None:
    (outcome,) = execute([mine(CHILD.format(folder=str(tmp_path), then=then))], timeout=5.0)
    assert (outcome.record is not None) == (then == ""), outcome.error
    pid = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)
