"""The catalogue of tasks, and imports that stay cheap."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from symbench.errors import SymbenchError
from symbench.policies import RandomAgent
from symbench.runner.evaluate import play
from symbench.suites import bundled_suites, load_suite
from symbench.tasks import TASKS, get_task
from symbench.tasks.metrics import MEASURED
from symbench.trees import map_tree, row


@pytest.mark.parametrize("name", TASKS)
def test_constants_normalise_random_play_to_zero_and_the_reference_to_one(name: str) -> None:
    task = TASKS[name]
    metric = task.metric
    assert ("random" in metric.source and "reference" in metric.source) or metric.source.startswith("as ")
    if None not in metric.constants:
        assert metric.random_return < metric.reference_return
        np.testing.assert_allclose(metric.score(np.array(metric.constants)), [0, 1])


@pytest.mark.parametrize("name", TASKS)
def test_vector_plays_the_episodes_of_the_scalar_environment(name: str) -> None:
    task = get_task(name)
    env, envs = task.make(), task.make_vec(2)
    assert envs.metadata["autoreset_mode"] == AutoresetMode.DISABLED
    env.action_space.seed(0)
    batch, _ = envs.reset(seed=[11, 12])
    single, _ = env.reset(seed=12)
    for _ in range(15):
        map_tree(np.testing.assert_array_equal, row(envs.single_observation_space, batch, 1), single)
        # Where actions are masked, the two show different masks: any action that both allow.
        both = batch["action_mask"].min(axis=0) if isinstance(batch, dict) and "action_mask" in batch else None
        if both is not None and not both.any():
            break
        action = env.action_space.sample() if both is None else env.action_space.sample(mask=both)
        batch, rewards, terminated, *_ = envs.step(np.array([action, action]))
        single, reward, ended, *_ = env.step(action)
        assert (rewards[1], terminated[1]) == (reward, ended)
        if terminated.any():
            break


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",  # RGB: the same games
    [name for name, task in TASKS.items() if not name.endswith("RGB") and task.metric.random_return is not None],
)
def test_random_return_is_what_random_actions_reach(name: str) -> None:
    task = get_task(name)
    long = ("Ant", "Ant27", "Ant-v5", "BipedalWalker-v3", "HalfCheetah-v5", "Swimmer-v5")  # a thousand steps and more
    episodes = 4 if task.observes == "frames" else 20 if name in long else 100
    envs = task.make_vec(episodes)
    returns = play(envs, RandomAgent(envs.single_action_space), list(range(episodes))).returns
    error, expected = returns.std(ddof=1) / np.sqrt(episodes), task.metric.random_return
    assert returns.mean() == pytest.approx(expected, abs=4 * error + 1e-3 * abs(expected))


def test_unknown_task_lists_near_matches() -> None:
    with pytest.raises(SymbenchError, match="CartPole-v1"):
        get_task("cartpole-v")


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_symbench_loads_neither_torch_nor_gymnasium() -> None:
    absent = ("torch", "gymnasium", "numpy", "pandas", "rich")
    assert run_python(f"import sys, symbench; print([name for name in {absent!r} if name in sys.modules])") == "[]"


def test_wrappers_need_gymnasium_and_numpy_alone() -> None:
    others = [
        re.split(r"[ ;<>=!\[]", requirement, maxsplit=1)[0].replace("-", "_")
        for requirement in requires("symbench") or ()
        if "extra ==" not in requirement
    ]
    blocked = sorted({*others, "stable_baselines3", "sb3_contrib", "PIL", "matplotlib"} - {"gymnasium", "numpy"})
    assert {"torch", "stable_baselines3", "pandas"} <= set(blocked)
    run_python(
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
        "import gymnasium, symbench.wrappers as w\n"
        "w.ShuffleSensors(gymnasium.make('CartPole-v1')).reset(seed=0)"
    )


@pytest.mark.parametrize(
    "first",
    [
        "import gymnasium",
        "import gymnasium, symbench",
        "import symbench.wrappers, gymnasium",
        "import symbench, symbench.envs, gymnasium",
    ],
)
def test_ids_exist_after_importing_symbench(first: str) -> None:
    run_python(f"{first}; gymnasium.make('symbench:symbench/CartPoleSwingUp-v0')")


@pytest.mark.parametrize("name", [task.name for task in TASKS.values() if task.observes == "frames"])
def test_the_background_of_frames_is_what_most_of_them_show(name: str) -> None:
    """Key colours are of this task's pictures: with others SwapBackground would silently replace nothing."""
    task = TASKS[name]
    env = task.make()
    env.action_space.seed(0)
    seen, _ = env.reset(seed=0)
    for _ in range(50):
        seen, *_ = env.step(env.action_space.sample())
    env.close()
    colors, tolerance = np.array(task.background["colors"]), task.background["tolerance"]
    near = np.abs(seen[..., None, :].astype(int) - colors) <= tolerance
    assert 0.5 < near.all(axis=-1).any(axis=-1).mean() < 1.0


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_limits_that_hold_its_constants_or_is_on_no_board(name: str) -> None:
    task = TASKS[name]
    if task.limits is None:
        assert not task.board
        assert all(name not in load_suite(suite).tasks for suite in bundled_suites())
        return
    low, high = task.limits.range_of(np.arange(1, task.limits.steps + 1))
    assert all(low.min() <= constant <= high.max() for constant in task.metric.constants if constant is not None)
    assert task.max_episode_steps in (None, task.limits.steps)


def test_measured_random_returns_are_those_of_the_table() -> None:
    with (Path(__file__).parents[2] / "docs" / "data" / "random-returns.csv").open() as file:
        lines = {line["task"]: line for line in csv.DictReader(file)}
    for name, line in lines.items():
        assert TASKS[name].spelling == line["environment"]
        assert TASKS[name].metric.random_return == pytest.approx(float(line["random_return"]), abs=0.006)
    assert {name for name, task in TASKS.items() if MEASURED in task.metric.source} <= set(lines)
