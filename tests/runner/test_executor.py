"""Cells are evaluated here or in worker processes, and what goes wrong in one stays in that one."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import signal
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import cloudpickle
import pytest

from symbench.runner import AgentSource, Cell, Outcome, evaluate, execute
from symbench.runner.executors import base
from symbench.runner.executors import cells as whole_cells
from symbench.runner.executors.local import ProcessLane, how_it_ended

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class _Poison:
    """Ends the process that unpickles it, as a crash in native code would."""

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return os._exit, (7,)


@pytest.fixture
def deadly(tmp_path: Path) -> AgentSource:
    """An SB3 zip that kills whoever loads it."""
    poison = {":type:": "x", ":serialized:": base64.b64encode(cloudpickle.dumps(_Poison())).decode()}
    with zipfile.ZipFile(tmp_path / "deadly.zip", "w") as file:
        file.writestr("data", json.dumps({"policy_class": poison}))
    return AgentSource(name="deadly", kind="sb3", algorithm="ppo", path=str(tmp_path / "deadly.zip"), trust=True)


def outcome_of(lane: ProcessLane) -> Outcome:
    """What a lane says after it has said that it begins."""
    while (outcome := lane.take()) is None:
        pass
    return outcome


def missing(cell: Callable[..., Cell]) -> Cell:
    return cell(source=AgentSource(name="missing", kind="zoo", path="nowhere"))


def test_a_cell_that_fails_is_reported_and_the_others_go_on(cell: Callable[..., Cell]) -> None:
    first, second, third = execute([cell(), missing(cell), cell("mlp")])
    assert first.record and third.record
    assert second.record is None
    assert second.error.startswith("nowhere.json does not exist") and "\n" not in second.error
    assert "Traceback" in second.details


def test_the_record_says_what_the_cell_is_made_of(cell: Callable[..., Cell]) -> None:
    steps = ({"wrapper": "AddNoiseChannels", "n": 2}, {"wrapper": "ShuffleSensors"})
    (outcome,) = execute([cell("set", steps)])
    assert outcome.record
    roles = [role for role, _ in outcome.record.pipeline]
    assert roles == [
        *("environment", "preprocessing", "monitor", "perturbation", "perturbation"),
        *("the agent sees", "agent's own", "agent"),
    ]
    what = [text for _, text in outcome.record.pipeline]
    assert what[3:5] == ["AddNoiseChannels(n=2)", "ShuffleSensors()"]
    assert "(6,)" in what[5] and "last 8 values" in what[6]


@pytest.mark.slow
def test_workers_give_the_same_records_and_report_what_failed(cell: Callable[..., Cell]) -> None:
    cells = [cell("mlp"), missing(cell), cell("set", ({"wrapper": "ShuffleSensors"},), level="m"), cell(level="n")]
    here = {outcome.cell.id: outcome for outcome in execute(cells)}
    there = {outcome.cell.id: outcome for outcome in execute(cells, workers=2)}
    assert there.keys() == here.keys()
    for id, outcome in here.items():
        assert there[id].error == outcome.error
        if outcome.record:
            assert there[id].record.episodes.columns() == outcome.record.episodes.columns()  # type: ignore[union-attr]
            assert there[id].record.pipeline == outcome.record.pipeline  # type: ignore[union-attr]


@pytest.mark.slow
def test_workers_share_the_batches_of_one_cell(cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = cell("mlp", ({"wrapper": "ShuffleSensors"},), episodes=4)
    whole = evaluate(asked)
    monkeypatch.setattr(whole_cells, "batches", lambda cell: [[100, 101], [102, 103]])
    for workers in (1, 2):
        (outcome,) = execute([asked], workers=workers)
        assert outcome.record and outcome.record.episodes.columns() == whole.columns()
        assert outcome.record.pipeline[0][1] == "CartPole-v1, 4 episodes, seeds 100 to 103"


def test_a_cell_fails_if_one_of_its_batches_does(cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    asked, play = cell(episodes=4), base.play_batch
    monkeypatch.setattr(whole_cells, "batches", lambda cell: [[100, 101], [102, 103]])
    monkeypatch.setattr(base, "play_batch", lambda cell, seeds: play(cell, seeds) if 100 in seeds else 1 / 0)
    (outcome,) = execute([asked])
    assert outcome.record is None and outcome.error == "ZeroDivisionError: division by zero"


@pytest.mark.slow
def test_a_worker_that_dies_costs_its_own_cell_only(cell: Callable[..., Cell], deadly: AgentSource) -> None:
    cells = [cell(source=deadly), cell(level="a"), cell(level="b"), cell(level="c")]
    outcomes = {outcome.cell.id: outcome for outcome in execute(cells, workers=2)}
    dead = outcomes.pop(cells[0].id)
    assert dead.record is None and "worker process died (exit code 7), also when it was tried a second" in dead.error
    assert len(outcomes) == 3 and all(outcome.record for outcome in outcomes.values())


@pytest.mark.slow
def test_a_worker_that_dies_between_two_cells_is_replaced(cell: Callable[..., Cell]) -> None:
    running = execute([cell(level=str(i)) for i in range(6)], workers=2)
    outcomes = [next(running)]
    for process in multiprocessing.active_children():
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    outcomes += running
    assert len(outcomes) == 6 and all(outcome.record for outcome in outcomes)


@pytest.mark.slow
def test_giving_work_to_a_dead_worker_starts_another(cell: Callable[..., Cell]) -> None:
    lane, job = ProcessLane(), (cell(), range(100, 101))
    try:
        lane.give(job)
        assert outcome_of(lane).record and lane.process
        lane.process.kill()
        lane.process.join()
        lane.process.is_alive = lambda: True  # type: ignore[method-assign]  # as it was a moment ago
        lane.give(job)
        assert outcome_of(lane).record
    finally:
        ProcessLane.stop([lane])


@pytest.mark.slow
def test_a_worker_that_is_starting_ignores_ctrl_c(cell: Callable[..., Cell]) -> None:
    handler, lane = signal.getsignal(signal.SIGINT), ProcessLane()
    try:
        lane.give((cell(), range(100, 101)))
        os.kill(lane.process.pid or 0, signal.SIGINT)  # type: ignore[union-attr]
        assert outcome_of(lane).record
        assert signal.getsignal(signal.SIGINT) == handler
    finally:
        ProcessLane.stop([lane])


@pytest.mark.slow
def test_closing_early_stops_the_workers(cell: Callable[..., Cell]) -> None:
    running = execute([cell(level=str(i)) for i in range(6)], workers=2)
    next(running)
    assert len(multiprocessing.active_children()) == 2
    running.close()
    assert multiprocessing.active_children() == []


def test_a_worker_ends_with_its_pipe(cell: Callable[..., Cell]) -> None:
    lane = ProcessLane()
    lane.give((cell(), range(100, 101)))
    assert outcome_of(lane).record and lane.process
    lane.connection.close()
    lane.process.join(60)
    assert lane.process.exitcode == 0


def test_cells_can_be_evaluated_from_any_thread(cell: Callable[..., Cell]) -> None:
    """Only the main thread may say what signals do."""
    with ThreadPoolExecutor() as pool:
        (outcome,) = pool.submit(lambda: list(execute([cell()], workers=2))).result()
    assert outcome.record


@pytest.mark.parametrize(
    ("code", "end"),
    [(0, "exit code 0"), (1, "exit code 1"), (-9, "exit code -9, Killed"), (None, "exit code None")],
)
def test_how_a_worker_ended_is_said(code: int | None, end: str) -> None:
    assert how_it_ended(code) == end


def test_there_must_be_a_worker(cell: Callable[..., Cell]) -> None:
    with pytest.raises(ValueError, match="received 0"):
        execute([cell()], workers=0)
