"""Recipes from nothing but an environment's id: what comes out has the symmetry that the catalogue declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from symbench.errors import SymbenchError
from symbench.symmetry import check_policy_equivariance, symmetry_of
from symbench.tasks import get_task
from symbench.training import load_recipe, train
from symbench.training.recipe_parts import make_network
from symbench.zoo import load_agent

if TYPE_CHECKING:
    from pathlib import Path

    from tests.training.conftest import Tiny

VECTORS = ["CartPole-v1", "CartPoleSwingUp", "Acrobot-v1", "Pendulum-v1", "Swimmer-v5", "LunarLanderContinuous-v3"]
PICTURES = ["GridWorld", "symbench/PongPlayfield-v0"]


@pytest.mark.parametrize("env_id", [*VECTORS, *PICTURES])
def test_the_network_has_the_declared_symmetry_and_fits_the_environment(env_id: str) -> None:
    pytest.importorskip("mujoco" if env_id.startswith("Swimmer") else "numpy")
    torch.manual_seed(0)
    recipe, pair = load_recipe(env_id), symmetry_of(env_id)
    network = make_network(recipe, 0).double()
    env = get_task(recipe.task).make()
    assert network.incompatibility(env.observation_space) is None
    env.observation_space.seed(0)
    seen = np.stack([env.observation_space.sample() for _ in range(8)])

    def scores(observations: Any) -> np.ndarray:
        batch = network.read(observations)
        return network.logits(batch, network.initial_state(*batch.shape))[0].detach().numpy()

    assert check_policy_equivariance(scores, pair, seen) < 1e-9
    assert np.ptp(scores(seen), axis=0).max() > 1e-3  # a constant would be equivariant, too


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["Pendulum-v1", "symbench/GridWorld-v0"])
def test_it_is_trained_by_its_id_alone(env_id: str, tiny: Tiny, tmp_path: Path) -> None:
    agent = load_agent(train(env_id, tmp_path, overrides=tiny(env_id)))
    assert agent.name == "equivariant"
    envs = get_task(env_id).make_vec(3)
    observations, _ = envs.reset(seed=0)
    agent.reset(3)
    assert agent.act(observations).shape == envs.action_space.shape
    envs.close()


def test_what_is_written_beside_a_symmetry_has_precedence(tmp_path: Path) -> None:
    text = 'description = "x"\nagent = "mine"\ntask = "Pendulum-v1"\n'
    text += '[network]\nsymmetry = "Pendulum-v1"\nhidden = [8]\nbasis = "random"\n'
    text += '[algorithm]\nname = "ppo"\nsteps = 100\n'
    (tmp_path / "mine.toml").write_text(text)
    network = make_network(load_recipe(str(tmp_path / "mine.toml")), 0)
    config = network.config()
    assert (network.kind, config["hidden"], config["basis"]) == ("equivariant-mlp", [8], "random")
    assert config["action_space"] == {"low": [-2.0], "high": [2.0], "squash": "clip"}
    (tmp_path / "mine.toml").write_text(text.replace('symmetry = "Pendulum-v1"', 'symmetry = "Pendulum-v9"'))
    with pytest.raises(SymbenchError, match=r"unknown environment 'Pendulum-v9'.*Pendulum-v1"):
        train(str(tmp_path / "mine.toml"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("env_id", "message"),
    [
        ("MountainCar-v0", "has no symmetry to train with"),
        ("symbench/CarRacing-v0", "networks read whole pictures"),
        ("NoSuch-v0", "unknown recipe 'NoSuch-v0'.* symbench check-symmetry"),
    ],
)
def test_what_cannot_be_trained_is_refused(env_id: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match=message):
        train(env_id, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_task_is_found_by_its_environment() -> None:
    assert get_task("Swimmer-v5").group
    assert get_task("symbench/Pong-v0") is get_task("Pong")
    with pytest.raises(SymbenchError, match=r"unknown task 'Swimer-v5' \(.*\); did you mean 'Swimmer-v5'"):
        get_task("Swimer-v5")
