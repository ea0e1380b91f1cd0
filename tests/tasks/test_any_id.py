"""Any environment of Gymnasium is a task: names, trust, measured random returns, raw scores, boards."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from symbench import leaderboard
from symbench.errors import SymbenchError
from symbench.leaderboard.submission import About, submit
from symbench.runner import Manifest, load_manifest, run
from symbench.runner.find import stored_record
from symbench.suites import load_suite
from symbench.suites.loader import parse_suite
from symbench.tasks import Metric, get_task, registry

PACKAGE = Path(__file__).parents[1] / "extending" / "task"
LUNAR = "LunarLander-v3?continuous=true"
WALK = "my_envs:Walk-v0"


@pytest.fixture
def my_envs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module is there and has not been imported."""
    monkeypatch.syspath_prepend(str(PACKAGE))
    monkeypatch.delitem(sys.modules, "my_envs", raising=False)
    monkeypatch.setattr(registry, "_of_gymnasium", {})
    for name in ("Walk-v0", "Moody-v0"):
        monkeypatch.delitem(gym.registry, name, raising=False)


def suite_of(tasks: object) -> dict[str, object]:
    return {
        "name": "mine",
        "version": 1,
        "description": "two conditions",
        "seed": 5,
        "episodes": 8,
        "tasks": tasks,
        "perturbations": [
            {"name": "none", "level": "in-order", "baseline": True},
            {"name": "shuffle", "level": "once", "apply": [{"wrapper": "ShuffleSensors", "resample": "episode"}]},
        ],
    }


@pytest.mark.usefixtures("my_envs")
def test_a_module_needs_trust_until_it_is_imported() -> None:
    with pytest.raises(SymbenchError, match="--trust"):
        get_task(WALK)
    assert "my_envs" not in sys.modules
    assert get_task(WALK, trust=True).observes == "sensors"
    assert get_task(WALK).env_id == "Walk-v0"


@pytest.mark.usefixtures("my_envs")
def test_a_module_that_does_not_help_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "broken_envs.py").write_text("import no_such_thing\n")
    for name, message in (
        ("broken_envs:X-v0", "'broken_envs' cannot be imported: ModuleNotFoundError: No module named 'no_such_thing'"),
        ("absent_envs:X-v0", "there is no module 'absent_envs'"),
        ("my_envs:Wolk-v0", "unknown task 'my_envs:Wolk-v0' after importing it; did you mean .*'my_envs:Walk-v0'"),
    ):
        with pytest.raises(SymbenchError, match=message):
            get_task(name, trust=True)


@pytest.mark.usefixtures("my_envs")
def test_a_run_measures_random_play_once_and_resumes(tmp_path: Path) -> None:
    suite = load_suite("shuffle")

    def play(out: str, **options: object) -> Manifest:
        return run(suite, tmp_path / out, tasks=[WALK], agents=["random"], episodes=4, trust=True, **options)  # type: ignore[arg-type]

    told: list[tuple[object, int]] = []
    facts = play("a", progress=lambda outcome, total: told.append((outcome, total))).tasks[WALK]
    assert told[0] == (f"random play in {WALK}", 1) and told[2] == (f"random play in {WALK}", 9) != told[3]
    assert [outcome for outcome, _ in told].index(None) == 12  # the cells of the suite come after 10 batches
    kept = sorted((tmp_path / "a" / "random-returns").rglob("s0.json"))
    seeds = [f"seeds-{first}-{first + 99}" for first in range(0, 1000, 100)]  # a file for each batch
    assert [file.parts[-4:-2] for file in kept] == [("none", each) for each in seeds]
    assert "measured over 1000 episodes" in facts.source and facts.reference_return is None
    assert facts.random_interval and facts.random_interval[0] < facts.random_return < facts.random_interval[1]
    assert 0.4 < facts.random_return < 0.6  # by symmetry a half
    before = [file.stat().st_mtime_ns for file in kept]
    again: list[object] = []
    assert play("a", progress=lambda outcome, total: again.append(outcome)).tasks[WALK] == facts
    assert again == [None]
    assert [file.stat().st_mtime_ns for file in kept] == before
    (cells,) = (tmp_path / "a" / "cells").iterdir()
    assert cells.name == "my_envs%3AWalk-v0"
    id = next(iter(load_manifest(tmp_path / "a").cells))
    assert stored_record(tmp_path / "a", id).cell.task == WALK


@pytest.mark.slow
@pytest.mark.usefixtures("my_envs")
def test_numbers_do_not_depend_on_workers(tmp_path: Path) -> None:
    for workers in (1, 2):
        run(
            load_suite("shuffle"),
            tmp_path / str(workers),
            tasks=[WALK],
            agents=["random"],
            episodes=4,
            trust=True,
            workers=workers,
        )
    one, two = (sorted((tmp_path / str(workers)).rglob("s0.json")) for workers in (1, 2))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two] and len(one) > 3


@pytest.mark.usefixtures("my_envs")
@pytest.mark.slow
def test_random_play_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import time\nimport gymnasium as gym\nfrom my_envs import Walk\nclass Hangs(Walk):\n"
    code += "    def step(self, action):\n        time.sleep(1000)\n"
    (tmp_path / "slow_envs.py").write_text(code + "gym.register('Hangs-v0', entry_point=Hangs)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    suite = parse_suite(suite_of(["slow_envs:Hangs-v0"]), "mine.toml")
    manifest = run(suite, tmp_path / "r", tasks=suite.tasks, agents=["random"], trust=True, timeout=1.0)
    facts = manifest.tasks["slow_envs:Hangs-v0"]
    assert facts.random_return is None and "took longer than 1 seconds" in facts.source
    assert manifest.failed.keys() == manifest.cells.keys()


@pytest.mark.usefixtures("my_envs")
def test_an_environment_without_a_time_limit_that_never_ends_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import gymnasium as gym\nfrom my_envs import Walk\nclass Endless(Walk):\n"
    code += "    def step(self, action):\n        return self.reset()[0], 0.0, False, False, {}\n"
    (tmp_path / "endless_envs.py").write_text(code + "gym.register('Endless-v0', entry_point=Endless)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys.modules["symbench.runner.evaluate"], "LONGEST_EPISODE", 2000)
    name, limited = "endless_envs:Endless-v0", "endless_envs:Endless-v0?max_episode_steps=9"
    suite = parse_suite(suite_of([name, limited]), "mine.toml")
    with pytest.raises(SymbenchError, match=f"not ended after 2,000 steps, and {name} has no time limit: .*steps=N"):
        run(suite, tmp_path / "r", tasks=[name], agents=["random"], trust=True)
    assert run(suite, tmp_path / "r", tasks=[limited], agents=["random"], trust=True).tasks[limited].random_return == 0


@pytest.mark.usefixtures("my_envs")
def test_what_leaves_its_space_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    """By the runner, which counts; not by Gymnasium's checker, which warns again in every process."""
    code = "import gymnasium as gym\nimport numpy as np\nfrom my_envs import Walk\nclass Far(Walk):\n"
    code += (
        "    def step(self, action):\n        seen, *rest = super().step(action)\n        return seen + 1e6, *rest\n"
    )
    (tmp_path / "far_envs.py").write_text(code + "gym.register('Far-v0', entry_point=Far, max_episode_steps=9)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    manifest = run(
        load_suite("shuffle"), tmp_path / "r", tasks=["far_envs:Far-v0"], agents=["random"], trust=True, episodes=2
    )
    assert not manifest.failed and any("outside the space" in note for note in manifest.notes())
    assert not [each for each in recwarn if "observation space" in str(each.message)]


@pytest.mark.usefixtures("my_envs")
def test_an_environment_that_raises_fails_alone(tmp_path: Path) -> None:
    manifest = run(
        load_suite("shuffle"),
        tmp_path,
        tasks=["my_envs:Moody-v0", "CartPole-v1"],
        agents=["random"],
        episodes=4,
        trust=True,
    )
    assert {id.split("/")[1] for id in manifest.failed} == {"my_envs:Moody-v0"}
    assert all(reason == "RuntimeError: not today" for reason in manifest.failed.values())
    facts = manifest.tasks["my_envs:Moody-v0"]
    assert facts.random_return is None and facts.source.endswith("cannot be measured: RuntimeError: not today")
    leaderboard.write_report(tmp_path)


def test_without_a_reference_scores_are_raw_and_retention_counts_from_random_play() -> None:
    metric = Metric(10.0, None, random_interval=(9.0, 11.0))
    returns = np.array([10.0, 30.0, 20.0])
    np.testing.assert_array_equal(metric.score(returns), returns)
    gain = metric.gain(returns)
    assert gain[2] / gain[1] == 0.5 and gain[0] == 0
    assert metric.gain(11.0) == pytest.approx(0.05)  # where random play's interval ends, nothing has been learned
    assert Metric(None, 5.0).gain(returns) is None
    assert Metric(10.0, 30.0).score(20.0) == Metric(10.0, 30.0).gain(20.0) == 0.5


@pytest.mark.usefixtures("my_envs")
def test_a_suite_gives_constants(tmp_path: Path) -> None:
    suite = parse_suite(
        suite_of(
            [
                {"env_id": WALK, "random_return": 0.5, "reference_return": 1},
                {"env_id": WALK, "kwargs": {"size": 3}, "random_return": "measure"},
                "CartPole-v1",
            ]
        ),
        "mine.toml",
    )
    assert suite.tasks == (WALK, "my_envs:Walk-v0?size=3", "CartPole-v1")
    assert parse_suite(suite.model_dump(mode="json"), "again") == suite
    manifest = run(suite, tmp_path, tasks=suite.tasks, agents=["random"], trust=True)
    given, measured, _ = (manifest.tasks[name] for name in suite.tasks)
    assert (given.random_return, given.reference_return) == (0.5, 1)
    assert given.source == "random: the suite; reference: the suite" and not (given.random_interval)
    assert measured.kwargs == {"size": 3} and measured.random_interval
    text = (leaderboard.write_report(tmp_path), (tmp_path / "leaderboard.md").read_text())[1]
    assert "0 = 0.5 and 1 = 1 (random: the suite; reference: the suite)" in text
    assert "raw returns, there is no reference" in text and "## All tasks" not in text


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"env": "Walk-v0"}, "suite mine.toml: tasks.0.env_id: this key is missing"),
        ({"env_id": "Walk-v0", "x": 1}, "tasks.0.x: there is no such key, received '1'"),
        ({"env_id": "CartPole-v1", "random_return": "guess"}, "tasks.0.random_return"),
        ({"env_id": "CartPole-v1", "random_return": 1, "reference_return": 1}, "must differ"),
        ({"env_id": "Walk v0"}, "tasks.0.env_id: task 'Walk v0': expected"),
    ],
)
def test_mistakes_in_tables_of_tasks_name_place_and_key(table: dict[str, object], message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        parse_suite(suite_of([table]), "mine.toml")


def test_boards_hold_the_tasks_of_their_suite(tmp_path: Path) -> None:
    run(load_suite("shuffle"), tmp_path, tasks=["InvertedPendulum-v5"], agents=["random"], episodes=2)
    with pytest.raises(SymbenchError, match="InvertedPendulum-v5 is a custom task, none of shuffle@3's: boards hold"):
        submit(tmp_path, "mine", tmp_path, About("d", ["a"], "MIT", "none"), agent="random")


def test_a_suite_without_a_condition_for_a_task_says_so(tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match=r"routing@. has no condition for Hopper-v5: "):
        run(load_suite("routing"), tmp_path, tasks=["Hopper-v5"], agents=["random"], episodes=1)
    with pytest.raises(SymbenchError, match="occlusion@2 has no condition for Hopper-v5, a task with sensors"):
        run(load_suite("occlusion"), tmp_path, tasks=["Hopper-v5"], agents=["random"], episodes=2)


def test_a_suite_none_of_whose_conditions_fits_an_environment_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match=r"shuffle@3 has no condition for FrozenLake-v1: .* cannot be applied to"):
        run(load_suite("shuffle"), tmp_path, tasks=["FrozenLake-v1"], agents=["random"], episodes=2)


@pytest.mark.parametrize(
    ("options", "kind"), [("obs_type=grayscale", "frames"), ("obs_type=rgb", "frames"), ("obs_type=ram", "sensors")]
)
def test_grey_frames_are_frames(options: str, kind: str) -> None:
    assert get_task(f"ALE/Breakout-v5?{options}").observes == kind


def test_texts_in_observations_are_played(tmp_path: Path) -> None:
    pytest.importorskip("minigrid")
    name = "minigrid:MiniGrid-Empty-5x5-v0"
    manifest = run(load_suite("shuffle"), tmp_path, tasks=[name], agents=["random"], episodes=2, trust=True)
    assert not manifest.failed and 0 < (manifest.tasks[name].random_return or 0) < 1


@pytest.mark.parametrize(
    ("module", "task", "extra"),
    [("mujoco", "Hopper-v5", "mujoco"), ("Box2D", LUNAR, "box2d"), ("ale_py", "Breakout", "atari")],
)
def test_a_missing_extra_is_told_before_work_begins(
    module: str, task: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments = {"mujoco": "gymnasium.envs.mujoco", "Box2D": "gymnasium.envs.box2d", "ale_py": "ale_py"}[module]
    for loaded in [
        name for name in sys.modules if name == module or name.startswith((f"{environments}.", f"{module}."))
    ]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(registry, "_of_gymnasium", {})
    with pytest.raises(SymbenchError, match=rf"pip install '?symbench\[{extra}\]"):
        run(load_suite("shuffle"), tmp_path / "out", tasks=[task], agents=["random"], episodes=2)
    assert not (tmp_path / "out").exists()


def test_the_recorded_name_is_the_canonical_one(tmp_path: Path) -> None:
    run(load_suite("shuffle"), tmp_path, tasks=["CartPole-v1?sutton_barto_reward=True"], agents=["random"], episodes=2)
    assert set(json.loads((tmp_path / "run.json").read_text())["tasks"]) == {"CartPole-v1?sutton_barto_reward=true"}
    assert import_module("symbench.runner.cell_id").CellId.parse(next(iter(load_manifest(tmp_path).cells))).run == 0
