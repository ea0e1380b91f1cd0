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

from symbench.runner import AgentSource, Cell, Episodes, execute, executor, worker

Start = Callable[[str], executor._Lane]


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

    def in_processes(jobs: Any, workers: int) -> Iterator[Any]:
        numbers.append(workers)
        yield from [(job, executor._attempt(job)) for job in jobs]

    monkeypatch.setattr(executor, "_in_processes", in_processes)
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
    started: list[executor._Lane] = []
    start = executor._Lane._start
    monkeypatch.setattr(executor._Lane, "_start", lambda lane: started.append(lane) or start(lane))  # type: ignore[func-returns-value]
    assert [outcome.record is not None for outcome in execute([cell()], workers=3)] == [True]
    assert len(started) == 1
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("code", "end"),
    [("import os; os._exit(7)", "exit code 7"), ("import os; os.kill(os.getpid(), 9)", "exit code -9, Killed")],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_crash_of_the_only_worker_is_said_and_the_others_go_on(
    mine: Callable[..., Cell], cell: Callable[..., Cell], code: str, end: str
) -> None:
    first, second, third = execute([cell(level="a"), mine(code, level="b"), cell(level="c")])
    assert second.error == f"the worker process died ({end}); out of memory or a crash?"
    assert first.record and third.record


@pytest.fixture
def lane_with(mine: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker that executes code and waits until it does."""
    lanes: list[executor._Lane] = []
    monkeypatch.chdir(tmp_path)

    def start(code: str) -> executor._Lane:
        lanes.append(executor._Lane())
        lanes[-1].give((mine(code), range(100, 101)))
        while not Path("busy").exists():
            time.sleep(0.02)
        return lanes[-1]

    yield start
    for lane in lanes:
        lane.process.kill()
        lane.process.join()


SLEEP = "import pathlib, signal, time\n{}\npathlib.Path('busy').touch()\n{}"
STUBBORN = SLEEP.format("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "time.sleep(60)")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_worker_that_is_told_to_end_closes_what_it_has_opened(lane_with: Start) -> None:
    lane = lane_with(SLEEP.format("", "try: time.sleep(60)\nfinally: pathlib.Path('closed').touch()"))
    begin = time.monotonic()
    executor._stop([lane])
    assert time.monotonic() - begin < worker.GRACE
    assert Path("closed").exists()
    assert lane.process.exitcode == 128 + signal.SIGTERM
    assert lane.connection.closed


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_worker_that_does_not_end_is_killed(lane_with: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "GRACE", 0.5)
    lane = lane_with(STUBBORN)
    begin = time.monotonic()
    executor._stop([lane])
    assert 0.5 <= time.monotonic() - begin < 10
    assert lane.process.exitcode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_second_ctrl_c_kills_at_once(lane_with: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "GRACE", 120.0)
    lane = lane_with(STUBBORN)
    again = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest-xdist's processes ignore it
    again.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            executor._stop([lane])
    finally:
        again.cancel()
        signal.signal(signal.SIGINT, before)
    assert lane.process.exitcode == -signal.SIGKILL


def test_all_workers_share_the_time_to_end_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty stubborn ones take no longer than one: docker kills after ten seconds."""
    clock, calls = [0.0], []

    class Process:
        def join(self, timeout: float | None = None) -> None:
            calls.append(timeout)
            clock[0] += timeout or 0.0

        terminate = kill = lambda self: calls.append(None)

    class Lane:
        process = Process()
        connection = type("Connection", (), {"close": lambda self: calls.append("closed")})()

    monkeypatch.setattr(executor.time, "monotonic", lambda: clock[0])
    executor._stop([Lane(), Lane(), Lane()])  # type: ignore[list-item]
    assert clock == [worker.GRACE]
    assert calls == [None, None, None, worker.GRACE, 0.0, 0.0, *[None, None, "closed"] * 3]


def test_a_worker_is_given_a_few_seconds() -> None:
    assert 1 <= worker.GRACE <= 5  # Ctrl-C must not seem to hang; docker kills after ten


def test_of_a_cell_that_has_failed_no_other_batch_is_begun(
    cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[tuple[str, int]] = []
    original = executor.play_batch

    def play(asked: Cell, seeds: range) -> Any:
        played.append((asked.level, seeds[0]))
        return original(asked, seeds) if asked.level == "fine" else 1 / 0

    monkeypatch.setattr(executor, "batches", lambda asked: [range(100, 102), range(102, 105)])
    monkeypatch.setattr(executor, "play_batch", play)
    first, second = execute([cell(level="broken"), cell(level="fine")])
    assert first.error == "ZeroDivisionError: division by zero" and second.record
    assert played == [("broken", 100), ("fine", 100), ("fine", 102)]


@pytest.mark.parametrize("order", [1, -1])
def test_batches_are_joined_in_their_order_whichever_is_done_first(
    cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    whole = next(execute([cell("mlp", episodes=6)])).record
    monkeypatch.setattr(executor, "batches", lambda asked: [range(100, 102), range(102, 104), range(104, 106)])
    reordered = lambda jobs, _: ((job, executor._attempt(job)) for job in list(jobs)[::order])  # noqa: E731
    monkeypatch.setattr(executor, "_in_processes", reordered)
    (outcome,) = execute([cell("mlp", episodes=6)], workers=2)
    assert whole and outcome.record
    assert outcome.record.episodes.columns() == whole.episodes.columns()
    assert outcome.record.pipeline == whole.pipeline and outcome.record.pipeline


def test_a_cell_that_has_failed_is_reported_once(cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "batches", lambda asked: [range(100, 102), range(102, 105)])
    monkeypatch.setattr(executor, "play_batch", lambda *_: 1 / 0)
    ahead = lambda jobs, _: (done for done in [(job, executor._attempt(job)) for job in jobs])  # noqa: E731
    monkeypatch.setattr(executor, "_in_processes", ahead)
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

    monkeypatch.setattr(executor, "play_batch", play)
    (outcome,) = execute([cell()])
    assert outcome.error == line


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Episodes take no time; the calls of what is done besides."""
    calls: list[str] = []

    def play(asked: Cell, seeds: range) -> Any:
        zeros = np.zeros(len(seeds))
        return Episodes(np.array(seeds), zeros, zeros.astype(np.int64), zeros > 0)

    batches = executor.batches
    monkeypatch.setattr(executor, "batches", lambda asked: calls.append("batches") or batches(asked))  # type: ignore[func-returns-value]
    monkeypatch.setattr(executor, "describe", lambda asked: calls.append("describe") or (("agent", "x"),))  # type: ignore[func-returns-value]
    monkeypatch.setattr(executor, "measure", lambda asked: calls.append("measure") or {"policy_error": 1.0})  # type: ignore[func-returns-value]
    monkeypatch.setattr(executor, "play_batch", play)
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
