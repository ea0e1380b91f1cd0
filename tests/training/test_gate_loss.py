"""A gate that is told which channels are noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.policies import AttentionNeuronNetwork
from symbench.training import load_recipe
from symbench.training.gate_loss import gate_loss, gate_of, genuine
from symbench.training.imitation import Player
from symbench.training.recipe import Recipe
from symbench.training.recipe_parts import check, make_network, teacher_of
from symbench.training.training_envs import make_training_envs

FORCE = spaces.Box(-1, 1, (1,))
ENVS = 32


def test_channels_that_show_the_true_state_are_sensors_in_any_order_and_as_often_as_they_come(
    teacher: str,
) -> None:
    plan = load_recipe("attention-neuron-any-sensors", {"teacher": teacher})
    envs, kept = make_training_envs(plan, ENVS)
    who = make_network(plan, 0), teacher_of(plan.task, plan.algorithm, 0), np.random.default_rng(0)
    player = Player(envs, kept, *who, label=True)
    segment = player.play(5, 0.1)
    assert segment.genuine is not None
    counts = segment.genuine.sum(dim=2)
    assert counts.shape == (5, ENVS)
    assert counts.min() == 5
    assert counts.max() == 10
    noise = segment.observations[~segment.genuine]  # 10 channels in all, of which some are silent
    assert 0.05 < noise[noise != 0].std() < 0.15
    assert segment.to("cpu").genuine is not None
    envs.close()


def test_a_gate_that_is_told_shuts_out_noise_and_lets_sensors_through() -> None:
    torch.manual_seed(0)
    network = AttentionNeuronNetwork(FORCE, history=12, normalisation="gate")
    gate = gate_of(network)
    assert gate is not None
    optimizer = torch.optim.Adam(gate.parameters(), 3e-3)

    def batch(noisy: int) -> tuple[torch.Tensor, torch.Tensor]:
        starts, slopes = torch.randn(64, 5, 1), torch.randn(64, 5, 1) / 10
        smooth = starts + slopes * torch.arange(12)
        return torch.cat([smooth, 0.1 * torch.randn(64, noisy, 12)], dim=1), torch.zeros(64, 12, 1)

    are_genuine = (torch.arange(15) < 5).expand(64, -1)
    losses = []
    for _ in range(300):
        loss = gate_loss(network, batch(10), are_genuine, odds=100.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 10
    opened = gate.opened(*batch(500))
    assert opened[:, :5].mean() > 0.9
    assert opened[:, 5:].sum(dim=1).mean() < 0.5  # of five hundred


def test_silent_channels_are_not_learned_from() -> None:
    network = AttentionNeuronNetwork(FORCE, history=3, normalisation="gate")
    sensors, actions = torch.randn(4, 6, 3), torch.zeros(4, 3, 1)
    are_genuine = (torch.arange(6) < 3).expand(4, -1)
    heard = gate_loss(network, (sensors[:, :5], actions), are_genuine[:, :5], odds=2.0)
    sensors[:, 5] = 0.0
    torch.testing.assert_close(gate_loss(network, (sensors, actions), are_genuine, odds=2.0), heard * 5 / 6)


def test_numbers_that_only_look_alike_are_noise() -> None:
    observations = torch.tensor([[1.0, 2.0, 1.0, 2.0001]])
    assert genuine(observations, torch.tensor([[1.0, 3.0]])).tolist() == [[True, False, True, False]]


def test_odds_without_a_gate_are_refused() -> None:
    said = load_recipe("attention-neuron").model_dump()
    said["algorithm"] |= {"noise_odds": 100.0}
    with pytest.raises(SymbenchError, match=r"noise_odds are a gate's; take kind = 'attention-neuron' and norm"):
        check(Recipe.model_validate(said), seed=0)


def test_a_state_that_no_channel_shows_is_said(teacher: str) -> None:
    said = load_recipe("attention-neuron-any-sensors", {"teacher": teacher}).model_dump()
    said["perturbations"].insert(0, {"wrapper": "SensorNoise", "sigma": 0.1})
    with pytest.raises(SymbenchError, match="no perturbation may change all numbers"):
        check(Recipe.model_validate(said), seed=0)
