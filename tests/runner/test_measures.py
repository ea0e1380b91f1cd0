"""The equivariance error of an agent: rounding for one that is equivariant, large for one that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from gymnasium.spaces import Discrete, MultiDiscrete
from stable_baselines3 import DQN, PPO, SAC
from typer.testing import CliRunner

from symbench.cli import app
from symbench.policies import MLPNetwork, MultiAgentHomomorphicNetwork, StandardMultiAgentNetwork
from symbench.policies.equivariant import EquivariantMLPNetwork
from symbench.runner import make_plan
from symbench.runner.executors import execute
from symbench.runner.measures import _error, measure
from symbench.suites import load_suite
from symbench.symmetry import symmetry_of
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from pathlib import Path

MIRROR = {"group": "C2", "observation": {"signs": [[-1, -1, -1, -1]]}, "action": {"maps": [[1, 0]]}}


@pytest.fixture
def agents(tmp_path: Path) -> list[str]:
    torch.manual_seed(0)
    save_agent(EquivariantMLPNetwork(Discrete(2), **MIRROR), tmp_path / "mirror", {"agent": "mirror"})
    save_agent(MLPNetwork(4, Discrete(2)), tmp_path / "mlp", {"agent": "mlp"})
    return [str(tmp_path / f"{name}.safetensors") for name in ("mirror", "mlp")]


def errors(agents: list[str], task: str = "CartPole-v1", **options: Any) -> dict[str, dict[str, float]]:
    cells = make_plan(load_suite("group"), tasks=[task], agents=agents, episodes=2, **options).cells
    return {cell.agent: measure(cell) for cell in cells if cell.level == "flip"}


def test_an_equivariant_agent_has_none_but_rounding_and_a_plain_one_has(agents: list[str]) -> None:
    found = errors(agents)
    assert found["mirror"]["policy_error"] < 1e-6
    assert found["mlp"]["policy_error"] > 1e-3
    assert found["random"] == {}


@pytest.mark.slow
def test_a_team_is_measured_agent_by_agent(tmp_path: Path) -> None:
    turn_and_flip = {"maps": [[0, 2, 3, 4, 1], [0, 1, 4, 3, 2]]}
    networks = {
        "square": MultiAgentHomomorphicNetwork(MultiDiscrete([5] * 3), 3, "D4", action=turn_and_flip),
        "standard": StandardMultiAgentNetwork(MultiDiscrete([5] * 3), 3),
    }
    for name, network in networks.items():
        save_agent(network, tmp_path / name, {"agent": name})
    agents = [str(tmp_path / f"{name}.safetensors") for name in networks]
    cells = make_plan(load_suite("group"), tasks=["Wildlife"], agents=agents, episodes=2).cells
    turned = [cell for cell in cells if cell.perturbation == "transform-by-group" and cell.level == "per-episode"]
    found = {cell.agent: measure(cell) for cell in turned}
    assert found["square"]["policy_error"] < 1e-6 < 1e-3 < found["standard"]["policy_error"]


def test_only_cells_under_a_group_are_measured(agents: list[str]) -> None:
    cells = make_plan(load_suite("group"), tasks=["CartPole-v1"], agents=agents, episodes=2).cells
    assert {cell.level for cell in cells if measure(cell)} == {"flip", "per-episode", "every-step"}


@pytest.mark.parametrize(
    ("algorithm", "task", "critic"),
    [(PPO, "Acrobot-v1", True), (DQN, "CartPole-v1", False), (SAC, "Pendulum-v1", False)],
)
def test_models_of_sb3_show_policy_and_critic(algorithm: Any, task: str, critic: bool, tmp_path: Path) -> None:
    algorithm("MlpPolicy", task, seed=0, device="cpu").save(tmp_path / "model.zip")
    found = errors([f"{algorithm.__name__.lower()}:{tmp_path / 'model.zip'}"], task, trust=True)["model"]
    assert found["policy_error"] > 1e-4
    assert ("value_error" in found) == critic


@pytest.mark.slow
def test_the_table_shows_it(agents: list[str], tmp_path: Path) -> None:
    command = ["run", "--suite", "group", "--task", "CartPole-v1", "--episodes", "2", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*command, *(part for agent in agents for part in ("--agent", agent))])
    assert result.exit_code == 0, result.output
    for shown in (result.output.replace("\n", " "), (tmp_path / "out" / "leaderboard.md").read_text()):
        assert "Equivariance error of the policy: " in shown
    frame = pd.read_csv(tmp_path / "out" / "leaderboard.csv")
    assert frame[frame.agent == "mirror"].policy_error.max() < 1e-6 < frame[frame.agent == "mlp"].policy_error.min()


def test_an_equivariant_agent_plays_the_same_episodes_under_every_element(agents: list[str]) -> None:
    cells = make_plan(load_suite("group"), tasks=["CartPole-v1"], agents=agents[:1], episodes=20).cells
    records = [outcome.record for outcome in execute(cells) if outcome.cell.agent == "mirror"]
    returns = [record.episodes.returns.tolist() for record in records if record]
    assert len(returns) == 4 and all(others == returns[0] for others in returns)


def test_errors_under_a_continuous_group_are_of_sampled_elements() -> None:
    """An answer that turns with the scene has none, one that does not has; its size is not what matters."""
    pair, seen = symmetry_of("Reacher-v5", "rotations-and-reflections"), np.random.default_rng(0).normal(size=(20, 10))

    def cross(x: np.ndarray) -> np.ndarray:  # of shoulder and target, a pseudoscalar for each joint
        return np.stack([x[:, 0] * x[:, 5] - x[:, 2] * x[:, 4], x[:, 3]], axis=1)

    error = _error(cross, pair, seen, moves=True)
    assert error is not None and error < 1e-12
    assert (_error(lambda x: cross(x) + np.float64([1, 0]), pair, seen, moves=True) or 0) > 0.1
    assert (_error(lambda x: x[:, :1], pair, seen, moves=False) or 0) > 0.1
    assert (_error(lambda x: np.linalg.norm(x[:, 4:6], axis=1), pair, seen, moves=False) or 0) < 1e-12
