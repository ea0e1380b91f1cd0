"""A soft constraint: equivariant without its plain pathway, nearly so at first, and dear where it is not."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scene_cases import AGENTS_CHANGE_PLACE, EQUIVARIANT, error, exchange, features, logits, motions, network, scene

from symbench.errors import SymbenchError
from symbench.policies import NetworkActorCriticPolicy, SymmetricPPO, make_network
from symbench.policies.equivariant import free_part
from symbench.tasks import get_task

RESIDUAL = "residual-graph"


def broken(net: Any) -> float:
    """How far forces are from turning with the scene."""
    seen = scene()
    before = logits(net, seen)
    return max(error(logits(net, motion.scene(seen)), motion.vectors(before)) for motion in motions())


def without_plain(net: Any) -> Any:
    for parameter in net.plain.parameters():
        parameter.data.zero_()
    return net


def test_without_its_plain_pathway_it_is_the_equivariant_network() -> None:
    net, hard = network(RESIDUAL), network(EQUIVARIANT)
    assert broken(net) > 1e-2
    hard.load_state_dict(net.equivariant.state_dict())
    assert error(logits(without_plain(net), scene()), logits(hard, scene())) < 1e-12
    assert broken(net) < 1e-10


def test_values_are_sums_too() -> None:
    net, seen = network(RESIDUAL), scene()
    head = net.value_head([8], of_actions=True).double()
    actions = torch.randn(7, 6, dtype=torch.float64)

    def change(parameters: Any) -> float:
        for parameter in parameters:
            parameter.data.zero_()
        before = head(features(net, seen), actions)
        pairs = [(head(features(net, m.scene(seen)), m.vectors(actions)), before) for m in motions()]
        return max(error(*pair) for pair in pairs)

    assert change([]) > 1e-4
    assert change([*net.plain.parameters(), *head.plain.parameters()]) < 1e-10


def test_permutations_are_always_kept() -> None:
    net, other = network(RESIDUAL), exchange(AGENTS_CHANGE_PLACE)
    assert error(logits(net, other.scene(scene())), other.vectors(logits(net, scene()))) < 1e-10


def test_it_begins_nearly_equivariant() -> None:
    with get_task("ParticleSpread").make() as env:
        spaces = env.observation_space, env.action_space
    seen = {key: part.float() for key, part in scene().items()}
    seen = {key: torch.cat([part, part[:, :1]], dim=1) for key, part in seen.items()}  # six bodies

    def share(start: float) -> float:
        torch.manual_seed(0)
        net = make_network({"kind": RESIDUAL, "start": start}, *spaces)
        return error(logits(net, seen), logits(without_plain(net), seen))

    shares = [share(start) for start in (0.0, 0.01, 1.0)]
    assert shares[0] == 0 < shares[1] < 0.1 < shares[2]


def test_a_price_keeps_the_plain_pathway_small() -> None:
    def left(free_coef: float) -> float:
        model = SymmetricPPO(
            NetworkActorCriticPolicy,
            "symbench/ParticleSpread-v0",
            n_steps=32,
            batch_size=32,
            free_coef=free_coef,
            policy_kwargs={"network": {"kind": RESIDUAL, "hidden": 8}},
            device="cpu",
            seed=0,
        )
        heads: Any = model.policy
        squares = [p.square().sum() for p in heads.network.plain.parameters()]
        squares += [p.square().sum() for p in heads.mlp_extractor.value.plain.parameters()]
        assert torch.isclose(free_part(model.policy), torch.stack(squares).sum(), rtol=1e-5)
        return float(free_part(model.learn(128).policy).detach())

    assert left(1.0) < left(0.0)


@pytest.mark.parametrize("start", [-0.1, 2, True, "small", float("nan")])
def test_start_is_a_share(start: Any) -> None:
    with pytest.raises(SymbenchError, match="start must be a number from 0 to 1"):
        network(RESIDUAL, start=start)
    assert logits(network(RESIDUAL, start=1), scene()).isfinite().all()
