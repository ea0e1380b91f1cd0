"""The catalogue of tasks, and imports that stay cheap."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from symbench.envs.tasks import TASKS, get_task
from symbench.errors import SymbenchError


@pytest.mark.parametrize("name", TASKS)
def test_constants_normalise_random_play_to_zero_and_the_reference_to_one(name: str) -> None:
    task = TASKS[name]
    assert task.source
    assert task.random_return < task.reference_return
    np.testing.assert_allclose(task.normalise(np.array([task.random_return, task.reference_return])), [0, 1])


@pytest.mark.parametrize("name", TASKS)
def test_vector_plays_the_episodes_of_the_scalar_environment(name: str) -> None:
    task = get_task(name)
    env, envs = task.make(), task.make_vec(2)
    assert envs.metadata["autoreset_mode"] == AutoresetMode.DISABLED
    env.action_space.seed(0)
    batch, _ = envs.reset(seed=[11, 12])
    single, _ = env.reset(seed=12)
    for _ in range(15):
        np.testing.assert_array_equal(batch[1], single)
        action = env.action_space.sample()
        batch, rewards, terminated, *_ = envs.step(np.array([action, action]))
        single, reward, ended, *_ = env.step(action)
        assert (rewards[1], terminated[1]) == (reward, ended)
        if terminated.any():
            break


def test_random_return_of_the_swing_up_is_the_measured_one() -> None:
    envs = get_task("CartPoleSwingUp").make_vec(400, AutoresetMode.SAME_STEP)
    envs.reset(seed=123)
    rng, returns, playing = np.random.default_rng(0), np.zeros(400), np.ones(400, bool)
    while playing.any():
        _, rewards, terminated, truncated, _ = envs.step(rng.uniform(-1, 1, (400, 1)))
        returns += rewards * playing
        playing &= ~(terminated | truncated)
    assert returns.mean() == pytest.approx(get_task("CartPoleSwingUp").random_return, abs=12)  # 3 standard errors


def test_unknown_task_lists_near_matches() -> None:
    with pytest.raises(SymbenchError, match="CartPole-v1"):
        get_task("cartpole-v")


@pytest.mark.parametrize(
    ("module", "absent"),
    [("symbench", ("torch", "gymnasium", "numpy")), ("symbench.wrappers", ("torch", "stable_baselines3", "pandas"))],
)
def test_imports_stay_cheap(module: str, absent: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("first", ["import gymnasium, symbench", "import symbench.wrappers, gymnasium"])
def test_ids_exist_after_importing_symbench(first: str) -> None:
    code = f"{first}; gymnasium.make('symbench:symbench/CartPoleSwingUp-v0')"
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
