"""A run keeps what it has computed, goes on where it stopped, and says how it came about."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from symbench.errors import SymbenchError
from symbench.leaderboard import write_report
from symbench.runner import Cell, Manifest, Outcome, Store, load_manifest, run
from symbench.runner.executors import base

if TYPE_CHECKING:
    from pathlib import Path

    from symbench.runner.manifest import Invocation
    from symbench.suites import Suite

TASK = "CartPole-v1"
MODULE = sys.modules["symbench.runner.run_suite"]


@pytest.fixture
def start(suite: Suite, agents: dict[str, str], tmp_path: Path) -> Any:
    """Runs the tiny suite; keywords override."""

    def start(**options: Any) -> Manifest:
        defaults = {"out": tmp_path / "run", "tasks": [TASK], "agents": [agents["mlp"], agents["set"], "random"]}
        return run(**{"suite": suite, **defaults, **options})

    return start


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("cells/**/*.json"))}


def last(manifest: Manifest) -> Invocation:
    return manifest.invocations[-1]


def test_every_cell_becomes_a_file_and_run_json_tells_the_story(start: Any, tmp_path: Path) -> None:
    manifest = start(command="symbench run --suite tiny")
    assert len(files(tmp_path / "run")) == len(manifest.cells) == 8
    assert manifest == load_manifest(tmp_path / "run")
    assert list(manifest.skipped) == ["tiny@3/CartPole-v1/noise/+3/mlp/s0"]
    call = last(manifest)
    assert (call.command, call.evaluated) == ("symbench run --suite tiny", 8)
    assert call.seconds is not None
    assert {"symbench", "commit", "python", "packages", "cpu", "cores", "threads_per_worker"} <= call.environment.keys()
    assert {"gymnasium", "numpy", "torch"} <= call.environment["packages"].keys()
    assert manifest.tasks[TASK].reference_return == 500


def test_what_exists_is_not_computed_again(start: Any, tmp_path: Path) -> None:
    start()
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("cells/**/*.json")}
    assert last(start()).evaluated == 0
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_without_resume_everything_is_computed_again(start: Any) -> None:
    start()
    assert last(start(resume=False, episodes=2)).evaluated == 8


def test_an_agent_that_was_replaced_leaves_nothing_behind(start: Any, agents: dict[str, str], tmp_path: Path) -> None:
    mine = {name: f"mine={spec.partition('=')[2]}" for name, spec in agents.items()}
    start(agents=[mine["set"], mine["set"]])
    manifest = start(agents=[mine["mlp"]], episodes=2, resume=False)
    ids = {*manifest.cells, *manifest.skipped}
    assert {id.rpartition("/")[2] for id in ids if "/mine/" in id} == {"s0"}
    rows = {(row.agent, row.condition.id): row for row in write_report(tmp_path / "run").rows}
    assert {row.runs for (agent, _), row in rows.items() if agent == "mine"} == {1, 0}
    assert str(rows["mine", "noise/+3"].gap).startswith("skipped: ")


def test_only_the_agent_that_changed_is_forgotten(start: Any, agents: dict[str, str]) -> None:
    start(agents=[agents["set"], agents["mlp"]])
    manifest = start(agents=[agents["mlp"].replace("mlp.", "set.")], resume=False)
    assert {id.split("/")[4] for id in manifest.cells} == {"set", "mlp", "random"}
    assert not manifest.skipped  # what now is called mlp reads any number of sensors


def test_two_runs_cannot_write_into_one_directory(start: Any, tmp_path: Path) -> None:
    def second(outcome: Outcome | None, _: int) -> None:
        with pytest.raises(SymbenchError, match=r"another symbench run is writing into .*run'; wait"):
            start(agents=["random"])

    assert last(start(agents=["random"], progress=second)).evaluated == 3
    assert last(start(agents=["random"])).evaluated == 0


def test_what_made_a_cell_is_known_as_soon_as_it_is_there(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless saving takes long, as on a busy machine it may."""
    monkeypatch.setattr(sys.modules["symbench.runner.run_suite"], "_QUICK", 60.0)
    seen: list[int] = []

    def look(outcome: Outcome | None, _: int) -> None:
        seen.append(last(load_manifest(tmp_path / "run")).evaluated)

    start(agents=["random"], progress=look)
    assert seen == [0, 1, 2, 3]


def test_one_or_two_workers_write_the_same_bytes(start: Any, tmp_path: Path) -> None:
    start()
    start(out=tmp_path / "two", workers=2)
    assert files(tmp_path / "two") == files(tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(start: Any, tmp_path: Path, workers: int) -> None:
    seen: list[Outcome] = []

    def interrupt(outcome: Outcome | None, _: int) -> None:
        if outcome and len(seen) == 2:
            raise KeyboardInterrupt
        if outcome:
            seen.append(outcome)

    with pytest.raises(KeyboardInterrupt, match="3 of 8 cells are done"):
        start(progress=interrupt, workers=workers)
    assert len(files(tmp_path / "run")) == 3
    assert last(load_manifest(tmp_path / "run")).evaluated == 3
    assert last(start(workers=workers)).evaluated == 5
    start(out=tmp_path / "whole")
    assert files(tmp_path / "run") == files(tmp_path / "whole")


def test_a_damaged_cell_is_computed_again(start: Any, tmp_path: Path) -> None:
    start()
    whole = files(tmp_path / "run")
    path = tmp_path / "run" / next(iter(whole))
    path.write_text(path.read_text()[:100])
    assert last(start()).evaluated == 1
    assert files(tmp_path / "run") == whole


def test_agents_can_be_added_to_a_run_later(start: Any, agents: dict[str, str]) -> None:
    start(agents=["random"])
    manifest = start(agents=[agents["set"]])
    assert last(manifest).evaluated == 3
    assert {id.split("/")[4] for id in manifest.cells} == {"random", "set"}
    assert len(manifest.invocations) == 2


def test_a_directory_belongs_to_one_suite(start: Any, suite: Suite) -> None:
    start()
    with pytest.raises(SymbenchError, match=r"holds a run of tiny@3; give another --out"):
        start(suite=suite.model_copy(update={"version": 4}))
    with pytest.raises(SymbenchError, match=r"holds a run of tiny@3 with other content"):
        start(suite=suite.model_copy(update={"seed": 4}))


def test_tasks_may_join_a_suite_and_its_runs_go_on(start: Any, suite: Suite) -> None:
    cells = start().cells
    wider = suite.model_copy(update={"tasks": (*suite.tasks, "Acrobot-v1")})
    manifest = start(suite=wider)
    assert manifest.suite == wider and manifest.cells == cells
    assert last(manifest).evaluated == 0


def test_another_number_of_episodes_does_not_overwrite_results(start: Any, tmp_path: Path) -> None:
    start()
    before = files(tmp_path / "run")
    with pytest.raises(SymbenchError, match="episodes 5, asked 2"):
        start(episodes=2)
    assert files(tmp_path / "run") == before


def test_agents_of_one_table_play_the_same_number_of_episodes(start: Any, agents: dict[str, str]) -> None:
    start(agents=[agents["mlp"]])
    with pytest.raises(SymbenchError, match=r"holds 5 episodes of mlp in CartPole-v1, asked 2: give another --out"):
        start(agents=[agents["set"]], episodes=2, resume=False)
    assert last(start(agents=[agents["mlp"], agents["set"]], episodes=2, resume=False)).evaluated == 8


def test_a_cell_that_fails_is_recorded_and_tried_again(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("no memory\nleft")

    with monkeypatch.context() as patch:
        patch.setattr("symbench.runner.executors.base.play_batch", broken)
        manifest = start(agents=["random"])
    assert set(manifest.failed.values()) == {"RuntimeError: no memory left"}
    assert len(manifest.failed) == 3 and not files(tmp_path / "run")
    again = start(agents=["random"])
    assert again.failed == {} and last(again).evaluated == 3


def test_what_failed_before_is_known_to_the_executor_until_it_has_been_played(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[set[str]] = []
    execute = MODULE.execute

    def recorded(cells: Any, workers: int, failed: set[str], **options: Any) -> Any:
        known.append(failed)
        return execute(cells, workers, failed, **options)

    monkeypatch.setattr(MODULE, "execute", recorded)

    def broken(cell: Cell, seeds: Any) -> Any:
        if cell.level == "every-10":
            raise RuntimeError("no memory left")
        return play(cell, seeds)

    def interrupt(outcome: Outcome | None, _: int) -> None:
        raise KeyboardInterrupt

    play = base.play_batch
    with monkeypatch.context() as patch:
        patch.setattr(base, "play_batch", broken)
        failed = start(agents=["random"]).failed
    assert list(failed) == ["tiny@3/CartPole-v1/shuffle/every-10/random/s0"]
    with pytest.raises(KeyboardInterrupt, match="2 of 3 cells are done"):
        start(agents=["random"], progress=interrupt)
    again = start(agents=["random"])
    assert again.failed == {} and last(again).evaluated == 1
    start(agents=["random"])
    assert known == [set(), set(failed), set(failed), set()]


def test_a_cell_that_is_there_has_not_failed(start: Any, tmp_path: Path) -> None:
    manifest = start(agents=["random"])
    id, other = next(iter(manifest.cells)), "tiny@3/CartPole-v1/none/in-order/another/s0"
    manifest.failed = {id: "in a call that was to evaluate it again", other: "of another agent"}
    manifest.save(Store(tmp_path / "run"))
    assert start(agents=["random"]).failed == {other: "of another agent"}


def test_what_no_resume_was_to_replace_is_replaced_by_a_call_that_goes_on(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(outcome: Outcome | None, _: int) -> None:
        if outcome:
            raise KeyboardInterrupt

    start()
    with pytest.raises(KeyboardInterrupt, match="1 of 8 cells are done"):
        start(episodes=2, resume=False, progress=interrupt)
    assert last(start(episodes=2)).evaluated == 7
    start(out=tmp_path / "whole", episodes=2)
    assert files(tmp_path / "run") == files(tmp_path / "whole")


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "symbench.run/1"}', "\x00"])
def test_a_damaged_run_json_is_one_clear_line(start: Any, tmp_path: Path, text: str) -> None:
    start(agents=["random"])
    (tmp_path / "run" / "run.json").write_text(text)
    with pytest.raises(SymbenchError, match=r"run\.json is damaged") as caught:
        start(agents=["random"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x" * 101, r"a name has at most 100 characters, received 101: 'x{20}\.\.\.'; .*--agent NAME="),
        ("x" * 300, "at most 100 characters, received 300"),
        ("NUL", "Windows allows no file called 'NUL'"),
        ("com1.v2", "Windows allows no file called 'com1.v2'"),
        ("mine.", "Windows allows no file called 'mine.'"),
    ],
)
def test_a_name_that_no_file_can_have_is_known_before_anything_is_made(
    start: Any, agents: dict[str, str], tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(SymbenchError, match=message):
        start(agents=[f"{name}={agents['mlp'].partition('=')[2]}"])
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["x" * 100, "null", "com", "nul1"])
def test_other_names_can_be_files(start: Any, agents: dict[str, str], name: str) -> None:
    assert last(start(agents=[f"{name}={agents['set'].partition('=')[2]}"])).evaluated == 6


def test_no_result_mentions_where_agents_were(start: Any, tmp_path: Path) -> None:
    start()
    assert str(tmp_path) not in json.dumps([content.decode() for content in files(tmp_path / "run").values()])


def test_a_directory_without_a_run_is_told_which_one_beside_it_has_some(suite: Suite, tmp_path: Path) -> None:
    run(suite, tmp_path / "mine-quick", tasks=[TASK], agents=["random"])
    with pytest.raises(SymbenchError, match=r"mine' holds no run: there is no run.json; did you mean '.*mine-quick'\?"):
        load_manifest(tmp_path / "mine")
    with pytest.raises(SymbenchError, match=r"there is no run.json$"):
        load_manifest(tmp_path / "entirely different")
    with pytest.raises(SymbenchError, match=r"no run.json; it holds '.*mine-quick'$"):
        load_manifest(tmp_path)
