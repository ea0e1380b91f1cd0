"""SE(3)-Transformers: attention over neighbours whose values and keys are steerable.

* :class:`SE3Transformer` - the network
* :class:`AttentionBlock` - one of its blocks
* :class:`ChannelAttention` - the self-interaction that mixes channels by their inner products

Source: Fuchs et al. 2020 (arXiv 2006.10503), equations 10 to 14.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symbench.errors import SymbenchError, unknown
from symbench.policies.graph.steerable_kernels import Edges, KernelNetwork, NormBias, SteerableKernel
from symbench.policies.graph.tensor_products import at_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.graph.graphs import Graph
    from symbench.policies.graph.tensor_products import Steerable

SELF_INTERACTIONS: Final = ("att", "1x1")
RELATIVE: Final = ("add", "cat", "none")


class ChannelMix(nn.Module):
    """A linear map of channels, the same for every component of a vector: (..., 2l + 1, c) -> (..., 2l + 1, c')."""

    def __init__(self, inputs: int, outputs: int) -> None:
        """Make it; weights are normal numbers over the root of ``inputs``."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs).normal_() / math.sqrt(max(1, inputs)))

    def forward(self, values: Tensor) -> Tensor:
        """(..., 2l + 1, c) -> (..., 2l + 1, c')."""
        return F.linear(values, self.weight)


class ChannelAttention(nn.Module):
    """Every output channel is a convex combination of input channels, by their inner products."""

    def __init__(self, inputs: int, outputs: int) -> None:
        """Make it."""
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(inputs**2), nn.Linear(inputs**2, inputs * outputs)
        self._shape = (outputs, inputs)

    def forward(self, values: Tensor) -> Tensor:
        """(..., 2l + 1, c) -> (..., 2l + 1, c')."""
        products = (values.transpose(-1, -2) @ values).flatten(-2)
        products = products.sign() * products.abs().clamp_min(1e-12)
        scores = self.linear(F.leaky_relu(self.norm(products)))
        weights: Tensor = scores.view(*scores.shape[:-1], *self._shape).softmax(-1)
        return values @ weights.transpose(-1, -2)


class AttentionBlock(nn.Module):
    """Values and keys by steerable kernels, queries by channels; attention, skip, self-interaction."""

    def __init__(
        self,
        inputs: Sequence[int],
        outputs: Sequence[int],
        edge_features: int,
        *,
        div: int,
        heads: int,
        self_interaction: str,
        relative: str,
        radial: int,
    ) -> None:
        """Make the block for these channels of each degree; the options are those of :class:`SE3Transformer`."""
        super().__init__()
        self._relative = relative if len(inputs) > 1 and (relative == "cat" or inputs[1] > 1) else "none"
        read = [c + (degree == 1 and self._relative == "cat") for degree, c in enumerate(inputs)]
        values = [count // div for count in outputs]
        padded = [*inputs, *[0] * len(outputs)]
        keys = [count if padded[degree] else 0 for degree, count in enumerate(values)]
        self._heads = heads
        self._scale = math.sqrt(sum((2 * degree + 1) * count for degree, count in enumerate(keys)))
        self.v = SteerableKernel(read, values, edge_features, radial)
        self.k = SteerableKernel(read, keys, edge_features, radial)
        self.q = nn.ModuleList(ChannelMix(padded[degree], count) for degree, count in enumerate(keys))
        mix = ChannelAttention if self_interaction == "att" else ChannelMix
        self.selfint = nn.ModuleList(
            mix(count + padded[degree], out) if out else nn.Identity()
            for degree, (count, out) in enumerate(zip(values, outputs, strict=True))
        )

    def forward(self, graph: Graph, edges: Edges, h: Steerable) -> Steerable:
        """Features h to features."""
        coupled = edges.couple(self._with_offsets(edges.senders(graph, h), edges.offsets))
        values, keys = self.v(edges.scalars, coupled), self.k(edges.scalars, coupled)
        weights = graph.softmax(self._scores(graph, h, keys))
        results = []
        for degree, (value, mix) in enumerate(zip(values, self.selfint, strict=True)):
            if isinstance(mix, nn.Identity):
                results.append(value.new_zeros(*h[0].shape[:-2], 2 * degree + 1, 0))
                continue
            attended = self._attend(graph, weights, value)
            results.append(mix(torch.cat([attended, h[degree]], dim=-1) if degree < len(h) else attended))
        return results

    def _with_offsets(self, found: Steerable, offsets: Tensor) -> Steerable:
        """Features of senders; their vectors know where the receiver is, if asked to."""
        if self._relative == "add":
            found[1] = torch.cat([found[1][..., :1] + offsets[..., None], found[1][..., 1:]], dim=-1)
        if self._relative == "cat":
            found[1] = torch.cat([found[1], offsets[..., None]], dim=-1)
        return found

    def _scores(self, graph: Graph, h: Steerable, keys: Steerable) -> Tensor:
        """q_i . k_ij of every head, (..., heads)."""
        scores = []
        for own, query, key in zip(h, self.q, keys, strict=False):
            if key.shape[-1]:
                at_edges = graph.receivers(query(own).flatten(-2))
                products = (at_edges * key.flatten(-2)).view(key.shape).sum(-2)
                heads = (self._heads, products.shape[-1] // self._heads)
                scores.append(products.view(*products.shape[:-1], *heads).sum(-1))
        return torch.stack(scores).sum(0) / self._scale

    def _attend(self, graph: Graph, weights: Tensor, values: Tensor) -> Tensor:
        """Sum over neighbours of weights (..., heads) times values (..., 2l + 1, c), channels cut into heads."""
        each = weights.repeat_interleave(values.shape[-1] // self._heads, dim=-1)
        return at_nodes(graph.sum, values * each[..., None, :])


class SE3Transformer(KernelNetwork):
    """A graph network with attention that is equivariant under rotations and translations, not under reflections.

    Features and charges are scalars of nodes, velocities their first vectors. Its output is how far positions move
    and how velocities change. Degrees 0 and 1 need no other package; higher ones need e3nn (extra ``[geometric]``).

    Example:
        >>> net = SE3Transformer(0, edge_features=1, degrees=2)
        >>> x, v = torch.randn(7, 5, 3), torch.randn(7, 5, 3)
        >>> net(None, x, v, edge_attributes=torch.ones(7, 5, 5, 1)).positions.shape
        torch.Size([7, 5, 3])
    """

    def __init__(
        self,
        features: int,
        edge_features: int = 0,
        channels: int = 8,
        layers: int = 4,
        *,
        degrees: int = 4,
        div: int = 4,
        heads: int = 2,
        final: str = "att",
        relative: str = "add",
        radial: int = 32,
        velocities: bool = True,
        out_features: int = 0,
    ) -> None:
        """Make the network.

        Args:
            features: Invariants of a node; may be 0 where there are velocities.
            edge_features: Invariants of an edge, which radial functions read beside its length.
            channels: Hidden features of each degree.
            layers: Blocks before the last one.
            degrees: Number of degrees: 0 to ``degrees - 1``.
            div: Values and keys have ``channels / div`` channels.
            heads: Of attention; they share these channels. The last block has fewer, if its outputs are fewer.
            final: Self-interaction of the last block, one of :data:`SELF_INTERACTIONS`; the others have ``"1x1"``.
            relative: What becomes of x_i - x_j, one of :data:`RELATIVE`: added to the first vector of the sender,
                where it has others, or one vector more.
            radial: Width of the radial functions.
            velocities: Whether it reads velocities, and says how they change.
            out_features: Invariants that it says of every node.

        Raises:
            SymbenchError: An option's value is unknown or does not fit the others, or e3nn is needed and not installed.
        """
        super().__init__(features, edge_features, degrees, velocities)
        if final not in SELF_INTERACTIONS:
            raise unknown("self-interaction", final, SELF_INTERACTIONS)
        if relative not in RELATIVE:
            raise unknown("use of relative positions", relative, RELATIVE)
        if channels % div or (channels // div) % heads:
            raise SymbenchError(f"channels must be a multiple of div * heads, received {channels}, {div} and {heads}")
        hidden, outputs = [channels] * degrees, [out_features, 2 if velocities else 1]
        last_heads = math.gcd(heads, *(count for count in outputs if count))

        block = partial(AttentionBlock, edge_features=1 + edge_features, relative=relative, radial=radial)
        sizes = [self.inputs, *[hidden] * layers]
        self.blocks = nn.ModuleList(
            block(before, hidden, div=div, heads=heads, self_interaction="1x1") for before in sizes[:-1]
        )
        self.blocks.append(block(sizes[-1], outputs, div=1, heads=last_heads, self_interaction=final))
        self.norms = nn.ModuleList(NormBias(hidden) for _ in range(layers))
