"""SE(3)-Transformers and tensor field networks compute what the authors' programs compute."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from graph_recordings import Recording, assert_same, outputs_of, pairs
from torch import Tensor

from symbench.policies.graph import Graph, SE3Transformer, TensorFieldNetwork
from symbench.policies.graph.se3_transformer import AttentionBlock
from symbench.policies.graph.spherical_harmonics import coupling
from symbench.policies.graph.steerable_kernels import KernelBasis, NormBias, SteerableKernel, orders

pytestmark = pytest.mark.reference

Read = Callable[[str], Recording]
ATTENTION = {
    "se3t_nbody_deg3": {"final": "att", "relative": "add", "div": 2, "heads": 2},
    "se3t_nbody_deg2": {"final": "1x1", "relative": "cat", "div": 1, "heads": 2},
}
SINGLE = 1e-6  # what the authors compute in float32


def load_kernel(file: Recording, name: str, kernel: SteerableKernel) -> None:
    """Their networks of pairs, stacked; the last layer's rows from (c_out, c_in, J) to (J, c_in, c_out)."""
    radial = [file.below(f"w/{name}.in{k}_out{degree}.radial.") for degree, k in kernel.pairs]
    present = {key.split(".radial")[0] for key in file.below(f"w/{name}.")}
    assert present == {f"in{k}_out{degree}" for degree, k in kernel.pairs}
    kernel.first.data = torch.stack([each["linear0.weight"].T for each in radial])
    kernel.second.data = torch.stack([each["linear1.weight"].T for each in radial])
    for i in (0, 1):
        kernel.biases[i].data = torch.stack([each[f"linear{i}.bias"][None] for each in radial])
        kernel.scales[i].data = torch.stack([each[f"norm{i}.weight"][None] for each in radial])
        kernel.shifts[i].data = torch.stack([each[f"norm{i}.bias"][None] for each in radial])
    for i, ((degree, k), each) in enumerate(zip(kernel.pairs, radial, strict=True)):
        shape = (kernel.outputs[degree], kernel.inputs[k], len(orders(degree, k)))
        weight, bias = each["linear2.weight"], each["linear2.bias"]
        assert weight.T.shape == kernel.last[i].shape and len(weight) == math.prod(shape)
        kernel.last[i].data = weight.view(*shape, -1).permute(3, 2, 1, 0).flatten(1)
        kernel.last_biases[i].data = bias.view(shape).permute(2, 1, 0).flatten()


def load_block(file: Recording, name: str, block: AttentionBlock) -> None:
    load_kernel(file, f"{name}.v", block.v)
    load_kernel(file, f"{name}.k", block.k)
    for part, modules in (("q", block.q), ("selfint", block.selfint)):
        for degree, module in enumerate(modules):
            weights = file.below(f"w/{name}.{part}.degree{degree}.")
            assert bool(weights) == any(parameter.numel() for parameter in module.parameters())
            if weights:
                module.load_state_dict(weights)


def load_norms(file: Recording, norms: Any) -> None:
    for b, norm in enumerate(norms):
        assert isinstance(norm, NormBias)
        for degree, bias in enumerate(norm.biases):
            bias.data = file[f"w/norm{b}.bias.degree{degree}"][0]


def sizes_of(file: Recording) -> dict[str, int]:
    """What the arrays say of the network."""
    channels = file["w/norm0.bias.degree0"].shape[-1]
    norms, degrees = file.count(r"w/norm(\d+)\."), file.count(r"w/norm0\.bias\.degree(\d+)")
    (radial,) = {len(value) for key, value in file.below("w/block0.").items() if key.endswith("radial.linear0.bias")}
    return {"channels": channels, "layers": norms, "degrees": degrees, "radial": radial}


def assert_features(file: Recording, name: str, found: list[Tensor], tolerance: float = 1e-12) -> None:
    """Features of every degree; theirs are (..., c, 2l + 1)."""
    recorded = file.below(f"y/{name}.degree")
    assert recorded
    for degree, values in recorded.items():
        assert_same(found[int(degree)].transpose(-1, -2), values, tolerance)


def watch_attention(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, Tensor]]:
    """A list of scores and weights of every attention to come."""
    seen, softmax = list[tuple[Tensor, Tensor]](), Graph.softmax

    def watched(graph: Graph, scores: Tensor) -> Tensor:
        seen.append((scores, softmax(graph, scores)))
        return seen[-1][1]

    monkeypatch.setattr(Graph, "softmax", watched)
    return seen


@pytest.mark.parametrize("name", ATTENTION)
def test_attention(recording: Read, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries, scores, weights, and what is attended to, block by block."""
    file = recording(name)
    net = se3_transformer(file, name)
    queries = [outputs_of(block.q) for block in net.blocks]
    attended: list[list[Tensor]] = [[] for _ in net.blocks]
    for block, seen in zip(net.blocks, attended, strict=True):
        for mix in block.selfint:
            mix.register_forward_pre_hook(lambda _, inputs, seen=seen: seen.append(inputs[0]))
    attention = watch_attention(monkeypatch)
    net(None, file["in/x"], file["in/v"], edge_attributes=pairs(file["in/q"]))
    others = ~torch.eye(file["in/x"].shape[1], dtype=torch.bool)
    for b, (scores, weights) in enumerate(attention):
        assert_same(scores[:, others], file[f"y/block{b}.logits"][:, others])
        assert_same(weights[:, others], file[f"y/block{b}.alpha"][:, others])
        for degree, values in zip(file.below(f"y/block{b}.q.degree"), queries[b], strict=True):
            assert_same(values.transpose(-1, -2), file[f"y/block{b}.q.degree{degree}"])
        for degree, values in zip(file.below(f"y/block{b}.attn.degree"), attended[b], strict=True):
            recorded = file[f"y/block{b}.attn.degree{degree}"]
            assert_same(values.transpose(-1, -2)[..., : recorded.shape[-2], :], recorded)


def se3_transformer(file: Recording, name: str) -> SE3Transformer:
    sizes = sizes_of(file)
    if sizes["degrees"] > 2:
        pytest.importorskip("e3nn", reason="degrees above 1 need e3nn")
    net = SE3Transformer(0, 1, **sizes, **ATTENTION[name]).double()
    for b, block in enumerate(net.blocks):
        load_block(file, f"block{b}", block)
    load_norms(file, net.norms)
    return net


@pytest.mark.parametrize("name", ATTENTION)
def test_se3_transformers(recording: Read, name: str) -> None:
    file = recording(name)
    net = se3_transformer(file, name)
    blocks, norms = outputs_of(net.blocks), outputs_of(net.norms)
    parts = {part: outputs_of([getattr(block, part) for block in net.blocks]) for part in ("v", "k")}
    x, v = file["in/x"], file["in/v"]
    out = net(None, x, v, edge_attributes=pairs(file["in/q"]))
    others = ~torch.eye(x.shape[1], dtype=torch.bool)[..., None, None]
    for b, features in enumerate(blocks):
        assert_features(file, f"block{b}", features)
        for part, seen in parts.items():
            assert_features(file, f"block{b}.{part}", [each * others for each in seen[b]], SINGLE)
    for b, features in enumerate(norms):
        assert_features(file, f"norm{b}", features)
    assert_same(torch.stack([out.positions - x, out.velocities - v], dim=-2), file["y/out"])


def test_tensor_field_networks(recording: Read) -> None:
    file = recording("tfn_nbody_deg3")
    sizes = sizes_of(file)
    if sizes["degrees"] > 2:
        pytest.importorskip("e3nn", reason="degrees above 1 need e3nn")
    net = TensorFieldNetwork(1, 1, **{**sizes, "layers": sizes["layers"] + 1}).double()
    for b, block in enumerate(net.blocks):
        load_kernel(file, f"block{b}.conv", block.conv)
        for degree, mix in enumerate(block.mix):
            if mix.weight.numel():
                mix.weight.data = file[f"w/block{b}.self.degree{degree}.weight"][0]
    load_norms(file, net.norms)
    blocks, norms = outputs_of(net.blocks), outputs_of(net.norms)
    x, v, q = file["in/x"], file["in/v"], file["in/q"]
    out = net(q, x, v, edge_attributes=pairs(q))
    for b, features in enumerate(blocks):
        assert_features(file, f"block{b}", features)
    for b, features in enumerate(norms):
        assert_features(file, f"norm{b}", features)
    assert_same(torch.stack([out.positions - x, out.velocities - v], dim=-2), file["y/out"])


@pytest.mark.parametrize("name", [*ATTENTION, "tfn_nbody_deg3"])
def test_kernels_are_couplings_times_harmonics(recording: Read, name: str) -> None:
    file = recording(name)
    degrees = sizes_of(file)["degrees"]
    if degrees > 2:
        pytest.importorskip("e3nn", reason="degrees above 1 need e3nn")
    for key, symbol in file.below("w3j/").items():
        assert_same(torch.from_numpy(coupling(*map(int, key.split("_")))), symbol)
    x = file["in/x"][0]
    others = ~torch.eye(len(x), dtype=torch.bool)
    kernels = KernelBasis(degrees)(x[:, None] - x)
    for k, kernel in enumerate(kernels):
        sizes = [(2 * degree + 1) * len(orders(degree, k)) for degree in range(degrees)]
        for degree, part in enumerate(kernel.split(sizes, dim=-2)):
            found = part.unflatten(-2, (2 * degree + 1, -1)).transpose(-1, -2)
            assert_same(found[others], file[f"basis/in{k}_out{degree}"][others], SINGLE)
