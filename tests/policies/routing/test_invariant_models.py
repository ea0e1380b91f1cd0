"""Models that are exactly invariant under rotations, mirrors, shifts and scales; the plain one, which is not."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor

from symbench.errors import SymbenchError
from symbench.policies import NETWORKS
from symbench.policies.routing import (
    AttentionModel,
    DistanceModel,
    EGNNModel,
    FramedModel,
    PomoModel,
    RoutingModel,
    canonicalised,
    frame_averaged,
    greedy,
    log_likelihood,
    multi_start,
    sample,
    tour_lengths,
    tours_in_frames,
)

EXACT: dict[str, Callable[[str], RoutingModel]] = {
    "distances": lambda problem: DistanceModel(problem, 32, 4, 2, 64),
    "distances-instance-norm": lambda problem: DistanceModel(problem, 32, 4, 2, 64, "instance"),
    "egnn": lambda problem: EGNNModel(problem, 32, 4, 2, 16),
    "canonical": lambda problem: canonicalised(AttentionModel(problem, 32, 4, 2, 64)),
    "frame-averaged": lambda problem: frame_averaged(AttentionModel(problem, 32, 4, 2, 64)),
    "frame-averaged-embeddings": lambda problem: frame_averaged(AttentionModel(problem, 32, 4, 2, 64), "embeddings"),
}
PROBLEMS = ("tsp", "cvrp")


def fresh(make: Callable[[], RoutingModel], seed: int = 0) -> RoutingModel:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make().double().eval()


def exact(name: str, problem: str) -> RoutingModel:
    return fresh(lambda: EXACT[name](problem))


def uniform(problem: str, batch: int = 24, nodes: int = 15, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    instances = {"cities": torch.rand(batch, nodes, 2, generator=generator, dtype=torch.float64)}
    if problem == "cvrp":
        instances["demands"] = torch.randint(1, 10, (batch, nodes), generator=generator).double() / 30
        instances["demands"][:, 0] = 0
    return instances


def moved(instances: dict[str, Tensor], angle: float, mirror: bool, shift: float, scale: float) -> dict[str, Tensor]:
    turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]], dtype=torch.float64)
    flip = torch.tensor([-1.0 if mirror else 1.0, 1.0], dtype=torch.float64)
    cities = scale * (instances["cities"] * flip) @ turn + torch.tensor([shift, -0.3 * shift], dtype=torch.float64)
    return {**instances, "cities": cities}


MOVES = {
    "turned": (math.pi / 4, False, 0.0, 1.0),
    "turned by a right angle": (math.pi / 2, False, 0.0, 1.0),
    "mirrored": (0.0, True, 0.0, 1.0),
    "shifted": (0.0, False, 0.5, 1.0),
    "made smaller": (0.0, False, 0.0, 0.01),
    "made larger": (0.0, False, 0.0, 1000.0),
    "all together": (2.3, True, 30.0, 7.0),
    "all together, far": (5.1, False, -200.0, 0.4),
}


def relabelled(instances: dict[str, Tensor]) -> tuple[dict[str, Tensor], Tensor]:
    """The depot keeps its place; row i is what was row order[i]."""
    generator = torch.Generator().manual_seed(5)
    nodes, first = instances["cities"].shape[1], int("demands" in instances)
    order = torch.cat([torch.arange(first), first + torch.randperm(nodes - first, generator=generator)])
    return {key: part[:, order] for key, part in instances.items()}, order


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", EXACT)
def test_tours_are_the_same_however_an_instance_is_moved(name: str, problem: str, move: str) -> None:
    model, instances = exact(name, problem), uniform(problem)
    before, after = greedy(model, instances), greedy(model, moved(instances, *MOVES[move]))
    assert torch.equal(before.nodes, after.nodes)
    torch.testing.assert_close(after.lengths, before.lengths * MOVES[move][3], rtol=1e-9, atol=0)
    torch.testing.assert_close(after.log_likelihood, before.log_likelihood, rtol=1e-9, atol=0)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", EXACT)
def test_every_tour_is_as_likely_under_sampled_moves(name: str, problem: str) -> None:
    model, instances = exact(name, problem), uniform(problem)
    generator = torch.Generator().manual_seed(3)
    tours = sample(model, instances, 3, generator).nodes
    with torch.no_grad():
        before = log_likelihood(model, instances, model.prepare(instances), tours)
        for _ in range(20):
            angle, mirror, shift, scale = torch.rand(4, generator=generator).tolist()
            other = moved(instances, 2 * math.pi * angle, mirror < 0.5, 20 * shift - 10, 100 ** (2 * scale - 1))
            after = log_likelihood(model, other, model.prepare(other), tours)
            torch.testing.assert_close(after, before, rtol=1e-9, atol=0)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", EXACT)
def test_relabelling_relabels_tours(name: str, problem: str) -> None:
    model, instances = exact(name, problem), uniform(problem)
    other, order = relabelled(instances)
    assert torch.equal(order[greedy(model, other).nodes], greedy(model, instances).nodes)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("move", [name for name in MOVES if "right angle" not in name])
def test_the_plain_model_is_not_invariant(move: str, problem: str) -> None:
    model, instances = fresh(lambda: AttentionModel(problem, 32, 4, 2, 64)), uniform(problem)
    assert not torch.equal(greedy(model, instances).nodes, greedy(model, moved(instances, *MOVES[move])).nodes)


@pytest.mark.parametrize("name", EXACT)
def test_a_batch_is_encoded_as_each_instance_alone(name: str) -> None:
    model, instances = exact(name, "cvrp"), uniform("cvrp", batch=4)
    with torch.no_grad():
        together = model.encoder(instances)
        for i in range(4):
            alone = model.encoder({key: part[i : i + 1] for key, part in instances.items()})
            for one, other in zip(together, alone, strict=True):
                torch.testing.assert_close(one[i : i + 1], other, rtol=0, atol=1e-12)


def line(*places: float) -> list[list[float]]:
    return [[0.2 + 0.6 * place, 0.7 - 0.3 * place] for place in places]


DEGENERATE = {
    "one city": [[0.3, 0.7]],
    "two cities": [[0.3, 0.7], [0.1, 0.2]],
    "two cities in one place": [[0.3, 0.7]] * 2,
    "all in one place": [[0.3, 0.7]] * 6,
    "in two places": [[0.3, 0.7]] * 3 + [[0.1, 0.1]] * 2,
    "some in one place": [[0.3, 0.7]] * 3 + [[0.1, 0.1], [0.9, 0.2], [0.5, 0.6]],
    "on a line": line(0.0, 0.1, 0.25, 0.5, 0.9),
    "evenly on a line": line(0.0, 0.25, 0.5, 0.75, 1.0),
    "three in one corner": [*line(0.0, 0.25, 0.5), [0.9, 0.9]],
}
SQUARE = [[0.2, 0.2], [0.6, 0.2], [0.6, 0.6], [0.2, 0.6]]


# Cities that mirror each other have the same mean of embeddings: rounding decides between them.
TIED = ("frame-averaged-embeddings", "evenly on a line")


@pytest.mark.parametrize(("name", "case"), [each for each in product(EXACT, DEGENERATE) if each != TIED])
def test_degenerate_instances_have_tours_of_the_same_length(name: str, case: str) -> None:
    model, instances = exact(name, "tsp"), {"cities": torch.tensor([DEGENERATE[case]], dtype=torch.float64)}
    before = greedy(model, instances).lengths
    for move in MOVES.values():
        found = greedy(model, moved(instances, *move)).lengths / move[3]
        torch.testing.assert_close(found, before, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["distances", "egnn"])
def test_the_corners_of_a_square_have_tours_of_the_same_length_by_distances(name: str) -> None:
    model, instances = exact(name, "tsp"), {"cities": torch.tensor([SQUARE], dtype=torch.float64)}
    before = greedy(model, instances).lengths
    for move in MOVES.values():
        torch.testing.assert_close(greedy(model, moved(instances, *move)).lengths / move[3], before)


@pytest.mark.parametrize("name", ["canonical", "frame-averaged"])
def test_the_corners_of_a_square_have_no_axes_of_their_own(name: str) -> None:
    """As documented: frames are those of the plane there, and another angle is seen as another instance."""
    model, instances = exact(name, "tsp"), {"cities": torch.tensor([SQUARE], dtype=torch.float64)}
    with torch.no_grad():
        before, after = (model.encoder(each)[1] for each in (instances, moved(instances, *MOVES["turned"])))
    assert (before - after).abs().max() > 1e-3


@pytest.mark.parametrize("case", [*DEGENERATE, "square"])
@pytest.mark.parametrize("name", EXACT)
def test_gradients_are_finite(name: str, case: str) -> None:
    model, cities = exact(name, "tsp").train(), torch.tensor([DEGENERATE.get(case, SQUARE)] * 3, dtype=torch.float64)
    cities = cities.requires_grad_()
    instances, tours = {"cities": cities}, torch.arange(cities.shape[1]).expand(3, 1, -1)
    log_likelihood(model, instances, model.prepare(instances), tours).sum().backward()
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    assert len(gradients) > 10
    assert all(bool(gradient.isfinite().all()) for gradient in [*gradients, cities.grad] if gradient is not None)


def test_wrappers_share_weights_and_know_the_unit_square() -> None:
    plain = fresh(lambda: AttentionModel("tsp", 32, 4, 2, 64))
    seen: list[Tensor] = []
    plain.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]["cities"]))
    for wrapped, frames in ((canonicalised(plain), 1), (frame_averaged(plain), 4)):
        assert {id(weight) for weight in wrapped.parameters()} == {id(weight) for weight in plain.parameters()}
        assert not wrapped.training
        wrapped.encoder(uniform("tsp", batch=500))
        assert len(seen[-1]) == 500 * frames
        torch.testing.assert_close(seen[-1].mean(dim=1), torch.full_like(seen[-1][:, 0], 0.5))
        variances = seen[-1].var(dim=1)
        assert abs(float(variances.mean()) - 1 / 12) < 1e-9  # of a coordinate that is uniform between 0 and 1
        assert bool((variances.max(dim=1).values > 1.01 * variances.min(dim=1).values).float().mean() > 0.9)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_best_of_four_frames_is_invariant_and_no_longer_than_the_canonical_one(problem: str) -> None:
    plain, instances = fresh(lambda: AttentionModel(problem, 32, 4, 2, 64)), uniform(problem)
    found = tours_in_frames(plain, instances)
    assert found.nodes.shape[:2] == (24, 4)
    assert torch.equal(found.lengths, tour_lengths(instances, found.nodes))
    assert bool((found.best().lengths <= greedy(canonicalised(plain), instances).lengths + 1e-12).all())
    for move in MOVES.values():
        other = tours_in_frames(plain, moved(instances, *move)).best().lengths
        torch.testing.assert_close(other, found.best().lengths * move[3], rtol=1e-9, atol=0)


def test_frames_go_around_any_model() -> None:
    instances = uniform("tsp", batch=4)
    pomo = fresh(lambda: canonicalised(PomoModel("tsp", 32, 4, 2, 64)))
    assert torch.equal(multi_start(pomo, instances).nodes, multi_start(pomo, moved(instances, *MOVES["turned"])).nodes)


@pytest.mark.parametrize("name", EXACT)
def test_a_model_is_made_again_of_its_configuration(name: str) -> None:
    model, instances = exact(name, "cvrp"), uniform("cvrp", batch=4)
    made = NETWORKS[model.kind](**json.loads(json.dumps(model.config()))).double().eval()
    made.load_state_dict(model.state_dict())
    assert isinstance(made, RoutingModel)
    assert torch.equal(greedy(made, instances).nodes, greedy(model, instances).nodes)


@pytest.mark.parametrize("make", [DistanceModel, EGNNModel])
def test_what_is_no_model_is_refused(make: Callable[..., RoutingModel]) -> None:
    with pytest.raises(SymbenchError, match="unknown norm"):
        make(norm="group")
    with pytest.raises(SymbenchError, match="unknown routing problem"):
        make("vrp")
    with pytest.raises(SymbenchError, match="multiple of heads"):
        make(width=30)


def test_what_frames_do_not_know_is_refused() -> None:
    with pytest.raises(SymbenchError, match="frames are 'principal' or 'canonical'"):
        FramedModel(frames="crooked")
    with pytest.raises(SymbenchError, match="unknown mean over frames"):
        FramedModel(mean="tours")
    with pytest.raises(SymbenchError, match="unknown plain model"):
        canonicalised(DistanceModel())
    with pytest.raises(SymbenchError, match="does not describe"):
        FramedModel(network={"kind": "pomo", "wide": 3})
