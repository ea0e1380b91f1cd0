"""Networks of scenes: which actions they take, how long forces are, what coincident bodies do to them."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from scene_cases import AGENTS, BODIES, EQUIVARIANT, KINDS, PLAIN, features, forces, logits, network, rough, scene

from symbench.errors import SymbenchError
from symbench.policies import NETWORKS, NetworkAgent, make_network
from symbench.trees import map_tree


@pytest.mark.parametrize("radius", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("layers", ["e2gn2", "egnn"])
def test_forces_stay_in_the_ball(layers: str, radius: float) -> None:
    """And come near to its surface, also in directions in which a limit of coordinates would be longer."""
    net = network(action_space=forces(2, radius), layers=layers)
    torch.nn.init.zeros_(net.head[0].weight)  # displacements are played as they are
    far = map_tree(lambda part: 10 * part, scene(batch=200))
    actions = net(far, ())[0].detach()
    lengths = actions.norm(dim=-1)
    assert actions.shape == (200, AGENTS, 2)
    assert lengths.max() <= radius * (1 + 1e-6) and lengths.max() > 0.99 * radius
    assert actions.flatten(1).equal(logits(net, far))  # nothing is cut


def test_forces_without_a_limit_are_displacements() -> None:
    net = network(action_space=forces(2, np.inf))
    torch.nn.init.zeros_(net.head[0].weight)
    far = map_tree(lambda part: 100 * part, scene())
    found = logits(net, far)
    assert found.isfinite().all() and found.abs().max() > 10
    factors = found.reshape(-1, AGENTS, 2) / features(net, far)[:, :AGENTS, -2:]
    torch.testing.assert_close(factors[..., 0], factors[..., 1])
    assert factors.min() > 0 and factors.max() < 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("options", [{}, {"layers": "egnn"}, {"velocities": False}], ids=str)
@pytest.mark.parametrize("space", [forces(), spaces.MultiDiscrete([5] * AGENTS)], ids=["forces", "directions"])
def test_bodies_in_one_place_give_numbers_and_gradients(space: Any, options: Any, dtype: torch.dtype) -> None:
    """At rest, too: roots of zero have no gradient."""
    net = network(action_space=space, **options).to(dtype)
    value = rough(net.value_head([8])).to(dtype)
    seen = {key: torch.zeros(4, BODIES, 2, dtype=dtype) for key in ("positions", "velocities", "attributes")}
    read = net.remembered(seen)
    for part in read:
        if part is not None:
            part.requires_grad_()
    known = net.features(*read)
    total = net.decide(known, ())[0].sum() + value(known).sum()
    total.backward()
    assert total.isfinite()
    gradients = [part.grad for part in (*read, *net.parameters()) if part is not None and part.grad is not None]
    assert gradients and all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("space", [forces(), spaces.MultiDiscrete([5] * AGENTS)], ids=["forces", "directions"])
def test_gradients_reach_every_weight(kind: str, space: Any) -> None:
    net = network(kind, space)
    value = net.value_head([8]).double()
    known = features(net, scene())
    (net.decide(known, ())[0].square().sum() + value(known).sum()).backward()
    weights = {**dict(net.named_parameters()), **dict(value.named_parameters())}
    assert [name for name, weight in weights.items() if weight.grad is None or not weight.grad.abs().sum() > 0] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("space", "shape"),
    [
        (spaces.Box(-1, 1, (2,)), (2,)),
        (spaces.Box(-1, 1, (1, 2)), (1, 2)),
        (spaces.Discrete(5), ()),
        (spaces.Discrete(5, start=-2), ()),
        (spaces.MultiDiscrete([5] * 3), (3,)),
    ],
    ids=str,
)
def test_one_acts_or_several(kind: str, space: spaces.Space[Any], shape: tuple[int, ...]) -> None:
    agent = NetworkAgent(network(kind, space), "x", torch.float64)
    agent.reset(7)
    actions = agent.act(map_tree(lambda part: part.numpy(), scene()))
    assert actions.shape == (7, *shape)
    assert all(space.contains(action) for action in actions.astype(space.dtype))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(-1, 1, (3, 3)),
        spaces.Box(-1, 1, (6, 2)),
        spaces.Box(0, 1, (3, 2)),
        spaces.Box(np.array([-1, -2], np.float32), np.array([1, 2], np.float32)),
        spaces.Box(-1, 1, (1, 3, 2)),
        spaces.Discrete(4),
        spaces.MultiDiscrete([5, 4]),
        spaces.MultiBinary(3),
    ],
    ids=str,
)
def test_other_actions_are_refused(kind: str, space: spaces.Space[Any]) -> None:
    with pytest.raises(SymbenchError, match=r"bodies are pushed in a Box|6 agents act, but there are only 5 bodies"):
        network(kind, space)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bodies": 2.5}, "bodies must be a whole number of 1 to 4096, received 2.5"),
        ({"dim": True}, "dim must be a whole number"),
        ({"attributes": -1}, "attributes must be a whole number"),
        ({"velocities": 1}, "velocities must be true or false, received 1"),
        ({"depth": 10**9}, "depth must be a whole number of 1 to 64"),
        ({"hidden": 0}, "hidden must be a whole number"),
        ({"layers": "egmn"}, "unknown kind of layers 'egmn'; did you mean 'egnn'"),
    ],
)
def test_what_is_no_architecture_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        network(**options)
    with pytest.raises(SymbenchError, match="directions must have 3 coordinates each"):
        network(action_space=spaces.MultiDiscrete([5] * 3), dim=3)


def test_a_scene_says_the_sizes() -> None:
    import symbench.envs  # noqa: F401

    for name, sizes in {"ParticleSpread": (6, 2, 2), "Pursuit": (4, 2, 2), "NBodyControl": (10, 3, 2)}.items():
        env = gym.make(f"symbench/{name}-v0")
        for kind in KINDS:
            made: Any = make_network(kind, env.observation_space, env.action_space)
            assert (made.bodies, made.dim, made.attributes) == sizes
            assert made.incompatibility(env.observation_space) is None
    said = "reads 5 moving bodies in 2 dimensions with 2 attributes, the task gives 10 moving bodies in 3 dimensions"
    assert said in str(network(PLAIN).incompatibility(env.observation_space))
    with pytest.raises(SymbenchError, match=r"equivariant-graph reads Dict\(positions: Box\(N, d\)"):
        make_network(EQUIVARIANT, spaces.Box(-1, 1, (4,)), forces())
    assert all(NETWORKS[kind].of_team for kind in KINDS)
