"""In Wildlife and Traffic: policies commute with what the catalogue says is a symmetry, and with nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from team_cases import TURN_AND_FLIP

from symbench.policies import NETWORKS, DistributedTeam, NetworkAgent, make_network
from symbench.policies.multi_agent import TeamNetwork
from symbench.runner.evaluate import play
from symbench.symmetry import check_policy_equivariance, symmetry_of
from symbench.tasks import get_task

HOMOMORPHIC = "multi-agent-homomorphic"
QUARTER = {"kind": HOMOMORPHIC, "action": {"maps": TURN_AND_FLIP["maps"][:1]}}
SQUARE = {"kind": HOMOMORPHIC, "group": "D4", "action": TURN_AND_FLIP}
SWITCH = {"kind": HOMOMORPHIC, "action": {"maps": [[1, 0]]}}


def error(table: Any, task: str, symmetry: str | None = None) -> float:
    """How far a policy is from commuting with a declared symmetry, on what was seen in some episodes."""
    envs = get_task(task).make_vec(8)
    network = make_network(table, envs.single_observation_space, envs.single_action_space).double()
    agents = envs.single_observation_space["images"].shape[0]
    rng, seen = np.random.default_rng(0), [envs.reset(seed=0)[0]]
    for _ in range(5):
        seen.append(envs.step(rng.integers(2, size=(8, agents)))[0])
    observations = {key: np.concatenate([each[key] for each in seen]) for key in seen[0]}

    def policy(shown: Any) -> Any:
        with torch.inference_mode():
            return network.logits(network.read(shown), ())[0].reshape(len(shown["images"]), agents, -1).numpy()

    return check_policy_equivariance(policy, symmetry_of(task, symmetry), observations)


@pytest.mark.slow
def test_drones_turn_flip_and_change_place() -> None:
    assert error(SQUARE, "Wildlife") < 1e-10
    assert error(QUARTER, "Wildlife") > 1e-4  # knows no flips
    for kind in NETWORKS:
        if issubclass(NETWORKS[kind], TeamNetwork) and kind != HOMOMORPHIC:
            assert error(kind, "Wildlife") > 1e-4


@pytest.mark.slow
def test_junctions_turn_as_lights_do() -> None:
    """The published exchange of agents is none that keeps rewards; the policy does not commute with it."""
    assert error(SWITCH, "Traffic") < 1e-10
    assert error(SWITCH, "Traffic", "published-permutation") > 1e-4
    assert error("multi-agent-standard", "Traffic") > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("task", ["Wildlife", "Traffic"])
def test_agents_on_their_own_play_the_same_episodes(task: str) -> None:
    envs = get_task(task).make_vec(3)
    table = QUARTER if task == "Wildlife" else SWITCH
    network = make_network(table, envs.single_observation_space, envs.single_action_space)
    one, team = NetworkAgent(network, "one", torch.float64), DistributedTeam(network, "team", dtype=torch.float64)
    np.testing.assert_array_equal(play(envs, team, [0, 1, 2]).returns, play(envs, one, [0, 1, 2]).returns)
    assert team.bytes_per_step > 0
