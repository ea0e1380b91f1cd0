"""Teams are made for a task's spaces; every weight learns; what does not fit is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from team_cases import KINDS, logits_of, seen, wildlife

from symbench.errors import SymbenchError
from symbench.policies import (
    MultiAgentGraphNetwork,
    MultiAgentHomomorphicNetwork,
    StandardMultiAgentNetwork,
    make_network,
)
from symbench.policies.multi_agent.communication_graph import CommunicationGraph

TEAMS = ("multi-agent-homomorphic", "multi-agent-standard", "multi-agent-graph", "centralised-cnn")
DRONES = spaces.MultiDiscrete([5] * 3)


def observing(agents: int, channels: int, size: int, furthest: float) -> spaces.Dict:
    images = spaces.Box(0, 1, (agents, channels, size, size), np.float32)
    return spaces.Dict({"images": images, "positions": spaces.Box(-furthest, furthest, (agents, 2), np.float32)})


@pytest.mark.parametrize("kind", TEAMS)
@pytest.mark.parametrize("size", [7, 15, 21, 35, 36])
def test_a_team_is_made_for_the_spaces(kind: str, size: int) -> None:
    space = observing(3, 2, size, furthest=size / 3 - 1)
    network = make_network(kind, space, DRONES)
    assert network.incompatibility(space) is None
    space.seed(0)
    actions, _ = network(network.read(space.sample()), ())
    assert DRONES.contains(actions[0].numpy())
    for other in (observing(4, 2, size, 1), observing(3, 1, size, 1), observing(3, 2, size + 1, 1), space["images"]):
        assert "reads Dict(images: Box(3, 2, " in str(network.incompatibility(other))


def test_cells_are_scaled_and_agents_hear_their_neighbours() -> None:
    grid: Any = make_network("multi-agent-standard", observing(3, 1, 21, furthest=6), DRONES)
    cells = torch.tensor([[[0.0, 0.0], [3.0, 2.0], [6.0, 0.0]]])
    assert grid.position_scale == 2 / 21
    assert grid.graph.links(grid.edges(cells, cells))[0].int().tolist() == [[1, 1, 0], [1, 1, 1], [0, 1, 1]]
    crossing: Any = make_network("multi-agent-standard", observing(4, 3, 35, 0.5), spaces.MultiDiscrete([2] * 4))
    corners = torch.tensor([[[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]]])
    links = crossing.graph.links(crossing.edges(corners, corners))[0].int()
    assert links.tolist() == [[1, 1, 1, 0], [1, 1, 0, 1], [1, 0, 1, 1], [0, 1, 1, 1]]
    table = {"kind": "multi-agent-standard", "published_graph": True}
    silent: Any = make_network(table, observing(4, 3, 35, 0.5), spaces.MultiDiscrete([2] * 4))
    assert torch.equal(silent.graph.links(silent.edges(corners, corners))[0], torch.eye(4, dtype=torch.bool))


def test_weights_of_messages_are_shared_out_by_who_sends() -> None:
    graph, others = CommunicationGraph(reach=1.5), ~torch.eye(3, dtype=torch.bool)
    places = torch.tensor([[[0.0, 0.0], [0.0, 1.0], [0.0, 2.0]]])
    edges = places[:, None] - places[:, :, None]
    degrees = graph.links(edges).sum(2)
    assert degrees.tolist() == [[2, 3, 2]]
    third, half = pytest.approx(1 / 3), 0.5
    assert graph.weights(edges, degrees, others)[0].tolist() == [[0, third, 0], [half, 0, half], [0, third, 0]]
    distances = CommunicationGraph(reach=0.1, norm_weighted=True)
    assert distances.weights(edges, degrees, others)[0].tolist() == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]


@pytest.mark.parametrize("kind", KINDS)
def test_what_one_agent_sees_changes_what_its_neighbours_do_and_no_others(kind: Any) -> None:
    network, now = wildlife(kind, messages=(6,)), seen()
    links = network.graph.links(network.edges(now["positions"], now["positions"]))[:, 1:, 0]
    other = {**now, "images": now["images"].clone()}
    other["images"][:, 0] += 1
    changed = (logits_of(network, other) != logits_of(network, now)).any(2)[:, 1:]
    assert links.any() and not links.all()
    assert torch.equal(changed, links)


@pytest.mark.parametrize("kind", [*KINDS, "centralised-cnn"])
def test_gradients_reach_every_weight(kind: Any) -> None:
    if kind == "centralised-cnn":
        network: Any = make_network(kind, observing(3, 1, 15, 4), DRONES).double()
    else:
        network = wildlife(kind, messages=(16, 16))
    value = network.value_head([8]).double()
    features = network.features(*network.remembered(seen(30)))
    (network.decide(features, ())[0].square().sum() + value(features).sum()).backward()
    parts = [*network.named_parameters(), *value.named_parameters()]
    assert [name for name, p in parts if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_deviations_are_those_of_one_agent_for_all() -> None:
    box = spaces.Box(-1, 1, (3, 2))
    turn = {"matrices": [[[0, -1], [1, 0]]]}
    for network in (
        MultiAgentHomomorphicNetwork(box, 3, action=turn, size=15),
        StandardMultiAgentNetwork(box, 3, size=15),
    ):
        deviations = network.log_std(0.5)
        with torch.no_grad():
            for parameter in deviations.parameters():
                parameter += torch.arange(parameter.numel())
        size = 1 if network.kind == "multi-agent-homomorphic" else 2
        assert deviations().tolist() == pytest.approx(([0.5, 1.5][:size] * (2 // size)) * 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"agents": 4}, r"4 like agents act in MultiDiscrete\(\[k\] \* 4\) or such a Box"),
        ({"agents": 0}, "agents must be a whole number of at least 1, received 0"),
        ({"action_order": [0, 0, 1]}, "must hold the agents 0 to 2 once each"),
        ({"pixel_max": 0.0}, "pixel_max must be a finite number above 0"),
        ({"size": 100_000}, "takes 30,000,000,000 numbers"),
        ({"group": "S3"}, "say what S3 does to a frame"),
        ({"action": {"maps": [[1, 0]]}}, "the symmetry does not fit the actions"),
        ({"size": 16}, "windows every 2 places"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        MultiAgentHomomorphicNetwork(DRONES, **{"agents": 3, "action": {"maps": [[0, 2, 3, 4, 1]]}, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("joint", [spaces.MultiDiscrete([5, 4, 5]), spaces.Box(np.float32([-1, -1, -2]), 1)], ids=str)
def test_agents_that_are_not_alike_are_refused(joint: spaces.Space[Any]) -> None:
    for kind in TEAMS:
        with pytest.raises(SymbenchError, match="3 like agents act in"):
            make_network(kind, observing(3, 1, 15, 4), joint)


def test_convolutions_that_do_not_fit_are_refused() -> None:
    for kind in (StandardMultiAgentNetwork, MultiAgentGraphNetwork):
        with pytest.raises(ValueError, match="a kernel of 7 does not fit a picture of 4x4"):
            kind(DRONES, 3, size=4)
