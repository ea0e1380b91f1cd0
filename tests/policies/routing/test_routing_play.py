"""Models as agents: step by step they play their greedy tour; they encode an instance once; they are saved, loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from routing_cases import every_model, instances_of, model_of
from torch import Tensor

from symbench.errors import SymbenchError
from symbench.policies import NetworkAgent, make_network
from symbench.policies.routing import AttentionModel, RoutingModel, greedy
from symbench.policies.routing.decoding import all_starts
from symbench.zoo import load_agent, save_agent


def space_of(problem: str, nodes: int) -> spaces.Dict:
    box = spaces.Box(-np.inf, np.inf, (nodes, 2), np.float32)
    parts: dict[str, Any] = {
        "cities": box,
        "visited": spaces.MultiBinary(nodes),
        "action_mask": spaces.MultiBinary(nodes),
    }
    if problem == "tsp":
        return spaces.Dict({**parts, "first": spaces.Discrete(nodes + 1), "current": spaces.Discrete(nodes + 1)})
    left = {"demands": spaces.Box(0, 1, (nodes,), np.float32), "capacity": spaces.Box(0, 1, (1,), np.float32)}
    return spaces.Dict({**parts, **left, "current": spaces.Discrete(nodes)})


def observation(model: RoutingModel, instances: dict[str, Tensor], state: Any) -> dict[str, np.ndarray]:
    """What the environment shows of a batch of states."""
    shown = {key: part.numpy() for key, part in instances.items()}
    mask = state.allowed[:, 0].numpy().astype(np.int8)
    shown |= {"action_mask": mask, "visited": 1 - mask, "current": state.context[:, 0, -1].numpy()}
    if model.problem == "cvrp":
        return {**shown, "capacity": state.told[:, 0].numpy()}
    return {**shown, "first": state.context[:, 0, 0].numpy()}


@every_model
def test_an_agent_plays_the_greedy_tour_and_encodes_once(name: str) -> None:
    model = model_of(name)
    instances, calls = instances_of(model), []
    starts = all_starts(model, instances, 1) if model.needs_start else None
    expected = greedy(model, instances, starts).nodes[:, 0].T
    model.encoder.register_forward_hook(lambda *_: calls.append(1))
    agent, state = NetworkAgent(model, name, torch.float64), model.begin(instances, 1)
    agent.reset(len(instances["cities"]))
    for nodes in expected:
        played = agent.act(observation(model, instances, state))
        assert (played == nodes.numpy()).all()
        state.move(nodes[:, None])
    assert len(calls) == 1


def test_an_environment_that_begins_again_is_encoded_again() -> None:
    model = model_of("attention-model")
    first, second = instances_of(model, seed=0), instances_of(model, seed=1)
    agent = NetworkAgent(model, "model", torch.float64)
    agent.reset(len(first["cities"]))
    agent.act(observation(model, first, model.begin(first, 1)))
    mask = np.array([True, False, True, False, False])
    agent.restart(mask)
    mixed = {"cities": torch.where(torch.from_numpy(mask)[:, None, None], second["cities"], first["cities"])}
    played = agent.act(observation(model, mixed, model.begin(mixed, 1)))
    assert (played == greedy(model, mixed).nodes[:, 0, 0].numpy()).all()


def test_a_model_plays_any_number_of_nodes_of_its_problem() -> None:
    agent = NetworkAgent(AttentionModel(width=16, heads=2, layers=1, hidden=16), "model")
    for nodes in (2, 20, 50):
        assert agent.incompatibility(space_of("tsp", nodes), spaces.Discrete(nodes)) is None
    assert "reads instances of tsp" in str(agent.incompatibility(space_of("cvrp", 9), spaces.Discrete(9)))
    assert "reads instances of tsp" in str(agent.incompatibility(spaces.Box(0, 1, (4,)), spaces.Discrete(4)))
    assert "one of the nodes" in str(agent.incompatibility(space_of("tsp", 9), spaces.Box(0, 1, (9,))))


@pytest.mark.parametrize("problem", ["tsp", "cvrp"])
@pytest.mark.parametrize("kind", ["attention-model", "pomo"])
def test_a_network_for_a_task_is_saved_and_loaded(kind: str, problem: str, tmp_path: Path) -> None:
    table = {"kind": kind, "width": 16, "heads": 2, "layers": 1, "hidden": 16}
    network = make_network(table, space_of(problem, 6), spaces.Discrete(6)).double().eval()
    assert isinstance(network, RoutingModel) and network.problem == problem
    save_agent(network, tmp_path / "agent", {"agent": "mine"})
    loaded = load_agent(tmp_path / "agent").network.double()
    assert isinstance(loaded, RoutingModel) and loaded.config() == network.config()
    instances = instances_of(network)
    starts = all_starts(network, instances)
    assert (greedy(loaded, instances, starts).nodes == greedy(network, instances, starts).nodes).all()


def test_mistakes_are_one_line() -> None:
    for arguments, message in (
        ({"problem": "tps"}, "did you mean 'tsp'"),
        ({"norm": "group"}, "norm"),
        ({"width": 10, "heads": 4}, "multiple of heads"),
    ):
        with pytest.raises(SymbenchError, match=message):
            AttentionModel(**arguments)
    with pytest.raises(SymbenchError, match="reads instances of tsp or cvrp"):
        make_network("pomo", spaces.Box(0, 1, (4,)), spaces.Discrete(4))
