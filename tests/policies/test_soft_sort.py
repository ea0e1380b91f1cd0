"""The head that acts on where the most important codes are, with gradients through a soft sort."""

from __future__ import annotations

import copy

import pytest
import torch
from gymnasium import spaces
from torch import nn

from symbench.policies import AttentionAgentNetwork, VisionAttentionNeuronNetwork
from symbench.policies.actions import action_head
from symbench.policies.policy_network import PolicyNetwork
from symbench.policies.vision.heads import AttentionAgentHead, square_grid

DRIVE = spaces.Box(-1, 1, (3,))
GRID = square_grid(16)
NETWORKS = {
    "vision-attention-neuron": lambda soft: VisionAttentionNeuronNetwork(
        DRIVE, num_codes=16, code_dim=4, key_input="both", head="attention-agent", sort_temperature=soft
    ),
    "attention-agent": lambda soft: AttentionAgentNetwork(DRIVE, size=24, channels=1, sort_temperature=soft),
}


def head_of(temperature: float, top: int = 3) -> AttentionAgentHead:
    torch.manual_seed(0)
    return AttentionAgentHead(GRID, 4, action_head(DRIVE), top=top, mix=False, sort_temperature=temperature)


def played(network: PolicyNetwork, steps: int = 4) -> torch.Tensor:
    frames = torch.randint(0, 256, (steps, 2, 24, 24, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    state, logits = network.initial_state(2, 24, 24, 1), []
    for frame in frames:
        out, state = network.logits(frame, state)
        logits.append(out)
    return torch.stack(logits)


@pytest.mark.parametrize("kind", NETWORKS)
def test_what_it_does_is_the_same(kind: str) -> None:
    torch.manual_seed(0)
    hard, soft = NETWORKS[kind](0.0), NETWORKS[kind](1.0)
    soft.load_state_dict(hard.state_dict())
    assert (hard.differentiable, soft.differentiable) == (False, True)
    with torch.no_grad():
        assert torch.equal(played(hard), played(soft))
    torch.testing.assert_close(played(hard), played(soft), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", NETWORKS)
def test_gradients_reach_every_weight_with_it_and_not_without(kind: str) -> None:
    def missed(temperature: float) -> set[str]:
        torch.manual_seed(0)
        network = NETWORKS[kind](temperature)
        played(network).square().sum().backward()
        return {name for name, each in network.named_parameters() if each.grad is None or not each.grad.any()}

    assert missed(1.0) <= {"layer.project_key.0.bias"}  # what is the same of all patches cancels in a softmax
    assert {"head.project_query.weight", "head.project_key.weight"} <= missed(0.0)


@pytest.mark.parametrize("top", [1, 3, 16])
def test_the_colder_the_nearer_to_the_true_sort(top: int) -> None:
    codes = torch.randn(8, 16, 4, generator=torch.Generator().manual_seed(1))

    def distance(temperature: float) -> float:
        head = head_of(temperature, top)
        return float((head.softly_important(codes) - GRID[head.important(codes)]).abs().mean().detach())

    assert distance(1e-6) < 1e-3 < distance(0.1) < distance(10.0)


@pytest.mark.slow
def test_it_learns_to_point_at_a_code_and_without_gradients_does_not() -> None:
    """The place of the code whose first number is greatest is asked for."""

    def error_after(temperature: float, updates: int = 400) -> float:
        head, generator = copy.deepcopy(head_of(temperature, top=1)), torch.Generator().manual_seed(2)
        ask = nn.Linear(16, 2)
        learned = [*head.project_query.parameters(), *head.project_key.parameters(), *head.lstm.parameters()]
        optimizer, errors = torch.optim.Adam([*learned, *ask.parameters()], 1e-2), []
        for _ in range(updates):
            codes = torch.randn(64, 16, 4, generator=generator)
            _, (hidden, *_) = head(codes, head.initial_state(64))
            error = (ask(hidden) - GRID[codes[:, :, 0].argmax(dim=1)]).square().mean()
            optimizer.zero_grad()
            error.backward()
            optimizer.step()
            errors.append(float(error.detach()))
        return sum(errors[-50:]) / 50

    chance = float(GRID.var(dim=0, correction=0).mean())
    soft, hard = error_after(1.0), error_after(0.0)
    assert soft < 0.6 * chance
    assert hard > 0.8 * chance


def test_a_sort_cannot_be_colder_than_cold() -> None:
    with pytest.raises(ValueError, match="sort_temperature must be at least 0, received -1"):
        head_of(-1)
