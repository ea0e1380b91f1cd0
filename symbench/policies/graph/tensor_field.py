"""Tensor field networks: means of steerable messages, without attention.

* :class:`TensorFieldNetwork` - the network
* :class:`TensorFieldLayer` - one of its layers

Source: Thomas et al. 2018 (arXiv 1802.08219), as in the code of Satorras et al. 2021 (arXiv 2102.09844).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from torch import nn

from symbench.policies.graph.se3_transformer import ChannelMix
from symbench.policies.graph.steerable_kernels import Edges, KernelNetwork, NormBias, SteerableKernel
from symbench.policies.graph.tensor_products import at_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.graph.graphs import Graph
    from symbench.policies.graph.tensor_products import Steerable


class TensorFieldLayer(nn.Module):
    """f_i' = mean_j W (sum over degrees of kernels of x_i - x_j times f_j), with W on channels."""

    def __init__(self, inputs: Sequence[int], outputs: Sequence[int], edge_features: int, radial: int) -> None:
        """Make the layer for these channels of each degree, for so many numbers of an edge."""
        super().__init__()
        self.conv = SteerableKernel(inputs, outputs, edge_features, radial)
        self.mix = nn.ModuleList(ChannelMix(count, count) for count in outputs)

    def forward(self, graph: Graph, edges: Edges, h: Steerable) -> Steerable:
        """Features h to features."""
        messages = self.conv(edges.scalars, edges.couple(edges.senders(graph, h)))
        # The map of channels is the same for all messages, so it may follow the mean.
        return [mix(at_nodes(graph.mean, each)) for mix, each in zip(self.mix, messages, strict=True)]


class TensorFieldNetwork(KernelNetwork):
    """A graph network that is equivariant under rotations and translations, not under reflections.

    Features are scalars of nodes, velocities their first vectors. Its output is how far positions move and how
    velocities change. Degrees 0 and 1 need no other package; higher ones need e3nn (extra ``[geometric]``).

    Example:
        >>> net = TensorFieldNetwork(1, edge_features=1, degrees=2)
        >>> x, v = torch.randn(7, 5, 3), torch.randn(7, 5, 3)
        >>> net(torch.ones(7, 5, 1), x, v, edge_attributes=torch.ones(7, 5, 5, 1)).positions.shape
        torch.Size([7, 5, 3])
    """

    def __init__(
        self,
        features: int,
        edge_features: int = 0,
        channels: int = 16,
        layers: int = 4,
        *,
        degrees: int = 2,
        radial: int = 32,
        velocities: bool = True,
        out_features: int = 0,
    ) -> None:
        """Make the network.

        Args:
            features: Invariants of a node; may be 0 where there are velocities.
            edge_features: Invariants of an edge, which radial functions read beside its length.
            channels: Hidden features of each degree.
            layers: Number of layers, the last one included.
            degrees: Number of degrees: 0 to ``degrees - 1``.
            radial: Width of the radial functions.
            velocities: Whether it reads velocities, and says how they change.
            out_features: Invariants that it says of every node.

        Raises:
            SymbenchError: There are no vectors, or nothing to read; or e3nn is needed and not installed.
        """
        super().__init__(features, edge_features, degrees, velocities)
        hidden, outputs = [channels] * degrees, [out_features, 2 if velocities else 1]
        sizes = [self.inputs, *[hidden] * (layers - 1), outputs]
        self.blocks = nn.ModuleList(
            TensorFieldLayer(before, after, 1 + edge_features, radial) for before, after in pairwise(sizes)
        )
        self.norms = nn.ModuleList(NormBias(hidden) for _ in range(layers - 1))
