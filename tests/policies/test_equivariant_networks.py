"""Equivariant actors commute with their groups at any depth, are as large as published, and survive saving."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from symbench.errors import SymbenchError
from symbench.policies import EquivariantCNNNetwork, EquivariantMLPNetwork, NetworkAgent
from symbench.policies.equivariant import BASES, ActorCritic, action_of, group_named, symmetry_data
from symbench.symmetry import (
    ActionPermutation,
    FiniteGroup,
    GridRepresentation,
    Representation,
    SymmetryPair,
    cyclic,
    dihedral,
    product,
    signed_permutation,
    standard_2d,
    trivial_representation,
)
from symbench.zoo import load_agent, save_agent

if TYPE_CHECKING:
    from pathlib import Path

CART_POLE = {"group": "C2", "observation": {"signs": [[-1, -1, -1, -1]]}, "action": {"maps": [[1, 0]]}}
PENDULUM = {"group": "C2", "observation": {"signs": [[1, -1, -1]]}, "action": {"signs": [[-1]]}}
WALKER = {
    "group": "C2",
    "observation": {"orders": [[0, 1, 5, 6, 7, 2, 3, 4, 8, 9, 10, 14, 15, 16, 11, 12, 13]]},
    "action": {"orders": [[3, 4, 5, 0, 1, 2]]},
}
# Two reflections of the plane: one vector read, a thrust along each axis.
PLANE = {
    "group": "C2 x C2",
    "observation": {"matrices": [[[-1, 0], [0, 1]], [[1, 0], [0, -1]]]},
    "action": {"signs": [[-1, 1], [1, -1]]},
}
COMPASS = {
    "group": "D4",
    "observation": {"matrices": [[[0, -1], [1, 0]], [[-1, 0], [0, 1]]]},
    "action": {"maps": [[0, 2, 3, 4, 1], [0, 3, 2, 1, 4]]},
}
TWO, FIVE, PADDLE = spaces.Discrete(2), spaces.Discrete(5), spaces.Discrete(6)


def unit(size: int) -> spaces.Box:
    return spaces.Box(-1, 1, (size,))


def squashed(low: list[float]) -> dict[str, Any]:
    return {"low": low, "high": [1.0] * len(low), "squash": "tanh"}


SENSORS: dict[str, tuple[Any, dict[str, Any]]] = {
    "cart-pole": (TWO, CART_POLE),
    "pendulum": (spaces.Box(-2, 2, (1,)), PENDULUM),
    "walker": (squashed([-1.0] * 6), WALKER),
    "plane": (squashed([-1.0] * 2), PLANE),
    "compass": (FIVE, COMPASS),
    "invariant": (unit(3), {"group": "C4", "observation": {"matrices": [[[0, -1], [1, 0]]]}}),
}
GRID_WORLD = {"C4": [[0, 2, 3, 4, 1]], "D4": [[0, 2, 3, 4, 1], [0, 1, 4, 3, 2]]}
PONG: dict[str, Any] = {
    "group": "C2",
    "observation": {"moves": ["flip-rows"]},
    "action": {"maps": [[0, 1, 3, 2, 5, 4]]},
}
FRAMES: dict[str, tuple[Any, dict[str, Any]]] = {
    "grid world C4": (FIVE, {"group": "C4", "action": {"maps": GRID_WORLD["C4"]}}),
    "grid world D4": (FIVE, {"group": "D4", "action": {"maps": GRID_WORLD["D4"]}, "pool": "mean"}),
    "pong": (PADDLE, {**PONG, "size": 80, "history": 2, "conv": [[4, 8, 4], [4, 5, 2], [8, 8, 1]], "hidden": []}),
    "racing": (
        squashed([-1.0, 0.0, 0.0]),
        {"group": "C2", "action": {"signs": [[-1, 1, 1]]}, "channels": 3, "size": 24}
        | {"conv": [[4, 4, 2], [4, 3, 2]], "hidden": [8]},
    ),
}


def parts(config: dict[str, Any]) -> tuple[FiniteGroup, Any, Any]:
    group = group_named(config["group"])
    return group, action_of(group, config["observation"]), action_of(group, config["action"])


def acted(network: Any, observations: Tensor, state: Any) -> tuple[Tensor, Any]:
    """Actions, or the scores of discrete ones, and the next state."""
    actions, after = network(observations, state)
    return (actions if actions.is_floating_point() else network.logits(observations, state)[0]), after


def act_on_output(network: Any, g: int, output: Tensor) -> Tensor:
    return output @ torch.tensor(network.rep_out.matrices[g], dtype=output.dtype).T


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("hidden", [[8] * depth for depth in range(6)], ids=len)
@pytest.mark.parametrize("name", SENSORS)
def test_actors_of_sensors_commute(name: str, hidden: list[int]) -> None:
    space, config = SENSORS[name]
    model = ActorCritic(EquivariantMLPNetwork(space, hidden=hidden, **config)).double()
    group = group_named(config["group"])
    observation = action_of(group, config["observation"])
    sensors = torch.randn(9, model.network.num_sensors or 0, dtype=torch.float64)
    actions, (scores, value) = acted(model.network, sensors, ())[0], model(sensors)
    assert actions.shape == scores.shape == (9, model.network.action.size) and value.shape == (9,)
    assert torch.equal(scores, model.network.logits(sensors, ())[0])
    for g in group.elements:
        moved = torch.from_numpy(observation.apply(g, sensors.numpy()))
        moved_scores, moved_value = model(moved)
        expected = act_on_output(model.network, g, actions)
        assert (acted(model.network, moved, ())[0] - expected).abs().max() < 1e-10
        assert (moved_scores - act_on_output(model.network, g, scores)).abs().max() < 1e-10
        assert (moved_value - value).abs().max() < 1e-10


@pytest.mark.parametrize("name", FRAMES)
def test_actors_of_frames_commute(name: str) -> None:
    space, config = FRAMES[name]
    model = ActorCritic(EquivariantCNNNetwork(space, **config)).double()
    network, (group, observation, _) = model.network, parts(network_config(model.network))
    frames = torch.randint(0, 256, (3, 4, network.size, network.size, network.channels), dtype=torch.uint8)
    for g in group.elements:
        state, moved_state = (network.initial_state(4, *frames.shape[2:]) for _ in range(2))
        for batch in frames:
            moved = torch.from_numpy(observation.apply(g, batch.numpy()))
            expected, state = acted(network, batch, state)
            found, moved_state = acted(network, moved, moved_state)
            assert (found - act_on_output(network, g, expected)).abs().max() < 1e-10
            if network.history == 1:
                stacked, moved_stack = batch.permute(0, 3, 1, 2), moved.permute(0, 3, 1, 2)
                assert (model(stacked)[1] - model(moved_stack)[1]).abs().max() < 1e-10


def network_config(network: Any) -> dict[str, Any]:
    config = network.config()
    return config if config["action"] else {**config, "action": {"dim": network.action.size}}


@pytest.mark.parametrize("basis", ["nullspace", "random"])
def test_actors_of_other_bases_do_not(basis: str) -> None:
    network = EquivariantMLPNetwork(TWO, **CART_POLE, basis=basis)
    sensors = torch.randn(9, 4)
    assert not torch.allclose(network.logits(-sensors, ())[0], network.logits(sensors, ())[0].flip(1), atol=1e-2)
    pictures = EquivariantCNNNetwork(FIVE, action={"maps": GRID_WORLD["C4"]}, basis=basis)
    frames = torch.randint(0, 256, (9, 21, 21, 1), dtype=torch.uint8)
    turned = torch.rot90(frames, 1, (1, 2))
    expected = act_on_output(pictures, 1, pictures.logits(frames, ())[0])
    assert not torch.allclose(pictures.logits(turned, ())[0], expected, rtol=1e-2)


def test_a_flattened_map_is_not_equivariant() -> None:
    network = EquivariantCNNNetwork(PADDLE, **PONG, size=24, conv=[[4, 4, 2], [4, 3, 2]], hidden=[16], pool="flatten")
    frames = torch.randint(0, 256, (9, 24, 24, 1), dtype=torch.uint8)
    expected = act_on_output(network, 1, network.logits(frames, ())[0])
    assert not torch.allclose(network.logits(frames.flip(1), ())[0], expected, rtol=1e-2)


PLAIN = {"group": "trivial", "observation": {"dim": 4}}
PONG_AS_PUBLISHED = {"size": 80, "history": 4, "pool": "flatten"}


@pytest.mark.parametrize(
    ("network", "count"),
    [
        (EquivariantMLPNetwork(TWO, **CART_POLE), 8_770),
        (EquivariantMLPNetwork(TWO, **PLAIN, hidden=[64, 128]), 9_027),
        (EquivariantMLPNetwork(TWO, **PLAIN, hidden=[128, 128]), 17_539),
        (EquivariantCNNNetwork(FIVE, action={"maps": GRID_WORLD["C4"]}), 31_395),
        (EquivariantCNNNetwork(FIVE, "trivial", conv=[[16, 7, 2], [32, 5, 1]], hidden=[512]), 33_606),
        (
            EquivariantCNNNetwork(
                PADDLE,
                "C2",
                {"moves": ["flip-rows"]},
                conv=[[11, 8, 4], [22, 5, 2]],
                hidden=[362],
                **PONG_AS_PUBLISHED,
            ),
            1_037_244,
        ),
        (
            EquivariantCNNNetwork(PADDLE, "trivial", conv=[[16, 8, 4], [32, 5, 2]], hidden=[512], **PONG_AS_PUBLISHED),
            1_069_623,
        ),
    ],
    ids=["CartPole", "MLP-1", "MLP-2", "GridWorld", "GridWorld CNN", "Pong", "Pong CNN"],
)
def test_actor_critics_are_as_large_as_published(network: Any, count: int) -> None:
    assert parameters(ActorCritic(network)) == count


def test_under_the_trivial_group_it_is_an_ordinary_network() -> None:
    network = EquivariantMLPNetwork(TWO, **PLAIN, hidden=[8]).double()
    first, last = network.body[0].fold(), network.head.linear.fold()
    sensors = torch.randn(5, 4, dtype=torch.float64)
    hidden = torch.relu(torch.nn.functional.linear(sensors, *first))
    torch.testing.assert_close(network.logits(sensors, ())[0], torch.nn.functional.linear(hidden, *last))


@pytest.mark.parametrize("basis", BASES)
def test_saved_agents_act_the_same(basis: str, tmp_path: Path) -> None:
    config = json.loads(json.dumps({**WALKER, "hidden": [8, 4], "basis": basis}))
    network = EquivariantMLPNetwork(unit(6), **config).eval()
    save_agent(network, tmp_path / "agent", {})
    agent, sensors = load_agent(tmp_path / "agent"), np.random.default_rng(0).normal(size=(3, 17)).astype(np.float32)
    agent.reset(3)
    with torch.no_grad():
        expected = network(torch.tensor(sensors), ())[0]
    np.testing.assert_array_equal(agent.act(sensors), expected.numpy())


def test_an_agent_is_exact_in_float64() -> None:
    """A basis is not rounded when the weights are: networks may go from single to double precision."""
    config = {"group": "C5", "observation": {"matrices": [standard_2d(cyclic(5)).matrices[1].tolist()]}}
    network = EquivariantMLPNetwork(unit(1), **config).float()
    agent = NetworkAgent(network, "turned", dtype=torch.float64)
    sensors = np.random.default_rng(0).normal(size=(20, 2))
    with torch.inference_mode():
        logits = network.logits(torch.tensor(sensors), ())[0]
        turned = network.logits(torch.tensor(standard_2d(cyclic(5)).apply(2, sensors)), ())[0]
    assert agent.network is network
    assert (logits - turned).abs().max() < 1e-12


def test_agents_know_which_tasks_fit() -> None:
    agent = NetworkAgent(EquivariantMLPNetwork(TWO, **CART_POLE), "mirror")
    assert agent.incompatibility(spaces.Box(-1, 1, (4,)), spaces.Discrete(2)) is None
    assert "reads 4 sensors" in str(agent.incompatibility(spaces.Box(-1, 1, (5,)), spaces.Discrete(2)))
    frames = NetworkAgent(EquivariantCNNNetwork(FIVE), "turns")
    assert frames.incompatibility(spaces.Box(0, 255, (21, 21, 1), np.uint8), spaces.Discrete(5)) is None
    reason = frames.incompatibility(spaces.Box(0, 255, (24, 24, 1), np.uint8), spaces.Discrete(5))
    assert "reads 21x21 frames, received 24x24" in str(reason)


@pytest.mark.parametrize(
    ("space", "config", "said"),
    [
        (TWO, {**CART_POLE, "group": "Z2"}, "a group is named like .* received 'Z2'"),
        (TWO, {**CART_POLE, "observation": {"sign": [[1]]}}, r"received \['sign'\]"),
        (TWO, {**CART_POLE, "observation": {"moves": ["flip-rows"]}}, "vectors"),
        (unit(2), CART_POLE, "Box of 2|Discrete"),
        (TWO, {**CART_POLE, "action": {"maps": [[0, 2, 1]]}}, r"acts on Discrete\(3\)"),
        (spaces.Box(0, 1, (2,)), {**CART_POLE, "action": {"signs": [[-1, -1]]}}, "bounds"),
        (
            unit(2),
            {**COMPASS, "group": "C4", "observation": {"dim": 2}, "action": {"matrices": [[[0.6, -0.8], [0.8, 0.6]]]}},
            "C4",
        ),
    ],
)
def test_mistakes_are_named(space: spaces.Space[Any], config: dict[str, Any], said: str) -> None:
    with pytest.raises(SymbenchError, match=said):
        EquivariantMLPNetwork(space, **config)


def test_rotations_of_bounded_actions_are_refused() -> None:
    sixth = standard_2d(cyclic(6)).matrices[1].tolist()
    config = {"group": "C6", "observation": {"matrices": [sixth]}, "action": {"matrices": [sixth]}}
    with pytest.raises(SymbenchError, match="bounds"):
        EquivariantMLPNetwork(squashed([-1.0] * 2), **config)


def test_frames_need_moves() -> None:
    with pytest.raises(SymbenchError, match="received 22"):
        EquivariantCNNNetwork(FIVE, size=22)
    with pytest.raises(SymbenchError, match="must hold 'moves'"):
        EquivariantCNNNetwork(FIVE, observation={"dim": 3})
    with pytest.raises(SymbenchError, match="say what C3 does"):
        EquivariantCNNNetwork(FIVE, "C3")
    with pytest.raises(SymbenchError, match="unknown pooling 'average'"):
        EquivariantCNNNetwork(FIVE, pool="average")


DECLARED = {
    "discrete": SymmetryPair(
        signed_permutation(cyclic(2), signs=[[-1, -1, -1, -1]]), ActionPermutation(cyclic(2), [[1, 0]])
    ),
    "places and signs": SymmetryPair(
        signed_permutation(cyclic(2), orders=[[1, 0, 2]], signs=[[1, 1, -1]]),
        signed_permutation(cyclic(2), signs=[[-1]]),
    ),
    "matrices": SymmetryPair(standard_2d(cyclic(5)), trivial_representation(cyclic(5))),
    "pictures": SymmetryPair(
        GridRepresentation(dihedral(4), ["turn", "flip-columns"]), ActionPermutation(dihedral(4), GRID_WORLD["D4"])
    ),
    "rows": SymmetryPair(GridRepresentation(cyclic(2), ["flip-rows"], (2, 3)), ActionPermutation(cyclic(2), [[1, 0]])),
    "product": SymmetryPair(
        signed_permutation(product(cyclic(2), cyclic(2)), signs=[[-1, 1], [1, -1]]),
        trivial_representation(product(cyclic(2), cyclic(2)), 2),
    ),
}


@pytest.mark.parametrize("name", DECLARED)
def test_declared_symmetries_become_plain_data_and_back(name: str) -> None:
    pair = DECLARED[name]
    data = json.loads(json.dumps(symmetry_data(pair)))
    group = group_named(data["group"])
    assert group == pair.group
    for declared, described in ((pair.observation, data["observation"]), (pair.action, data["action"])):
        rebuilt = action_of(group, described)
        if isinstance(declared, Representation):
            np.testing.assert_allclose(rebuilt.matrices, declared.matrices, atol=1e-12)
        elif isinstance(declared, ActionPermutation):
            np.testing.assert_array_equal(rebuilt.maps, declared.maps)
        else:
            axes = declared.axes
            batch = np.random.default_rng(0).integers(256, size=(2, 4, 4) if axes == (1, 2) else (2, 1, 4, 4))
            for g in group.elements:
                moved = np.squeeze(declared.apply(g, batch))
                np.testing.assert_array_equal(rebuilt.apply(g, np.squeeze(batch)), moved)
