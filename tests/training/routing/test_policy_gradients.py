"""Losses: what is minimised makes short tours likelier, and copies of an instance more alike, not less."""

from __future__ import annotations

import pytest
import torch

from symbench.training.routing import RolloutBaseline, reinforce_loss, shared_baseline, symmetric_losses
from symbench.training.routing.policy_gradients import invariance_loss
from symbench.training.routing.rollout_baseline import is_better
from symbench.training.routing.turned_copies import turned_copies
from symbench.training.routing.uniform_instances import generator_of, uniform_instances


def test_a_step_makes_short_tours_likelier() -> None:
    lengths = torch.tensor([[3.0, 5.0, 4.0]])
    likelihood = torch.zeros(1, 3, requires_grad=True)
    reinforce_loss(lengths, shared_baseline(lengths), likelihood).backward()
    assert likelihood.grad is not None
    assert likelihood.grad[0].tolist() == pytest.approx([-1 / 3, 1 / 3, 0.0])


def test_symmetric_losses_compare_along_their_own_axes() -> None:
    lengths = torch.tensor([[[1.0, 2.0]], [[5.0, 8.0]]])  # two copies of one instance, two tours each
    for place, advantage in ((0, [[[-2.0, -3.0]], [[2.0, 3.0]]]), (1, [[[-0.5, 0.5]], [[-1.5, 1.5]]])):
        likelihood = torch.zeros(2, 1, 2, requires_grad=True)
        symmetric_losses(lengths, likelihood)[place].backward()
        assert likelihood.grad is not None
        torch.testing.assert_close(4 * likelihood.grad, torch.tensor(advantage))


def test_descending_the_invariance_loss_makes_copies_alike() -> None:
    projected = torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(0), requires_grad=True)
    optimizer, losses = torch.optim.SGD([projected], 20.0), []
    for _ in range(200):
        loss = invariance_loss(projected)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[0] > -0.5 and losses[-1] < -0.99
    first, *others = projected.detach()
    for other in others:
        assert torch.nn.functional.cosine_similarity(first, other, dim=-1).min() > 0.9


def test_the_invariance_loss_compares_the_same_node_of_the_same_instance() -> None:
    one = torch.randn(4, 5, 6, generator=torch.Generator().manual_seed(0))
    assert float(invariance_loss(torch.stack([one, 2 * one]))) == pytest.approx(-1)
    assert float(invariance_loss(torch.stack([one, one.roll(1, 0)]))) > -0.9
    assert float(invariance_loss(torch.stack([one, one.roll(1, 1)]))) > -0.9


def test_copies_are_turned_and_mirrored_and_the_first_is_not() -> None:
    instances = uniform_instances("cvrp", 50, 10, generator_of(0))
    copies = turned_copies(instances, 3, generator_of(1))
    cities = copies["cities"].double().reshape(3, 50, 11, 2)
    assert (cities[0] == instances["cities"]).all()
    assert (copies["demands"].reshape(3, 50, 11) == instances["demands"]).all()
    for other in cities[1:]:
        torch.testing.assert_close(torch.cdist(other, other), torch.cdist(cities[0], cities[0]), atol=1e-5, rtol=0)
        assert (other - cities[0]).abs().amax(dim=(1, 2)).min() > 1e-3
    sides = [_side(part) for part in cities]
    assert 0.2 < float((sides[0] != sides[1]).double().mean()) < 0.8


def _side(cities: torch.Tensor) -> torch.Tensor:
    """Whether the first three cities turn left."""
    a, b = cities[:, 1] - cities[:, 0], cities[:, 2] - cities[:, 0]
    return a[:, 0] * b[:, 1] > a[:, 1] * b[:, 0]


def test_a_model_must_be_significantly_better() -> None:
    generator = torch.Generator().manual_seed(0)
    old = torch.randn(1000, generator=generator).double()
    noise = torch.randn(1000, generator=generator).double()
    assert is_better(old - 0.1 + 0.5 * noise, old)
    assert not is_better(old + 0.1 + 0.5 * noise, old)
    assert not is_better(old - 0.01 - noise.mean() + noise, old)  # less, but by chance
    assert not is_better(old, old)


def test_rollout_baseline_warms_up_then_rolls_out_then_is_replaced() -> None:
    from symbench.policies.routing import AttentionModel, greedy

    torch.manual_seed(0)
    model = AttentionModel(width=16, heads=2, layers=1, hidden=16).eval()
    baseline, instances = (
        RolloutBaseline(model, 8, seed=0, evaluation=200),
        uniform_instances("tsp", 5, 8, generator_of(0)),
    )
    assert float(baseline(instances, torch.tensor([[4.0]]))) == 4.0
    assert float(baseline(instances, torch.tensor([[5.0]]))) == pytest.approx(0.8 * 4 + 0.2 * 5)
    assert not baseline.challenge(model)  # the same weights are not better
    frozen = greedy(model, instances).lengths
    assert (baseline(instances, torch.zeros(5, 1)) == frozen).all()
    with torch.no_grad():
        for weight in baseline.frozen.parameters():
            weight.zero_()  # takes the cities in their order
    assert baseline.challenge(model) == is_better(greedy(model, drawn(200)).lengths[:, 0], in_order(drawn(200)))


def drawn(count: int) -> dict[str, torch.Tensor]:
    return uniform_instances("tsp", count, 8, generator_of(0, 0))


def in_order(instances: dict[str, torch.Tensor]) -> torch.Tensor:
    from symbench.policies.routing import tour_lengths

    return tour_lengths(instances, torch.arange(8).expand(len(instances["cities"]), 1, -1))[:, 0]
