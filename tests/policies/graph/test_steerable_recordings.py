"""Steerable networks compute what the authors' programs compute."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from graph_recordings import Recording, assert_same, length, outputs_of, pairs
from torch import Tensor

from symbench.policies.graph import SteerableGNN
from symbench.policies.graph.steerable import SteerableConvolution
from symbench.policies.graph.tensor_products import GatedProduct, Steerable, TensorProduct

pytestmark = pytest.mark.reference

Read = Callable[[str], Recording]
FILES = {"segnn_nbody_l1": "nonlinear", "seconv_linear_l1": "linear", "segnn_nbody_l2": "nonlinear"}


def blocks(word: str) -> list[tuple[int, int]]:
    """Channels and degrees of "8x0e+8x1o"."""
    found = [re.fullmatch(r"(\d+)x(\d+)[eo]", part) for part in word.split("+")]
    return [(int(each[1]), int(each[2])) for each in found if each]


def load_product(file: Recording, name: str, product: TensorProduct) -> None:
    """Their weights of paths between blocks, as rows of ours."""
    inputs, attributes, outputs = (blocks(word) for word in file.words(f"irreps/{name}"))
    for o, (channels, degree) in enumerate(outputs):
        rows = []
        for first, second in product.paths[degree]:
            (a,) = (k for k, (_, each) in enumerate(attributes) if each == second)
            rows += [file[f"w/{name}.path_{i}_{a}_{o}"] for i, (_, each) in enumerate(inputs) if each == first]
        weight = torch.cat(rows)[:, 0]
        assert weight.shape == product.weights[degree].shape == (len(weight), channels)
        product.weights[degree].data = weight
    if f"w/{name}.bias" in file.arrays:
        product.bias.data = file[f"w/{name}.bias"]


def load(file: Recording, net: SteerableGNN) -> None:
    products: dict[str, torch.nn.Module] = {"embedding": net.embedding}
    products |= {"readout.tp0": net.readout0, "readout.tp1": net.readout1}
    for i, layer in enumerate(net.layers):
        if isinstance(layer, SteerableConvolution):
            products[f"layer{i}.message.tp0"] = layer.message
            continue
        for part in ("message", "update"):
            products |= {f"layer{i}.{part}.tp{k}": getattr(layer, f"{part}{k}") for k in (0, 1)}
    for name, product in products.items():
        load_product(file, name, product.product if isinstance(product, GatedProduct) else product)


def network_of(file: Recording, messages: str, centre: str = "centroid") -> SteerableGNN:
    _, attribute, hidden = file.words("irreps/embedding")
    channels = [count for count, _ in blocks(hidden)]
    layers, degree = file.count(r"w/layer(\d+)\."), blocks(attribute)[-1][1]
    net = SteerableGNN(1, 1, channels, layers, attribute=degree, messages=messages, centre=centre).double()
    load(file, net)
    return net


def flat(features: Steerable) -> Tensor:
    """In the authors' order: all numbers of a vector together."""
    return torch.cat([each.transpose(-1, -2).flatten(-2) for each in features], dim=-1)


@pytest.mark.parametrize("name", FILES)
def test_steerable_networks(recording: Read, name: str) -> None:
    file = recording(name)
    if name == "segnn_nbody_l2":
        pytest.importorskip("e3nn", reason="degrees above 1 need e3nn")
    net, x, v = network_of(file, FILES[name]), file["in/x"], file["in/v"]
    seen = outputs_of([net.embedding, *net.layers, net.readout1])
    attributes: list[list[Tensor]] = []
    net.embedding.register_forward_pre_hook(lambda _, inputs: attributes.append(inputs[1]))
    out = net(length(v), x, v, edge_attributes=pairs(file["in/q"]))
    assert_same(torch.cat(attributes[0], dim=-1), file["y/node_attr"])
    assert_same(flat(seen[0]), file["y/embedding"])
    for i, h in enumerate(seen[1:-1]):
        assert_same(flat(h), file[f"y/layer{i}.h"])
    assert_same(seen[-1][1][..., 0], file["y/displacement"])
    assert_same(out.positions, file["y/x_out"])


@pytest.mark.parametrize("name", FILES)
def test_the_published_centre_is_reproduced_too(recording: Read, name: str) -> None:
    """It is not equivariant: the mean over a node's own coordinates."""
    file = recording(name)
    if name == "segnn_nbody_l2":
        pytest.importorskip("e3nn", reason="degrees above 1 need e3nn")
    net, v = network_of(file, FILES[name], centre="axes"), file["in/v"]
    out = net(length(v), file["in/x"], v, edge_attributes=pairs(file["in/q"]))
    assert_same(out.positions, file["y/x_out_published_centring"])


def test_attributes_of_edges(recording: Read) -> None:
    from symbench.policies.graph.spherical_harmonics import spherical_harmonics, unit_vectors

    file = recording("segnn_nbody_l2")
    x = file["in/x"]
    offsets = x[:, None] - x[:, :, None]
    found = torch.cat(spherical_harmonics(unit_vectors(offsets), 2), dim=-1)
    others = ~torch.eye(x.shape[1], dtype=torch.bool)
    assert_same(found[:, others], file["y/edge_attr"][:, others])
