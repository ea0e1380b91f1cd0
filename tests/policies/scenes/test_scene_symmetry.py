"""What moves a scene moves forces, permutes directions and leaves values alone; and where it must not, it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from scene_cases import (
    AGENTS,
    AGENTS_CHANGE_PLACE,
    MLP,
    OTHERS_CHANGE_PLACE,
    PLAIN,
    error,
    exchange,
    features,
    forces,
    latent,
    logits,
    motions,
    network,
    rough,
    scene,
)

from symbench.policies.actions import action_head
from symbench.policies.scenes.scene_network import STEPS

EXACT = 1e-10
FORMS: list[dict[str, Any]] = [
    {"layers": layers, "velocities": velocities, "depth": depth}
    for layers in ("e2gn2", "egnn")
    for velocities in (True, False)
    for depth in (1, 3)
]


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_forces_move_with_the_scene(form: dict[str, Any], dim: int) -> None:
    net, seen = network(dim=dim, **form), scene(dim)
    before = logits(net, seen)
    for motion in motions(dim):
        assert error(logits(net, motion.scene(seen)), motion.vectors(before)) < EXACT


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_values_do_not_move(form: dict[str, Any], dim: int) -> None:
    net, seen = network(dim=dim, **form), scene(dim)
    of_scene, of_actions = rough(net.value_head([8])), rough(net.value_head([8], of_actions=True, outputs=3))
    actions = torch.randn(7, AGENTS * dim, dtype=torch.float64)
    with torch.no_grad():
        before = features(net, seen)
        values, scores = of_scene(before), of_actions(before, actions)
        assert scores.shape == (7, 3)
        assert error(of_actions(before, actions.flip(0)), scores) > 1e-3  # it does read them
        for motion in motions(dim):
            after = features(net, motion.scene(seen))
            assert error(of_scene(after), values) < EXACT
            assert error(of_actions(after, motion.vectors(actions)), scores) < EXACT


def test_deviations_do_not_turn() -> None:
    net, seen = network(), scene()
    head = rough(net.log_std_head())
    with torch.no_grad():
        before = head(latent(net, seen))
        for motion in motions():
            assert error(head(latent(net, motion.scene(seen))), motion.numbers(before)) < EXACT
        assert error(before[:, 0], before[:, 2]) > 1e-3  # each agent has its own
        assert net.log_std(-0.5)().tolist() == [-0.5] * before.shape[1]


D4 = [[[c, -s], [s, c]] for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
D4 += [[[row[0], -row[1]] for row in matrix] for matrix in D4]


@pytest.mark.parametrize("space", [spaces.MultiDiscrete([5] * AGENTS), spaces.Discrete(5)], ids=["several", "one"])
def test_turns_and_flips_permute_directions(space: spaces.Space[Any]) -> None:
    net, seen, directions = network(action_space=space), scene(), np.array(STEPS)
    before = logits(net, seen).reshape(7, -1, 5)
    for turn in np.array(D4):
        moved = dict(seen)
        for key in ("positions", "velocities"):
            moved[key] = seen[key] @ torch.tensor(turn.T, dtype=torch.float64)
        place = [next(k for k in range(5) if (directions[k] == turn @ step).all()) for step in directions]
        after = logits(net, moved).reshape(before.shape)
        assert error(after[..., place], before) < EXACT
        assert (turn == np.eye(2)).all() or error(after, before) > 1e-3


def test_directions_need_be_no_grid() -> None:
    """Six of a hexagon: a turn by 60 degrees shifts the logits by one."""
    angles = np.arange(6) * np.pi / 3
    corners = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    net = network(action_space=spaces.MultiDiscrete([6] * AGENTS), directions=corners.tolist())
    seen, moved = scene(), scene()
    turn = torch.tensor([[corners[1, 0], corners[1, 1]], [-corners[1, 1], corners[1, 0]]])  # transposed: for rows
    for key in ("positions", "velocities"):
        moved[key] = seen[key] @ turn
    before, after = (logits(net, each).reshape(7, AGENTS, 6) for each in (seen, moved))
    assert error(after, before.roll(1, dims=-1)) < EXACT


@pytest.mark.parametrize("order", [AGENTS_CHANGE_PLACE, OTHERS_CHANGE_PLACE], ids=["agents", "others"])
def test_a_plain_graph_does_not_care_for_order(order: torch.Tensor) -> None:
    net, seen, swap = network(PLAIN), scene(), exchange(order)
    of_scene, of_actions = rough(net.value_head([8])), rough(net.value_head([8], of_actions=True))
    deviations, actions = rough(net.log_std_head()), torch.randn(7, AGENTS * 2, dtype=torch.float64)
    assert error(logits(net, swap.scene(seen)), swap.numbers(logits(net, seen))) < EXACT
    with torch.no_grad():
        before, after = features(net, seen), features(net, swap.scene(seen))
        assert error(of_scene(after), of_scene(before)) < EXACT
        assert error(of_actions(after, swap.numbers(actions)), of_actions(before, actions)) < EXACT
        of_agents = deviations(latent(net, swap.scene(seen)))
        assert error(of_agents, swap.numbers(deviations(latent(net, seen)))) < EXACT


@pytest.mark.parametrize("kind", [PLAIN, MLP])
def test_the_others_know_no_turns(kind: str) -> None:
    net, seen = network(kind), scene()
    value = rough(net.value_head([8]))
    for motion in motions():
        assert error(logits(net, motion.scene(seen)), motion.vectors(logits(net, seen))) > 1e-2
        with torch.no_grad():
            assert error(value(features(net, motion.scene(seen))), value(features(net, seen))) > 1e-2


@pytest.mark.parametrize("order", [AGENTS_CHANGE_PLACE, OTHERS_CHANGE_PLACE], ids=["agents", "others"])
def test_a_perceptron_cares_for_order(order: torch.Tensor) -> None:
    net, seen, swap = network(MLP), scene(), exchange(order)
    assert error(logits(net, swap.scene(seen)), swap.numbers(logits(net, seen))) > 1e-2


def test_agents_and_others_are_told_apart() -> None:
    """Without attributes, too: an agent in the place of another body is not the same."""
    net, seen, swap = network(attributes=0), scene(), exchange(torch.tensor([3, 1, 2, 0, 4]))
    del seen["attributes"]
    before, after = (features(net, each) for each in (seen, swap.scene(seen)))
    assert error(after[:, [3, 1, 2, 0, 4]], before) > 1e-3


def test_a_tanh_of_each_coordinate_knows_no_turns_but_those_of_the_axes() -> None:
    net, seen = network(action_space=action_head(forces(), squash="tanh")), scene()
    torch.nn.init.ones_(net.graph.scale)  # short vectors are hardly bent

    def played(shown: Any) -> torch.Tensor:
        with torch.no_grad():
            return net(shown, ())[0].flatten(1)  # type: ignore[no-any-return]

    for motion in motions():
        assert error(played(motion.scene(seen)), motion.vectors(played(seen))) > 1e-3
    for motion in motions():
        axes = type(motion)(torch.tensor([[0.0, -1.0], [1.0, 0.0]]).double(), motion.shift, motion.order)
        assert error(played(axes.scene(seen)), axes.vectors(played(seen))) < EXACT
