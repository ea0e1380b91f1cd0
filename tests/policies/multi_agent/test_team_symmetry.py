"""Turned observations and other orders of agents: turned and reordered joint actions; what has no symmetry fails."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
import torch
from gymnasium import spaces
from team_cases import (
    AGENTS,
    KINDS,
    TURN_AND_FLIP,
    actions_turned,
    logits_of,
    reordered,
    seen,
    traffic,
    turned,
    values_of,
    wildlife,
)

from symbench.policies import CentralisedCNNNetwork, MultiAgentHomomorphicNetwork, StandardMultiAgentNetwork

EXACT = 1e-10
IMAGES = [2, 0, 3, 1]  # how junctions change place under a quarter turn: top left, bottom left, top right, bottom right
LIGHTS = [1, 3, 0, 2]  # top left, top right, bottom left, bottom right


def error(network: Any, turns: int, flip: bool = False) -> float:
    """How far the logits of turned observations are from the turned logits."""
    expected = actions_turned(logits_of(network, seen()), turns, flip)
    return float((logits_of(network, turned(seen(), turns, flip)) - expected).abs().max())


@pytest.mark.parametrize("norm_weighted", [False, True])
@pytest.mark.parametrize("depth", range(5))
def test_the_joint_policy_turns_with_what_is_seen_whatever_its_depth(depth: int, norm_weighted: bool) -> None:
    network = wildlife(messages=(6, 5, 4, 3)[:depth], norm_weighted=norm_weighted)
    assert max(error(network, turns) for turns in range(4)) < EXACT
    values = values_of(network, seen(), hidden=(4,) * depth)
    for turns in range(4):
        assert (values_of(network, turned(seen(), turns), hidden=(4,) * depth) - values).abs().max() < EXACT
    assert error(network, 1, flip=True) > 1e-3  # no flips in C4


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_it_also_flips_under_d4(depth: int) -> None:
    network = wildlife(group="D4", action=TURN_AND_FLIP, messages=(6, 5)[:depth])
    assert max(error(network, turns, flip) for turns in range(4) for flip in (False, True)) < EXACT


def test_edges_matter_and_must_turn() -> None:
    network = wildlife()
    still = {**turned(seen(), 1), "positions": seen()["positions"]}
    expected = actions_turned(logits_of(network, seen()), 1)
    assert (logits_of(network, still) - expected).abs().max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_agents_may_change_place(kind: Any) -> None:
    network = wildlife(kind)
    logits, values = logits_of(network, seen()), values_of(network, seen(), (8,))
    for order in permutations(range(AGENTS)):
        other = reordered(seen(), list(order))
        assert (logits_of(network, other) - logits[:, list(order)]).abs().max() < EXACT
        assert (values_of(network, other, (8,)) - values).abs().max() < EXACT


@pytest.mark.parametrize("kind", KINDS[1:])
def test_ordinary_networks_do_not_turn(kind: Any) -> None:
    assert min(error(wildlife(kind), turns) for turns in (1, 2, 3)) > 1e-3


@pytest.mark.parametrize("basis", ["nullspace", "random"])
def test_other_bases_do_not_turn(basis: str) -> None:
    assert min(error(wildlife(basis=basis), turns) for turns in (1, 2, 3)) > 1e-3


def test_a_centralised_network_knows_who_is_who() -> None:
    network = centralised()
    logits, other = logits_of(network, seen()), logits_of(network, reordered(seen(), [1, 0, 2]))
    assert (other - logits[:, [1, 0, 2]]).abs().max() > 1e-3


def centralised() -> Any:
    network = CentralisedCNNNetwork(spaces.MultiDiscrete([5] * AGENTS), AGENTS, size=15, position_scale=2 / 15)
    return network.double()


def swapped(logits: torch.Tensor, turns: int, order: list[int]) -> torch.Tensor:
    """Logits of junctions, (B, 4, 2), under quarter turns that send junctions so and exchange both actions."""
    for _ in range(turns):
        logits = logits[:, order].flip(-1)
    return logits


def junctions(order: list[int], turns: int = 0) -> Any:
    """What four junctions in this order see; under quarter turns they change place so."""
    corners = torch.tensor([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]], dtype=torch.float64)
    by_light = {"images": seen(5, 4, 3)["images"], "positions": corners.expand(5, 4, 2)}
    for _ in range(turns):
        by_light = reordered(turned(by_light, 1), LIGHTS)
    return reordered(by_light, order)


@pytest.mark.parametrize("turns", range(4))
def test_lights_change_place_and_meaning(turns: int) -> None:
    network, order = traffic(), [0, 1, 2, 3]
    expected = swapped(logits_of(network, junctions(order)), turns, LIGHTS)
    assert (logits_of(network, junctions(order, turns)) - expected).abs().max() < EXACT


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_in_the_published_order_of_images_actions_are_those_of_the_lights_only_if_they_are_told_so(turns: int) -> None:
    """The published network changes actions as images change place, which keeps no rewards."""
    order, correct, published = [0, 2, 1, 3], traffic(action_order=[0, 2, 1, 3]), traffic()
    published.load_state_dict(correct.state_dict())
    now, then = junctions(order), junctions(order, turns)
    torch.testing.assert_close(then, reordered(turned(now, turns), [0, 1, 2, 3] if turns % 4 == 0 else moved(turns)))
    assert (logits_of(correct, then) - swapped(logits_of(correct, now), turns, LIGHTS)).abs().max() < EXACT
    assert (logits_of(published, then) - swapped(logits_of(published, now), turns, IMAGES)).abs().max() < EXACT
    wrong = (logits_of(published, then) - swapped(logits_of(published, now), turns, LIGHTS)).abs().max()
    assert wrong > 1e-3 or turns == 2  # half a turn exchanges opposite junctions in both orders


def moved(turns: int) -> list[int]:
    order = [0, 1, 2, 3]
    for _ in range(turns):
        order = [order[i] for i in IMAGES]
    return order


def test_parameters_are_those_of_the_published_networks() -> None:
    drones, lights = (spaces.MultiDiscrete([5] * 3), 3), (spaces.MultiDiscrete([2] * 4), 4)
    quarter, swap = {"action": {"maps": [[0, 2, 3, 4, 1]]}}, {"action": {"maps": [[1, 0]]}}
    junction = {"size": 35, "channels": 3}
    networks = [
        MultiAgentHomomorphicNetwork(*drones, **quarter),  # type: ignore[arg-type]
        StandardMultiAgentNetwork(*drones),
        MultiAgentHomomorphicNetwork(*lights, **swap, **junction),  # type: ignore[arg-type]
        StandardMultiAgentNetwork(*lights, **junction),  # type: ignore[arg-type]
    ]
    counts = [sum(p.numel() for part in (net, net.value_head([])) for p in part.parameters()) for net in networks]
    assert counts == [28_835, 26_694, 29_522, 28_067]
