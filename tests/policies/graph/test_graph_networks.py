"""What graph networks take: masks, lists of edges, few nodes, coincident ones; and what they refuse."""

from __future__ import annotations

import copy
import pickle
import sys
from typing import Any

import pytest
import torch
from graph_cases import ALL, Scene, network, scene

from symbench.errors import SymbenchError
from symbench.policies.graph import EGNN, GNN, RadialField, SE3Transformer, SteerableGNN, TensorFieldNetwork, make_graph
from symbench.policies.graph.spherical_harmonics import coupling

KINDS = pytest.mark.parametrize("name", ALL)


def close(first: Any, second: Any) -> bool:
    parts = [(a, b) for a, b in zip(first, second, strict=True) if a is not None]
    return all(torch.allclose(a, b, rtol=1e-10, atol=1e-11) for a, b in parts)


def listed(before: Scene, pairs: torch.Tensor) -> Scene:
    """The same scene, its edges as a list."""
    attributes = before.edge_attributes[:, pairs[0], pairs[1]]
    return Scene(before.features, before.positions, before.velocities, attributes, {**before.more, "edges": pairs})


@KINDS
@pytest.mark.parametrize("complete", [True, False])
def test_a_list_of_edges_says_what_an_adjacency_says(name: str, complete: bool) -> None:
    net = network(ALL[name])
    dense = scene(net)
    adjacency = ~torch.eye(5, dtype=torch.bool)
    if not complete:
        adjacency &= torch.rand(5, 5, generator=torch.Generator().manual_seed(0)) < 0.5
        adjacency[2] = False  # this one receives nothing
        dense.more["edges"] = adjacency
    pairs = adjacency.nonzero().T
    pairs = pairs[:, torch.randperm(pairs.shape[1], generator=torch.Generator().manual_seed(0))]
    sparse = listed(dense, pairs)
    assert close(sparse.through(net), dense.through(net))
    mask = torch.tensor([[True] * 5, [True, False, True, True, True], [False] * 4 + [True]])
    dense.more["mask"] = sparse.more["mask"] = mask
    assert close(sparse.through(net), dense.through(net))


@KINDS
def test_nodes_that_are_absent_change_nothing(name: str) -> None:
    net = network(ALL[name])
    before = scene(net, n=6)
    mask = torch.tensor([True, False, True, True, True, False]).expand(3, 6)
    before.more["mask"] = mask
    first = before.through(net)
    before.positions[~mask] = torch.nan
    for part in (before.features, before.velocities):
        if part is not None:
            part[~mask] = torch.inf
    second = before.through(net)
    assert close(second, first)
    kept = [0, 2, 3, 4]
    parts = (None if part is None else part[:, kept] for part in (before.features, before.positions, before.velocities))
    features, positions, velocities = parts
    assert positions is not None
    few = Scene(features, positions, velocities, before.edge_attributes[:, kept][:, :, kept]).through(net)
    assert close(few, [None if part is None else part[:, kept] for part in second])
    assert not second.positions[~mask].any() and not second.features[~mask].any()


@KINDS
def test_batches_of_any_shape(name: str) -> None:
    net = network(ALL[name])
    many = scene(net, batch=(2, 3))
    whole = many.through(net)
    for i, j in [(0, 0), (1, 2)]:
        parts = (many.features, many.positions, many.velocities)
        features, positions, velocities = (None if part is None else part[i, j] for part in parts)
        assert positions is not None
        alone = Scene(features, positions, velocities, many.edge_attributes[i, j]).through(net)
        assert close(alone, [None if part is None else part[i, j] for part in whole])


@KINDS
@pytest.mark.parametrize("kind", ["one node", "no edges", "an empty list"])
def test_without_neighbours(name: str, kind: str) -> None:
    net = network(ALL[name])
    before = scene(net, n=1 if kind == "one node" else 3)
    if kind == "no edges":
        before.more["edges"] = torch.zeros(3, 3, dtype=torch.bool)
    if kind == "an empty list":
        before = listed(before, torch.zeros(2, 0, dtype=torch.int64))
    assert finite(net, before)


@KINDS
def test_coincident_points_and_nodes_at_rest(name: str) -> None:
    net = network(ALL[name])
    before = scene(net)
    before.positions[:, 1] = before.positions[:, 0]
    before.positions[1] = 0.0
    if before.velocities is not None:
        before.velocities[:, 2] = 0.0
        before.velocities[1] = 0.0
    assert finite(net, before)


def finite(net: torch.nn.Module, before: Scene) -> bool:
    """Whether all that comes out, and all gradients, are numbers."""
    before.positions.requires_grad_()
    if before.velocities is not None:
        before.velocities.requires_grad_()
    out = before.through(net)  # type: ignore[arg-type]
    parts = [part for part in out if part is not None]
    sum(part.square().sum() for part in parts).backward()  # type: ignore[union-attr]
    leaves = [*net.parameters(), before.positions, before.velocities]
    gradients = [leaf.grad for leaf in leaves if leaf is not None and leaf.grad is not None]
    return all(bool(tensor.isfinite().all()) for tensor in (*parts, *gradients))


X, ONE = torch.zeros(2, 3, 3), torch.zeros(2, 3, 1)
MISTAKES: list[tuple[Any, dict[str, Any], str]] = [
    (EGNN(1), {"positions": X}, r"EGNN needs velocities \(..., n, 3\), or to be made without them"),
    (EGNN(1), {"positions": X, "velocities": X[..., :2]}, r"velocities must be \(2, 3, 3\) as positions are"),
    (EGNN(2), {"positions": X, "velocities": X}, r"EGNN needs features \(2, 3, 2\), received \(2, 3, 1\)"),
    (EGNN(1), {"features": None, "positions": X, "velocities": X}, r"features \(2, 3, 1\), received none"),
    (EGNN(1, 1), {"positions": X, "velocities": X}, r"EGNN needs edge_attributes \('...', 3, 3, 1\), received none"),
    (GNN(1), {"positions": X[..., :2], "velocities": X[..., :2]}, r"GNN needs positions \(..., n, 3\)"),
    (SteerableGNN(1), {"positions": X[..., :2], "velocities": X[..., :2]}, r"SteerableGNN needs positions \(..., n, 3"),
    (RadialField(1), {"positions": X[:, :0], "features": ONE[:, :0]}, "at least one node"),
    (EGNN(1), {"positions": X, "velocities": X.double()}, "of one dtype"),
    (EGNN(1), {"positions": X, "velocities": X, "edges": torch.tensor([[0, 3], [1, 0]])}, "name nodes 0 to 2"),
    (EGNN(1), {"positions": X, "velocities": X, "edges": torch.tensor([[0, -1], [1, 0]])}, "received -1 to 1"),
    (EGNN(1), {"positions": X, "velocities": X, "edges": torch.zeros(3, 2).long()}, r"shape \(2, E\)"),
    (EGNN(1), {"positions": X, "velocities": X, "edges": torch.zeros(2, 2)}, "must be integers"),
    (EGNN(1), {"positions": X, "velocities": X, "edges": torch.ones(2, 2).bool()}, r"adjacency of 3 nodes"),
    (EGNN(1), {"positions": X, "velocities": X, "mask": torch.ones(2, 3)}, r"mask must be bools of shape \(2, 3\)"),
    (EGNN(1), {"positions": X, "velocities": X, "mask": torch.ones(2, 2).bool()}, "one for each node"),
]


@pytest.mark.parametrize(("net", "arguments", "message"), MISTAKES)
def test_mistakes_are_one_line(net: torch.nn.Module, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SymbenchError, match=message) as caught:
        net(**{"features": ONE, **arguments})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        (EGNN, {"velocity": "fast"}),
        (EGNN, {"coordinates": "median"}),
        (SteerableGNN, {"messages": "round"}),
        (SteerableGNN, {"centre": "moon"}),
        (SE3Transformer, {"final": "2x2"}),
        (SE3Transformer, {"relative": "subtract"}),
    ],
)
def test_unknown_options(kind: Any, option: dict[str, str]) -> None:
    with pytest.raises(SymbenchError, match="unknown"):
        kind(1, **option)


def test_steerable_networks_need_vectors() -> None:
    with pytest.raises(SymbenchError, match=r"need scalars and vectors, channels=\(32, 32\), received \(8,\)"):
        SteerableGNN(1, channels=(8,))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SE3Transformer(1, degrees=1), "SE3Transformer needs two degrees or more"),
        (lambda: TensorFieldNetwork(0, velocities=False), "features or velocities to read"),
        (lambda: SE3Transformer(1, channels=6, degrees=2), "channels must be a multiple of div"),
        (lambda: SE3Transformer(1, degrees=2)(ONE, X), "SE3Transformer needs velocities"),
    ],
)
def test_mistakes_of_networks_with_kernels(make: Any, message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: SteerableGNN(1, channels=(4, 4, 4)),
        lambda: SteerableGNN(1, channels=(4, 4), attribute=2),
        lambda: SE3Transformer(1, degrees=3),
        lambda: TensorFieldNetwork(1, degrees=3),
    ],
)
def test_higher_degrees_say_what_to_install(monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    monkeypatch.setitem(sys.modules, "e3nn.o3", None)
    coupling.cache_clear()
    with pytest.raises(SymbenchError, match=r"need e3nn: pip install 'symbench\[geometric\]'"):
        make()


def test_degrees_0_and_1_need_no_other_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "e3nn.o3", None)
    coupling.cache_clear()
    for net in (SteerableGNN(1), SE3Transformer(1, degrees=2), TensorFieldNetwork(1)):
        assert net(ONE, X, X).positions.isfinite().all()


def test_weights_of_neighbours_add_up_to_one() -> None:
    """Whatever scores are, and zero where there is nobody."""
    scores = torch.tensor([800.0, -800.0, 3.0]).expand(3, 3)[..., None] + torch.arange(3.0)[:, None, None]
    adjacency = torch.tensor([[False, True, True], [True, False, False], [False, False, False]])
    weights = make_graph(torch.zeros(3, 2), adjacency).softmax(scores)
    assert torch.equal(weights.sum(-2)[:, 0], torch.tensor([1.0, 1.0, 0.0]))
    pairs = adjacency.nonzero().T
    listed_weights = make_graph(torch.zeros(3, 2), pairs).softmax(scores[pairs[0], pairs[1]])
    assert torch.equal(listed_weights, weights[pairs[0], pairs[1]])


@pytest.mark.parametrize("listed_edges", [False, True])
def test_gradients_of_weights_of_neighbours(listed_edges: bool) -> None:
    adjacency = torch.tensor([[False, True, True], [True, False, False], [False, False, False]])
    pairs = adjacency.nonzero().T
    graph = make_graph(torch.zeros(3, 2, dtype=torch.float64), pairs if listed_edges else adjacency)
    scores = torch.randn(*graph.edge_shape, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(graph.softmax, scores.requires_grad_())


@KINDS
def test_networks_can_be_copied_and_pickled(name: str) -> None:
    net = network(ALL[name])
    before = scene(net)
    expected = before.through(net)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert close(before.through(other), expected)


def test_numbers_of_parameters() -> None:
    """Those of the published networks for the N-body system."""
    nets = (EGNN(1, 2), GNN(0, 1), RadialField(0, 2), SteerableGNN(1, 1))
    assert [sum(p.numel() for p in net.parameters()) for net in nets] == [134_020, 104_387, 2_052, 147_424]


def test_number_of_parameters_of_the_published_se3_transformer() -> None:
    pytest.importorskip("e3nn", reason="degrees above 1 need e3nn")
    assert sum(p.numel() for p in SE3Transformer(0, 1).parameters()) == 293_920
