"""Names of environments: arguments belong to them, bundled tasks are found by them, what is none is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

from symbench.envs.single import StatefulBatch
from symbench.errors import SymbenchError
from symbench.runner.find import planned_cell
from symbench.tasks import get_task

PACKAGE = Path(__file__).parents[1] / "extending" / "task"
LUNAR = "LunarLander-v3?continuous=true"
WALK = "my_envs:Walk-v0"


@pytest.mark.parametrize(
    ("typed", "name", "kwargs"),
    [
        (LUNAR, LUNAR, {"continuous": True}),
        ("LunarLander-v3?continuous=True", LUNAR, {"continuous": True}),
        ("FrozenLake-v1?map_name=8x8&is_slippery=false", "FrozenLake-v1?is_slippery=false&map_name=8x8", None),
        ('FrozenLake-v1?map_name="4x4"', "FrozenLake-v1?map_name=4x4", {"map_name": "4x4"}),
        ("LunarLander-v3?gravity=-5.5", "LunarLander-v3?gravity=-5.5", {"gravity": -5.5}),
    ],
)
def test_arguments_are_part_of_the_name(typed: str, name: str, kwargs: dict[str, object] | None) -> None:
    task = get_task(typed)
    assert task.name == name and get_task(name) is task
    assert kwargs is None or task.kwargs == kwargs
    assert not task.board and task.metric.constants == (None, None)


def test_arguments_reach_the_environment_and_the_hash() -> None:
    assert get_task(LUNAR).make().action_space.shape == (2,)
    envs = get_task(LUNAR).make_vec(2)
    assert envs.single_action_space.shape == (2,)
    first, second = (
        planned_cell(f"shuffle@2/{name}/none/in-order/random/s0").spec_hash
        for name in (LUNAR, "LunarLander-v3?enable_wind=true")
    )
    assert first != second


@pytest.mark.parametrize("name", ["symbench/Wildlife-v0?width=5&height=5", "symbench/ParticleSpread-v0?wind=2"])
def test_own_environments_are_one_array_program_with_arguments_too(name: str) -> None:
    task = get_task(name)
    envs, env = task.make_vec(3), task.make()
    assert isinstance(envs.unwrapped, StatefulBatch) and not isinstance(envs, SyncVectorEnv)
    batch, single = envs.reset(seed=4)[0], env.reset(seed=6)[0]
    for key, array in single.items():
        np.testing.assert_array_equal(batch[key][2], array)


def test_a_bundled_task_is_found_by_its_environment() -> None:
    assert get_task("Ant-v5?include_cfrc_ext_in_observation=false") is get_task("Ant27")
    assert get_task("symbench/GridWorld-v0") is get_task("GridWorld")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Hoper-v5", r"unknown task 'Hoper-v5' \(.*MODULE:Hoper-v5.*\); did you mean 'Hopper-v5'"),
        (
            "Zzz-v0",
            r"unknown task 'Zzz-v0' \(one of your own is MODULE:Zzz-v0, where MODULE registers it\); symbench list",
        ),
        ("Slidr", r"MODULE:Slidr, where MODULE"),
        ("Hopper-v99", "unknown task 'Hopper-v99'; did you mean .*'Hopper-v5'"),
        ("LunarLander-v3?continuous", r"'continuous' is no argument; expected \[MODULE:\]ID\[\?KEY=VALUE"),
        ("LunarLander-v3?a=1&a=2", "a is given twice"),
        ("LunarLander-v3?continuos=true", "cannot be made .*unexpected keyword argument 'continuos'"),
        ("../etc/passwd", "expected"),
        ("", "expected"),
        ("CartPole-v1?x=" + "y" * 300, "too long"),
    ],
)
def test_what_is_no_task_is_refused_in_one_line(name: str, message: str) -> None:
    with pytest.raises(SymbenchError, match=message) as caught:
        get_task(name)
    assert "\n" not in str(caught.value)
