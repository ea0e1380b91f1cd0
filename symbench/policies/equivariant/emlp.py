"""Equivariant MLPs whose hidden layers are in any representation, after EMLP (Finzi et al. 2021, arXiv 2104.09459).

ReLU commutes with permutations only. Elsewhere a nonlinearity may scale a vector by an invariant number, or, if the
representation keeps lengths, by a function of its length.

* :class:`EMLP` - the network
* :class:`Gated`, :class:`NormReLU` - its nonlinearities
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from symbench.errors import SymbenchError, unknown
from symbench.policies.equivariant.linear import BasisLinear
from symbench.symmetry import trivial_representation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.symmetry import Representation

NONLINEARITIES: Final = ("gated", "norm")


class Gated(nn.Module):
    """A linear layer whose every output vector is scaled by sigmoid of an invariant number, its gate."""

    def __init__(
        self, in_channels: int, out_channels: int, rep_in: Representation, rep_out: Representation, **layer: Any
    ) -> None:
        """Make the layer; the parameters are those of :class:`~symbench.policies.equivariant.BasisLinear`."""
        super().__init__()
        self.linear = BasisLinear(in_channels, out_channels, rep_in, rep_out, **layer)
        self.gate = BasisLinear(in_channels, out_channels, rep_in, trivial_representation(rep_in.group), **layer)

    def forward(self, features: Tensor) -> Tensor:
        """(B, c, d) -> (B, c', d')."""
        return self.linear(features) * torch.sigmoid(self.gate(features))  # type: ignore[no-any-return]


class NormReLU(nn.Module):
    """Shortens every vector by a learned number of its channel, down to nothing: x -> x relu(|x| - b) / |x|."""

    def __init__(self, channels: int, rep: Representation) -> None:
        """Make the nonlinearity for ``channels`` copies of a representation.

        Raises:
            SymbenchError: The representation changes lengths.
        """
        super().__init__()
        if not rep.is_orthogonal:
            raise SymbenchError("nonlinearity 'norm' needs an orthogonal representation; take 'gated'")
        self.shorter = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """(B, c, d) -> (B, c, d)."""
        length = features.norm(dim=2, keepdim=True)
        return features * torch.relu(length - self.shorter[:, None]) / (length + 1e-8)  # type: ignore[no-any-return]


class EMLP(nn.Module):
    """An MLP from one representation to another through any third.

    Example:
        >>> from symbench.symmetry import cyclic, standard_2d
        >>> turn = standard_2d(cyclic(5))
        >>> net, arrows = EMLP(turn, turn, turn + trivial_representation(turn.group)), torch.randn(7, 2)
        >>> turned = arrows @ torch.tensor(turn.matrices[1]).float().T
        >>> torch.allclose(net(turned), net(arrows) @ torch.tensor(turn.matrices[1]).float().T, atol=1e-5)
        True
    """

    def __init__(
        self,
        rep_in: Representation,
        rep_out: Representation,
        rep_hidden: Representation,
        hidden: Sequence[int] = (64, 64),
        nonlinearity: str = "gated",
        **layer: Any,
    ) -> None:
        """Make the network.

        Args:
            rep_in: L, on what it reads.
            rep_out: K, on what it says.
            rep_hidden: Of hidden layers; a direct sum of all kinds of vectors that may matter. It should hold vectors
                that the others can be mapped to.
            hidden: Copies of it in each hidden layer.
            nonlinearity: ``"gated"`` or ``"norm"``.
            **layer: Parameters of :class:`~symbench.policies.equivariant.BasisLinear`.

        Raises:
            SymbenchError: The representations are of different groups, or the nonlinearity is unknown.
        """
        super().__init__()
        if nonlinearity not in NONLINEARITIES:
            raise unknown("nonlinearity", nonlinearity, NONLINEARITIES)
        layers, channels, rep = list[nn.Module](), 1, rep_in
        for width in hidden:
            if nonlinearity == "gated":
                layers.append(Gated(channels, width, rep, rep_hidden, **layer))
            else:
                linear = BasisLinear(channels, width, rep, rep_hidden, **layer)
                layers += [linear, NormReLU(width, rep_hidden)]
            channels, rep = width, rep_hidden
        self.body = nn.Sequential(*layers)
        self.head = BasisLinear(channels, 1, rep, rep_out, **layer)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, d_in) -> (B, d_out)."""
        return self.head(self.body(inputs[:, None]))[:, 0]  # type: ignore[no-any-return]
