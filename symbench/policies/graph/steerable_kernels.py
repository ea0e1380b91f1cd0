"""Convolutions whose kernels are spherical harmonics times learned radial functions.

* :class:`KernelBasis` - the fixed part of all kernels, computed once for all layers
* :class:`SteerableKernel` - the learned part: messages from what senders hold
* :class:`NormBias` - the nonlinearity between layers
* :class:`KernelNetwork` - what networks made of them have in common

A message of degree l is ``sum over degrees k and J of R_J(|x|, a) K_J(x / |x|) f_k`` with
``K_J[a, b] = sum_m w3j(l, k, J)[a, b, m] Y_Jm``. Equivariant under rotations; the inversion is none, since all J count.

Source: Thomas et al. 2018 (arXiv 1802.08219), section 4.1; Fuchs et al. 2020 (arXiv 2006.10503), equation 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symbench.errors import SymbenchError
from symbench.policies.equivariant.cache import Constants
from symbench.policies.graph.graph_network import GraphNetwork, GraphOutput
from symbench.policies.graph.spherical_harmonics import coupling, spherical_harmonics, unit_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.policies.graph.graphs import Graph
    from symbench.policies.graph.tensor_products import Steerable


def orders(first: int, second: int) -> range:
    """Degrees J of harmonics that lead from degree k to degree l: ``|l - k|`` to ``l + k``."""
    return range(abs(first - second), first + second + 1)


class KernelBasis:
    """K_J of all pairs of degrees below a number: for every degree k one matrix an edge, which holds all l and J."""

    def __init__(self, degrees: int) -> None:
        """Compute the couplings of degrees 0 to ``degrees - 1``.

        Raises:
            SymbenchError: A degree is so high that e3nn is needed, and it is not installed.
        """
        self.degrees, self._highest = degrees, 2 * (degrees - 1)
        self._maps = Constants(*(self._map(k) for k in range(degrees)))

    def _map(self, k: int) -> NDArray[np.float64]:
        """From all harmonics to the kernels that read degree k: rows (l, a, J), columns b."""
        parts = []
        for degree in range(self.degrees):
            part = np.zeros(((self._highest + 1) ** 2, 2 * degree + 1, len(orders(degree, k)), 2 * k + 1))
            for place, order in enumerate(orders(degree, k)):
                part[order**2 : (order + 1) ** 2, :, place] = coupling(degree, k, order).transpose(2, 0, 1)
            parts.append(part.reshape(len(part), -1))
        return np.concatenate(parts, axis=1)

    def __call__(self, offsets: Tensor) -> list[Tensor]:
        """Offsets (..., 3) to a kernel for every degree k, (..., rows, 2k + 1)."""
        harmonics = torch.cat(spherical_harmonics(unit_vectors(offsets), self._highest), dim=-1)
        maps = self._maps(offsets)
        shapes = [(each.shape[1] // (2 * k + 1), 2 * k + 1) for k, each in enumerate(maps)]
        batch = offsets.shape[:-1]
        return [(harmonics @ each).view(*batch, *shape) for each, shape in zip(maps, shapes, strict=True)]


class Edges(NamedTuple):
    """What all layers need of the edges.

    Attributes:
        offsets: x_i - x_j, (..., 3).
        scalars: Attributes and |x_i - x_j|, (..., e), which radial functions read.
        kernels: See :class:`KernelBasis`.
    """

    offsets: Tensor
    scalars: Tensor
    kernels: list[Tensor]

    def senders(self, graph: Graph, features: Steerable) -> Steerable:
        """Features of nodes (..., n, 2k + 1, c_k) at the messages that they send."""
        shape = self.offsets.shape[:-1]
        return [graph.senders(each.flatten(-2)).expand(*shape, -1).view(*shape, *each.shape[-2:]) for each in features]

    def couple(self, features: Steerable) -> list[Tensor]:
        """Features of senders (..., 2k + 1, c_k) to K_J f_k, for every l: (..., 2l + 1, sum of #J c_k)."""
        degrees = range(len(self.kernels))
        results: list[list[Tensor]] = [[] for _ in degrees]
        for k, (kernel, values) in enumerate(zip(self.kernels, features, strict=False)):
            if not values.shape[-1]:
                continue
            counts = [len(orders(degree, k)) for degree in degrees]
            sizes = [(2 * degree + 1) * count for degree, count in enumerate(counts)]
            for degree, part in enumerate(torch.split(kernel @ values, sizes, dim=-2)):
                shape = (2 * degree + 1, counts[degree] * values.shape[-1])
                results[degree].append(part.reshape(*part.shape[:-2], *shape))
        return [torch.cat(parts, dim=-1) for parts in results]


class SteerableKernel(nn.Module):
    """Learned combinations of K_J f_k, whose weights are functions of distances and of edges' attributes.

    For every pair of degrees there is a perceptron of three layers with layer norms. All of them are computed at once.

    Attributes:
        pairs: The pairs (l, k), in the order of the perceptrons.
    """

    def __init__(self, inputs: Sequence[int], outputs: Sequence[int], edge_features: int, hidden: int) -> None:
        """Make it for these channels of each degree, for so many numbers of an edge, and ``hidden`` units."""
        super().__init__()
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self.pairs = [(degree, k) for degree, out in enumerate(outputs) if out for k, c in enumerate(inputs) if c]
        count = len(self.pairs)
        self.first, self.second = _kaiming(count, edge_features, hidden), _kaiming(count, hidden, hidden)
        self.biases = nn.ParameterList(_uniform(count, 1, hidden, fan_in=each) for each in (edge_features, hidden))
        self.scales = nn.ParameterList(nn.Parameter(torch.ones(count, 1, hidden)) for _ in range(2))
        self.shifts = nn.ParameterList(nn.Parameter(torch.zeros(count, 1, hidden)) for _ in range(2))
        sizes = [len(orders(degree, k)) * inputs[k] * outputs[degree] for degree, k in self.pairs]
        self.last = nn.ParameterList(_kaiming(hidden, size) for size in sizes)
        self.last_biases = nn.ParameterList(_uniform(size, fan_in=hidden) for size in sizes)

    def forward(self, edges: Tensor, coupled: Sequence[Tensor]) -> Steerable:
        """Numbers of edges (..., e) and K_J f_k of every l to messages (..., 2l + 1, c_l), empty where c_l = 0."""
        weights = self._radial(edges)
        messages = []
        for degree, channels in enumerate(self.outputs):
            values = coupled[degree]
            rows = [each for (l, _), each in zip(self.pairs, weights, strict=True) if l == degree]  # noqa: E741
            if not channels:
                messages.append(values[..., :0])
                continue
            matrices = [each.view(*edges.shape[:-1], each.shape[-1] // channels, channels) for each in rows]
            messages.append(values @ torch.cat(matrices, dim=-2))
        return messages

    def _radial(self, edges: Tensor) -> list[Tensor]:
        """Weights of every pair, (..., #J c_k c_l)."""
        flat = edges.flatten(0, -2).expand(len(self.pairs), -1, -1)
        hidden = self._normed(torch.baddbmm(self.biases[0], flat, self.first), 0)
        hidden = self._normed(torch.baddbmm(self.biases[1], hidden, self.second), 1)
        each = zip(hidden.unbind(0), self.last, self.last_biases, strict=True)
        return [torch.addmm(bias, values, weight).view(*edges.shape[:-1], len(bias)) for values, weight, bias in each]

    def _normed(self, values: Tensor, layer: int) -> Tensor:
        normed = F.layer_norm(values, values.shape[-1:])
        return F.relu(torch.addcmul(self.shifts[layer], normed, self.scales[layer]))


class NormBias(nn.Module):
    """Changes lengths of vectors by a learned number of their channel: f -> relu(|f| + b) f / |f|."""

    def __init__(self, channels: Sequence[int]) -> None:
        """Make it for these channels of each degree."""
        super().__init__()
        self.biases = nn.ParameterList(_uniform(count, fan_in=count) for count in channels)

    def forward(self, features: Steerable) -> Steerable:
        """Features to features."""
        return [_lengthened(each, bias) for each, bias in zip(features, self.biases, strict=True)]


def _lengthened(values: Tensor, bias: Tensor) -> Tensor:
    lengths = torch.linalg.vector_norm(values, dim=-2, keepdim=True)
    return values * (F.relu(lengths + bias) / torch.where(lengths > 0, lengths, 1.0))


class KernelNetwork(GraphNetwork):
    """Blocks with a nonlinearity between them: from scalars and velocities to how far nodes move."""

    blocks: nn.ModuleList
    norms: nn.ModuleList

    def __init__(self, features: int, edge_features: int, degrees: int, velocities: bool) -> None:
        """Say what the network reads.

        Raises:
            SymbenchError: There are no vectors, or nothing to read; or e3nn is needed and not installed.
        """
        super().__init__(features, edge_features, dim=3, needs_velocities=velocities)
        if degrees < 2 or not (features or velocities):
            raise SymbenchError(
                f"{type(self).__name__} needs two degrees or more, and features or velocities to read; "
                f"received degrees={degrees}, features={features}, velocities={velocities}"
            )
        self._basis = KernelBasis(degrees)
        self.inputs = [features, int(velocities)]

    def propagate(
        self, graph: Graph, features: Tensor, positions: Tensor, velocities: Tensor | None, edges: Tensor | None
    ) -> GraphOutput:
        """See :class:`GraphNetwork`."""
        offsets = graph.differences(positions)
        lengths = torch.linalg.vector_norm(offsets, dim=-1, keepdim=True)
        scalars = lengths if edges is None else torch.cat([edges, lengths], dim=-1)
        geometry = Edges(offsets, scalars, self._basis(offsets))
        read = velocities if self.needs_velocities else None
        h = [features[..., None, :], positions[..., None][..., :0] if read is None else read[..., None]]
        for block, norm in zip(self.blocks, [*self.norms, nn.Identity()], strict=True):
            h = norm(block(graph, geometry, h))
        changed = velocities if read is None else read + h[1][..., 1]
        return GraphOutput(h[0][..., 0, :], positions + h[1][..., 0], changed)


def _kaiming(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(shape).uniform_(-1, 1) * (6 / max(1, shape[-2])) ** 0.5)


def _uniform(*shape: int, fan_in: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(shape).uniform_(-1, 1) / max(1, fan_in) ** 0.5)
