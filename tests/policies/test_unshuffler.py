"""Which sensor is which is found from motion alone, in any order, among other channels, and again after a reshuffle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from symbench.errors import SymbenchError
from symbench.policies import NetworkAgent, UnshufflerNetwork
from symbench.policies.unshuffler import Dynamics, assigned, copies

FORCE = spaces.Box(-1, 1, (1,))
K, B, STEPS = 4, 20, 60
ANGLE = 0.1


class Turning(Dynamics):
    """Two points that go round at a pace of their own: dynamics that are known exactly."""

    def change(self, sensors: Tensor, actions: Tensor) -> Tensor:
        return sensors @ (motion().T - torch.eye(K)).to(sensors)


def motion() -> Tensor:
    turns = [torch.tensor([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in (ANGLE, 3 * ANGLE)]
    return torch.block_diag(*turns).float()


def network(values: float = 0.0) -> UnshufflerNetwork:
    made = UnshufflerNetwork(K, FORCE, values=values)
    made.dynamics = Turning(K, 1, (4,))
    made.dynamics.error.fill_(1e-3)
    made.dynamics.first_std.copy_(torch.tensor([0.3, 0.3, 3.0, 3.0]))
    return made


def world(seed: int = 0) -> Tensor:
    """The sensors in order, (STEPS, B, K)."""
    rng = torch.Generator().manual_seed(seed)
    states = [torch.randn(B, K, generator=rng) * torch.tensor([0.3, 0.3, 3.0, 3.0])]
    for _ in range(STEPS - 1):
        states.append(states[-1] @ motion().T)
    return torch.stack(states)


def found(channels: Tensor, values: float = 0.0) -> Tensor:
    """What the policy is given at each step, (STEPS, B, K)."""
    made = network(values)
    state, seen = made.initial_state(B, channels.shape[2]), []
    for each in channels:
        _, state = made.perceive(each, state)
        seen.append(each.gather(1, state[3]))
    return torch.stack(seen)


def shuffled(sensors: Tensor, every: int) -> Tensor:
    rng = np.random.default_rng(1)
    orders = [rng.permuted(np.tile(np.arange(K), (B, 1)), axis=1) for _ in range(0, len(sensors), every)]
    return torch.stack([each.gather(1, torch.from_numpy(orders[t // every])) for t, each in enumerate(sensors)])


def noisy(sensors: Tensor, count: int) -> Tensor:
    rng = torch.Generator().manual_seed(2)
    return torch.cat([0.1 * torch.randn(*sensors.shape[:2], count, generator=rng), sensors], dim=2)


def shares(channels: Tensor, sensors: Tensor, start: int = 5, values: float = 0.0) -> float:
    """The share of steps in which all sensors are known."""
    return float(((found(channels, values) - sensors).abs() < 0.02)[start:].all(dim=2).float().mean())


@pytest.mark.parametrize("values", [0.0, 2.0])
@pytest.mark.parametrize("every", [STEPS, 25, 10])
def test_sensors_are_found_in_any_order_and_again_after_a_reshuffle(every: int, values: float) -> None:
    sensors = world()
    assert shares(shuffled(sensors, every), sensors, values=values) > 0.97


@pytest.mark.parametrize("values", [0.0, 2.0])
@pytest.mark.parametrize("count", [5, 50])
def test_they_are_found_among_noise(count: int, values: float) -> None:
    sensors = world()
    assert shares(noisy(sensors, count), sensors, values=values) > 0.9


@pytest.mark.parametrize("values", [0.0, 2.0])
def test_they_are_found_when_each_is_there_twice(values: float) -> None:
    sensors = world()
    assert shares(torch.cat([sensors, sensors], dim=2), sensors, values=values) > 0.97


@pytest.mark.parametrize("values", [0.0, 2.0])
def test_one_that_moves_is_not_taken_for_one_of_two_that_stand_still(values: float) -> None:
    """As two legs do that are both in the air, and whose next change is uncertain, so that all would fit them."""
    sensors = world()
    sensors[..., :2] += 1e-3 * torch.randn(STEPS, B, 2, generator=torch.Generator().manual_seed(4))
    sensors[..., 2:] = 0.0
    made = network(values)
    made.dynamics.error.copy_(torch.tensor([5e-4, 5e-4, 0.1, 0.1]))
    made.dynamics.first_std[2:] = 1e-3
    state, right = made.initial_state(B, K), []
    for channels in sensors:
        _, state = made.perceive(channels, state)
        right.append((state[3][:, :2] == torch.arange(2)).all(dim=1).float().mean())
    assert float(torch.stack(right)[1:].mean()) > 0.97


@pytest.mark.parametrize(("values", "least", "most"), [(0.0, 0.0, 0.5), (2.0, 1.0, 1.0)])
def test_where_nothing_moves_values_tell_them_apart(values: float, least: float, most: float) -> None:
    """All stand still but for a tremble, which is of the size of another sensor's errors."""
    rng = torch.Generator().manual_seed(3)
    still = torch.tensor([1.0, -1.0, 2.0, -2.0]) * torch.ones(STEPS, B, K)
    still += torch.randn(still.shape, generator=rng) * torch.tensor([1e-4, 1e-4, 4e-4, 4e-4])
    made = network(values)
    made.dynamics = Dynamics(K, 1, (4,))
    made.dynamics.stride.zero_()  # no change is expected
    made.dynamics.error.copy_(torch.tensor([5e-4, 5e-4, 2e-4, 2e-4]))
    made.dynamics.first_mean.copy_(still[0, 0])
    made.dynamics.first_std.fill_(0.1)
    state, right = made.initial_state(B, K), []
    for channels in still:
        _, state = made.perceive(channels, state)
        right.append((state[3] == torch.arange(K)).all(dim=1).float().mean())
    assert least <= float(torch.stack(right)[10:].mean()) <= most


def test_without_dynamics_they_are_not() -> None:
    sensors = world()
    frozen = shuffled(sensors, 10)[:, torch.randperm(B)]  # the motion of another environment is expected
    assert shares(frozen, sensors) < 0.1


def test_the_order_of_an_episode_changes_no_action() -> None:
    sensors, actions = world(), []
    made = network()
    for channels in (noisy(sensors, 3), noisy(sensors, 3)[..., [4, 2, 6, 0, 1, 5, 3]]):
        agent = NetworkAgent(made, "x")
        agent.reset(B)
        actions.append(np.stack([agent.act(each.numpy()) for each in channels]))
    np.testing.assert_array_equal(*actions)


def test_an_assignment_is_the_best_of_all() -> None:
    scores = torch.randn(50, 6, 3, generator=torch.Generator().manual_seed(0))
    scores[..., 1] = scores[..., 0]  # two sensors want the same channel
    places = assigned(scores)
    total = scores.gather(1, places[:, None]).sum(dim=(1, 2))
    every = torch.cartesian_prod(*[torch.arange(6)] * 3)
    every = every[[len(set(row)) == 3 for row in every.tolist()]]
    best = scores[:, every, torch.arange(3)].sum(dim=2).max(dim=1).values
    torch.testing.assert_close(total, best)


def test_copies_are_all_but_the_first_of_equal_channels() -> None:
    assert copies(torch.tensor([[2.0, 1.0, 2.0, 3.0, 1.0, 2.0]]))[0, :, 0].tolist() == [0, 0, 1, 0, 1, 1]


def test_too_few_channels_and_unknown_policies_are_refused() -> None:
    assert "looks for 4 sensors in Box(3,)" in str(network().incompatibility(spaces.Box(-1, 1, (3,))))
    assert network().incompatibility(spaces.Box(-1, 1, (40,))) is None
    arguments: dict[str, Any] = {"policy": {"kind": "attention-neuron"}}
    with pytest.raises(SymbenchError, match="policy in order"):
        UnshufflerNetwork(K, FORCE, **arguments)
    with pytest.raises(ValueError, match="candidates must be from 1 to 1024"):
        UnshufflerNetwork(K, FORCE, candidates=0)
    with pytest.raises(ValueError, match="values must be at least 0, received -1"):
        UnshufflerNetwork(K, FORCE, values=-1)
