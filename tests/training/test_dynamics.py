"""What a task's dynamics are learned from: play in order."""

from __future__ import annotations

import pytest

from symbench.policies import UnshufflerNetwork
from symbench.policies.unshuffler import Dynamics
from symbench.training import load_recipe
from symbench.training.session import Session
from symbench.training.train_recipe import train_network

QUICK = {"steps": 6000, "num_envs": 32, "updates": 600, "batch": 128}
LEGS = [6, 7]  # whether a leg touches the ground


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Dynamics:
    plan = load_recipe("lunar-lander-unshuffler-values", QUICK)
    network = train_network(plan, Session(tmp_path_factory.mktemp("dynamics") / "s0", 0))
    assert isinstance(network, UnshufflerNetwork)
    return network.dynamics


def test_a_sensor_that_always_begins_with_the_same_value_is_known_by_it(learned: Dynamics) -> None:
    assert learned.first_mean[LEGS].tolist() == [0.0, 0.0]
    ratio = learned.first_std / learned.width
    assert ratio[LEGS].tolist() == pytest.approx([1e-3, 1e-3])
    assert (ratio[:6] > 1e-3).all()  # control: what differs from episode to episode keeps its own spread
    assert (learned.width[LEGS] > 0.01).all()  # later on legs do touch the ground


def test_what_is_learned_beats_no_change_at_all(learned: Dynamics) -> None:
    moves = learned.error[:6] / learned.stride[:6]
    assert (moves < 0.9).all()
