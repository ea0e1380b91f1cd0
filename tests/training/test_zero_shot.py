"""Studies that train in one orientation and test in all: equivariant teams lose nothing, plain ones play otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.utils import parameters_to_vector

from symbench.errors import SymbenchError
from symbench.runner.orientations import EQUAL
from symbench.training.study import Study, load_study
from symbench.training.study.actor_critic_networks import make_actor_critic
from symbench.training.study.orientation_loss import Turned, read_orientations
from symbench.training.study.orientations import returns_in_all
from symbench.training.study.run_study import run_study
from symbench.training.study.stack import Stack
from symbench.viz.draw_curves import write_orientations

WORLDS = {"wildlife-zero-shot": ("equivariant", "standard"), "particle-spread-zero-shot": ("equivariant-graph", "mlp")}


def small(name: str, **changes: Any) -> Study:
    given = {"steps": 32, "eval_every": 32, "eval_episodes": 2, "seeds": 2, "orientation_episodes": 6, **changes}
    return load_study(name, {**given, "algorithm": {"name": "ppo", "num_envs": 4, "n_steps": 4, "epochs": 1}})


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_equivariant_teams_get_the_same_in_every_orientation_and_plain_ones_do_not(name: str, tmp_path: Path) -> None:
    study = small(name, stack=2)
    run_study(study, tmp_path)
    equivariant, plain = read_orientations(study, tmp_path)
    assert (equivariant.arm, plain.arm) == WORLDS[name]
    assert equivariant.returns.shape == plain.returns.shape == (2, 4, 6)
    assert equivariant.changes.max() <= EQUAL and equivariant.loss.value == pytest.approx(0, abs=EQUAL)
    assert (equivariant.returns[0] != equivariant.returns[1]).any()  # two runs
    assert (plain.changes[:, 1:].max(axis=2) > 0.01).all()


def test_each_run_of_a_stack_is_tested_with_its_own_weights() -> None:
    study = small("particle-spread-zero-shot")
    arm = study.arm("mlp")
    networks = [make_actor_critic(arm.network, seed) for seed in (5, 6)]
    stack = Stack(networks, arm.learning_rate, 1.0)
    with torch.no_grad():
        stack.parameters[1] = parameters_to_vector(networks[0].parameters())
    both = returns_in_all(study, arm, (5, 6), stack)
    np.testing.assert_array_equal(both[0], both[1])
    own = returns_in_all(study, arm, (6,), Stack(networks[1:], arm.learning_rate, 1.0))
    assert (own[0] != both[0]).all()


def test_the_loss_is_that_of_each_run() -> None:
    returns = np.zeros((5, 4, 2))
    returns[:, 0] = [[10, 12], [20, 22], [30, 32], [40, 42], [50, 52]]
    returns[:, 1:] = returns[:, :1] - np.array([3, 4, 5])[:, None]
    found = Turned("arm", returns)
    assert (found.trained.value, found.turned.value) == (31, 27)
    assert tuple(found.loss) == pytest.approx((4, 4, 4))  # the same in every run, however these differ
    assert found.trained.low < 20 and found.trained.high > 42
    np.testing.assert_array_equal(found.changed, [[0, 1, 1, 1]] * 5)


def test_the_table_has_a_line_for_each_run_and_orientation(tmp_path: Path) -> None:
    returns = np.zeros((2, 4, 4))
    returns[1, 3, 0] = 8
    table = pd.read_csv(write_orientations(tmp_path / "orientations.csv", [Turned("arm", returns)]))
    assert table.columns.tolist() == ["arm", "run", "degrees", "mean_return", "episodes_changed", "largest_change"]
    assert table.degrees.tolist() == [0, 90, 180, 270] * 2
    assert table.iloc[-1].tolist() == ["arm", 1, 270, 2.0, 0.25, 8.0]
    assert not table.iloc[:-1][["mean_return", "episodes_changed", "largest_change"]].any(axis=None)


def test_runs_of_before_stay_valid_and_others_are_not_taken_for_these(tmp_path: Path) -> None:
    without = small("particle-spread-zero-shot", orientation_episodes=0)
    arm = without.arm("mlp")
    assert without.digest(arm) != small("particle-spread-zero-shot").digest(arm)
    (path,) = run_study(small("particle-spread-zero-shot", seeds=1), tmp_path, ["mlp"])
    data = json.loads(path.read_text())
    del data["returns_by_orientation"]
    path.write_text(json.dumps(data))
    with pytest.raises(SymbenchError, match="lack returns by orientation; train them again with --no-resume"):
        read_orientations(small("particle-spread-zero-shot", seeds=1), tmp_path)
    assert "returns_by_orientation" not in json.loads(run_study(without, tmp_path / "0", ["mlp"])[0].read_text())


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("cartpole", {}, "episodes of CartPole-v1 cannot begin in transformed states; ask 0"),
        ("particle-spread-zero-shot", {"task": "symbench/ParticleSpread-v0?wind=3"}, "cannot begin in transformed"),
    ],
)
def test_worlds_that_cannot_be_turned_are_refused_before_training(
    name: str, changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(SymbenchError, match=message):
        run_study(small(name, **changes), tmp_path)
    assert not list(tmp_path.iterdir())


def test_networks_of_no_team_are_refused_before_training(tmp_path: Path) -> None:
    arm = {"name": "mlp", "learning_rate": 0.1, "network": {"kind": "plain-mlp", "num_sensors": 4, "action_dim": 2}}
    with pytest.raises(SymbenchError, match="arm 'mlp' is no network of a team or a scene; ask 0"):
        run_study(small("wildlife-zero-shot", arms=[arm]), tmp_path)
