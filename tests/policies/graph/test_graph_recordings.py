"""Networks without steerable features compute what the authors' programs compute."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from graph_recordings import Recording, assert_same, length, outputs_of, pairs, squares
from torch import Tensor

from symbench.policies.graph import EGNN, GNN, RadialField
from symbench.policies.graph.egnn import EGNNLayer
from symbench.policies.graph.graphs import make_graph

pytestmark = pytest.mark.reference

Read = Callable[[str], Recording]
WITH_VELOCITIES = {
    "egnn_vel_nbody": {},
    "egnn_vel_norm_tanh": {"normalize": True, "tanh": True},
    "egnn_vel_nonresidual": {"residual": False},
}
CLEAN = {
    "egnn_clean_mean": {"coordinates": "mean"},
    "egnn_clean_sum": {"coordinates": "sum"},
    "egnn_clean_att_norm_tanh": {"coordinates": "mean", "attention": True, "normalize": True, "tanh": True},
    "egnn_clean_nonresidual_norm_sum": {"coordinates": "sum", "residual": False, "normalize": True},
}


def of_egnn(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our names: the attention of an E(n)-equivariant network is one layer, no perceptron."""
    renamed = {"att.linear0": "att", "embedding_in": "embedding"}
    return {re.sub("|".join(renamed), lambda found: renamed[found[0]], key): value for key, value in weights.items()}


@pytest.mark.parametrize("name", WITH_VELOCITIES)
def test_egnn_with_velocities(recording: Read, name: str) -> None:
    file = recording(name)
    q, x, v = file["in/q"], file["in/x"], file["in/v"]
    hidden, width = file["w/embedding.weight"].shape
    options: dict[str, Any] = {"velocity": "initial", "coordinates": "mean", **WITH_VELOCITIES[name]}
    net = EGNN(width, 2, hidden, file.count(r"w/layer(\d+)\."), **options).double()
    net.load_state_dict(file.weights)
    seen = outputs_of(net.layers)
    out = net(length(v), x, v, edge_attributes=torch.cat([pairs(q), squares(x)], dim=-1))
    for i, (h, moved, _) in enumerate(seen):
        assert_same(h, file[f"y/layer{i}.h"])
        assert_same(moved, file[f"y/layer{i}.x"])
    assert_same(out.positions, file["y/x_out"])


def test_a_layer_on_a_list_of_edges(recording: Read) -> None:
    file = recording("egnn_vel_layer_attention_sparse")
    h, x, v, edges = file["in/h"], file["in/x"], file["in/v"], file["in/edge_attr"]
    hidden = len(file["w/layer0.phi_e.linear0.weight"])
    layer = EGNNLayer(
        h.shape[-1], edges.shape[-1], hidden, velocity="initial", coordinates="mean", attention=True
    ).double()
    layer.load_state_dict(of_egnn(file.below("w/layer0.")))
    graph = make_graph(x, torch.stack([file.integers("in/edge_i"), file.integers("in/edge_j")]))
    found, moved, _ = layer(graph, h, x, v, edges)
    assert_same(found, file["y/h"])
    assert_same(moved, file["y/x"])


@pytest.mark.parametrize("name", CLEAN)
def test_egnn_without_velocities(recording: Read, name: str) -> None:
    file = recording(name)
    h, x, edges = file["in/h"], file["in/x"], file["in/edge_attr_dense"]
    hidden, width = file["w/embedding_in.weight"].shape
    layers, out_features = file.count(r"w/layer(\d+)\."), len(file["w/embedding_out.bias"])
    net = EGNN(width, edges.shape[-1], hidden, layers, out_features, velocity="none", **CLEAN[name]).double()
    net.load_state_dict(of_egnn(file.weights))
    seen = outputs_of(net.layers)
    out = net(h, x, edge_attributes=edges)
    for i, (features, moved, _) in enumerate(seen):
        assert_same(features, file[f"y/layer{i}.h"])
        assert_same(moved, file[f"y/layer{i}.x"])
    assert_same(out.features, file["y/h_out"])
    assert_same(out.positions, file["y/x_out"])


@pytest.mark.parametrize(
    ("name", "options"), [("gnn_nbody", {}), ("gnn_attention_nonresidual", {"attention": True, "residual": False})]
)
def test_the_plain_network(recording: Read, name: str, options: dict[str, bool]) -> None:
    file = recording(name)
    hidden, dim = len(file["w/embedding.weight"]), file["in/x"].shape[-1]
    net = GNN(0, 1, hidden, file.count(r"w/layer(\d+)\."), dim=dim, **options).double()
    net.load_state_dict(file.weights)
    seen = outputs_of(net.layers)
    out = net(None, file["in/x"], file["in/v"], edge_attributes=pairs(file["in/q"]))
    for i, h in enumerate(seen):
        assert_same(h, file[f"y/layer{i}.h"])
    assert_same(out.positions, file["y/x_out"])


def test_the_radial_field(recording: Read) -> None:
    file = recording("radial_field_vel_nbody")
    q, x, v = file["in/q"], file["in/x"], file["in/v"]
    hidden = len(file["w/layer0.phi_v.linear0.weight"])
    net = RadialField(0, 2, hidden, file.count(r"w/layer(\d+)\.")).double()
    net.load_state_dict(file.weights)
    seen = outputs_of(net.layers)
    out = net(None, x, v, edge_attributes=torch.cat([pairs(q), squares(x)], dim=-1))
    for i, moved in enumerate(seen):
        assert_same(moved, file[f"y/layer{i}.x"])
    assert_same(out.positions, file["y/x_out"])
