"""Tours of every kind of decoding: feasible, the same alone and in a batch, and what their probabilities say."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch
from routing_cases import every_model, instances_of, model_of
from torch import Tensor

from symbench.errors import SymbenchError
from symbench.policies.routing import (
    RoutingModel,
    Tours,
    augmented,
    beam_search,
    greedy,
    log_likelihood,
    multi_start,
    sample,
    tour_lengths,
)
from symbench.policies.routing.decoding import all_starts


def decodings(model: RoutingModel, instances: dict[str, Tensor]) -> dict[str, Tours]:
    starts = all_starts(model, instances, 3) if model.needs_start else None
    found = {
        "greedy": greedy(model, instances, starts),
        "sample": sample(model, instances, 4, torch.Generator().manual_seed(0), starts),
        "multi-start": multi_start(model, instances),
        "x8": augmented(model, instances),
        "x8 of all starts": augmented(model, instances, None),
    }
    return found if model.needs_start else {**found, "beam": beam_search(model, instances, 3)}


def assert_feasible(instances: dict[str, Tensor], tours: Tensor) -> None:
    nodes = instances["cities"].shape[1]
    if "demands" not in instances:
        assert (tours.sort(dim=-1).values == torch.arange(nodes)).all()
        return
    for place, of_instance in enumerate(tours):
        for tour in of_instance:
            assert sorted(tour[tour > 0].tolist()) == list(range(1, nodes))
            load = torch.tensor(0.0)
            for node in tour:
                load = torch.where(node == 0, 0.0, load + instances["demands"][place, node])
                assert load <= 1


@every_model
def test_tours_are_feasible_and_as_long_as_they_say(name: str) -> None:
    model = model_of(name)
    instances = instances_of(model)
    for found in decodings(model, instances).values():
        assert_feasible(instances, found.nodes)
        torch.testing.assert_close(found.lengths, tour_lengths(instances, found.nodes))
        assert found.lengths.dtype == torch.float64
        best = found.best()
        assert (best.lengths[:, 0] == found.lengths.min(dim=1).values).all()
        torch.testing.assert_close(best.lengths, tour_lengths(instances, best.nodes))


@every_model
def test_an_instance_is_solved_alone_as_in_a_batch(name: str) -> None:
    model = model_of(name)
    instances = instances_of(model)
    whole = {kind: found for kind, found in decodings(model, instances).items() if kind != "sample"}
    for place in range(len(instances["cities"])):
        alone = decodings(model, {key: part[place : place + 1] for key, part in instances.items()})
        for kind, found in whole.items():
            length = alone[kind].nodes.shape[2]
            assert (found.nodes[place, :, :length] == alone[kind].nodes[0]).all()
            assert not found.nodes[place, :, length:].any()
            torch.testing.assert_close(found.log_likelihood[place], alone[kind].log_likelihood[0])


@every_model
def test_parts_of_a_batch_are_the_batch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(name)
    instances = instances_of(model, batch=7)
    whole = multi_start(model, instances)
    monkeypatch.setattr("symbench.policies.routing.routing_model._NODES_AT_ONCE", 15)
    parts = multi_start(model, instances)
    assert (parts.nodes == whole.nodes).all()
    torch.testing.assert_close(parts.log_likelihood, whole.log_likelihood)


@every_model
def test_likelihood_of_given_tours_is_that_of_their_choices(name: str) -> None:
    model = model_of(name)
    instances = instances_of(model)
    starts = all_starts(model, instances)
    found = sample(model, instances, 2, torch.Generator().manual_seed(0), starts)
    again = log_likelihood(model, instances, model.prepare(instances), found.nodes, given=1)
    torch.testing.assert_close(again, found.log_likelihood)


@every_model
def test_relabelled_nodes_make_the_same_tours(name: str) -> None:
    model = model_of(name)
    instances = instances_of(model)
    depot = int(model.problem == "cvrp")
    order = torch.randperm(instances["cities"].shape[1] - depot, generator=torch.Generator().manual_seed(3)) + depot
    order = torch.cat([torch.zeros(depot, dtype=torch.int64), order])
    relabelled = {key: part[:, order] for key, part in instances.items()}
    starts = all_starts(model, instances)
    new = greedy(model, relabelled, starts)
    old = greedy(model, instances, order[starts])
    width = min(new.nodes.shape[2], old.nodes.shape[2])
    assert (order[new.nodes[..., :width]] == old.nodes[..., :width]).all()


def test_a_turned_instance_has_other_tours() -> None:
    model = model_of("attention-model")
    instances = instances_of(model, batch=50)
    turned = {"cities": instances["cities"].flip(-1)}
    assert (greedy(model, turned).nodes != greedy(model, instances).nodes).any()


def test_the_widest_beam_finds_the_likeliest_tour() -> None:
    model = model_of("attention-model")
    instances = instances_of(model, nodes=5)
    every = torch.tensor(list(permutations(range(5))))
    tours = every.expand(len(instances["cities"]), -1, -1)
    likelihood = log_likelihood(model, instances, model.prepare(instances), tours)
    torch.testing.assert_close(likelihood.exp().sum(dim=1), torch.ones(len(likelihood), dtype=torch.float64))
    found = beam_search(model, instances, len(every))
    torch.testing.assert_close(found.log_likelihood, likelihood.sort(dim=1, descending=True).values)
    assert (found.nodes[:, 0] == every[likelihood.argmax(dim=1)]).all()


def test_a_beam_of_one_is_greedy() -> None:
    for name in ("attention-model", "cvrp"):
        model = model_of(name)
        instances = instances_of(model)
        assert (beam_search(model, instances, 1).nodes == greedy(model, instances).nodes).all()


def test_samples_follow_their_probabilities_and_their_seed() -> None:
    model = model_of("attention-model")
    instances = instances_of(model, batch=1, nodes=4)
    first = sample(model, instances, 20_000, torch.Generator().manual_seed(0))
    assert (first.nodes == sample(model, instances, 20_000, torch.Generator().manual_seed(0)).nodes).all()
    other = sample(model, instances, 20_000, torch.Generator().manual_seed(1))
    assert (first.nodes != other.nodes).any()
    for tour in permutations(range(4)):
        nodes = torch.tensor(tour)
        expected = float(log_likelihood(model, instances, model.prepare(instances), nodes[None, None]).detach().exp())
        share = float((first.nodes[0] == nodes).all(dim=-1).double().mean())
        assert abs(share - expected) < 5 * (expected * (1 - expected) / 20_000) ** 0.5 + 1e-9


def test_the_global_generator_is_not_touched() -> None:
    model = model_of("attention-model")
    before = torch.random.get_rng_state()
    sample(model, instances_of(model), 3, torch.Generator().manual_seed(0))
    assert (torch.random.get_rng_state() == before).all()


def test_a_model_without_placeholder_needs_starts() -> None:
    model = model_of("pomo")
    with pytest.raises(SymbenchError, match="give starts"):
        greedy(model, instances_of(model))
