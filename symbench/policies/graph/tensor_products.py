"""Steerable features, and the layers that multiply them by attributes.

A *steerable feature* is a list: at place l its vectors of degree l, (..., 2l + 1, c_l), which turn under rotations as
spherical harmonics of degree l do and change sign under the inversion as these do. There may be none, c_l = 0.

* :class:`TensorProduct` - features times attributes, linear in both
* :class:`GatedProduct` - the same with a nonlinearity

Source: Brandstetter et al. 2022 (arXiv 2110.02905), section 3.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symbench.policies.equivariant.cache import Constants
from symbench.policies.graph.spherical_harmonics import coupling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Steerable = list[Tensor]

SILU_GAIN: Final = 1.6791767923989418
"""Makes the second moment of SiLU of a normal number one."""
SIGMOID_GAIN: Final = 1.8467055342154763
"""Makes the second moment of a sigmoid of a normal number one."""


class TensorProduct(nn.Module):
    """A linear map of steerable features whose weights are made of an attribute a.

    ``out_l = sqrt(2l + 1) sum over (l_1, l_2) of W [w3j(l_1, l_2, l) f_{l_1} a_{l_2}]``, and a bias on degree 0, with
    a weight matrix W over channels for every path (l_1, l_2, l) that the inversion allows. Equivariant under O(3).

    For degrees 0 and 1 this is computed in closed form: scalars are s a_0 and v.a_1, vectors s a_1 and v a_0.

    Attributes:
        paths: For each degree l the pairs (l_1, l_2), in the order of the rows of ``weights[l]``.
    """

    def __init__(self, inputs: Sequence[int], attribute: int, outputs: Sequence[int]) -> None:
        """Make the layer.

        Args:
            inputs: Channels of each degree of f.
            attribute: Highest degree of a, which has one channel of each.
            outputs: Channels of each degree of the result.

        Raises:
            SymbenchError: A degree is so high that e3nn is needed, and it is not installed.
        """
        super().__init__()
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self.paths = [paths_to(degree, len(inputs) - 1, attribute) for degree in range(len(outputs))]
        self._closed = (len(inputs), attribute) == (2, 1) and len(outputs) <= 2
        self._symbols = [
            [Constants(math.sqrt(2 * degree + 1) * coupling(first, second, degree)) for first, second in paths]
            for degree, paths in enumerate(self.paths)
        ]
        self.weights = nn.ParameterList()
        for paths, channels in zip(self.paths, outputs, strict=True):
            rows = sum(self.inputs[first] for first, _ in paths)
            self.weights.append(_uniform(rows, rows, channels))
        self.bias = _uniform(max(1, len(self.weights[0])), outputs[0])

    def forward(self, features: Steerable, attributes: Sequence[Tensor]) -> Steerable:
        """Features and attributes, a_l: (..., 2l + 1), to features."""
        return (self._first_degree if self._closed else self.any_degree)(features, attributes)

    def any_degree(self, features: Steerable, attributes: Sequence[Tensor]) -> Steerable:
        """What :meth:`forward` says, without closed forms."""
        results = []
        for degree, (paths, symbols) in enumerate(zip(self.paths, self._symbols, strict=True)):
            parts = []
            for (first, second), symbol in zip(paths, symbols, strict=True):
                (couple,) = symbol(features[0])
                kernel = torch.einsum("abc,...b->...ca", couple, attributes[second])
                parts.append(kernel @ features[first])
            results.append(torch.cat(parts, dim=-1) @ self.weights[degree])
        return [results[0] + self.bias, *results[1:]]

    def _first_degree(self, features: Steerable, attributes: Sequence[Tensor]) -> Steerable:
        scalars, vectors, a0, a1 = features[0][..., 0, :], features[1], attributes[0], attributes[1]
        products = torch.cat([scalars * a0, (vectors * a1[..., None]).sum(-2) / math.sqrt(3)], dim=-1)
        results = [F.linear(products, self.weights[0].T, self.bias)[..., None, :]]
        if len(self.outputs) > 1:
            of_scalars, of_vectors = torch.split(self.weights[1], [self.inputs[0], self.inputs[1]])
            turned = (scalars @ of_scalars)[..., None, :] * a1[..., None]
            results.append(turned + (vectors @ of_vectors) * a0[..., None])
        return results


class GatedProduct(nn.Module):
    """A tensor product, SiLU on its scalars, and every other vector times the sigmoid of a scalar of its own."""

    def __init__(self, inputs: Sequence[int], attribute: int, outputs: Sequence[int]) -> None:
        """Make the layer; the parameters are those of :class:`TensorProduct`."""
        super().__init__()
        self.product = TensorProduct(inputs, attribute, with_gates(outputs))
        self._outputs = tuple(outputs)

    def forward(self, features: Steerable, attributes: Sequence[Tensor]) -> Steerable:
        """Features and attributes to features."""
        return gate(self.product(features, attributes), self._outputs)


def with_gates(channels: Sequence[int]) -> list[int]:
    """Channels of each degree with a scalar more for every vector."""
    return [sum(channels), *channels[1:]]


def gate(features: Steerable, channels: Sequence[int]) -> Steerable:
    """Features with gates among their scalars, to ``channels`` of each degree."""
    scalars, *gates = torch.split(features[0], list(channels), dim=-1)
    vectors = [SIGMOID_GAIN * vector * torch.sigmoid(g) for vector, g in zip(features[1:], gates, strict=True)]
    return [SILU_GAIN * F.silu(scalars), *vectors]


def at_nodes(aggregate: Callable[[Tensor], Tensor], messages: Tensor) -> Tensor:
    """Steerable messages (..., 2l + 1, c) through a graph's sum or mean, to their receivers (..., n, 2l + 1, c)."""
    flat = aggregate(messages.flatten(-2))
    return flat.view(*flat.shape[:-1], *messages.shape[-2:])


def paths_to(degree: int, highest: int, attribute: int) -> list[tuple[int, int]]:
    """Degrees (l_1, l_2), up to the highest of features and attributes, that make one of ``degree``.

    The inversion changes the sign of odd degrees, so only even sums l_1 + l_2 + l are allowed.
    """
    pairs = ((first, second) for first in range(highest + 1) for second in range(attribute + 1))
    return [(a, b) for a, b in pairs if abs(a - b) <= degree <= a + b and (a + b + degree) % 2 == 0]


def _uniform(fan_in: int, *shape: int) -> nn.Parameter:
    """As wide as torch's own layers are; no numbers where a network is only planned, on torch's meta device."""
    return nn.Parameter(torch.empty(shape).uniform_(-1, 1) / math.sqrt(max(1, fan_in)))
