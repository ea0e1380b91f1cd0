"""Linear layers made of a basis of maps: equivariant ones, and those they are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from symbench.errors import unknown
from symbench.policies.equivariant.bases import SOFT, invariants, map_basis, rank
from symbench.policies.equivariant.blocks import isotypic_blocks, one_block
from symbench.policies.equivariant.cache import Constants, Folded
from symbench.symmetry import trivial_representation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from symbench.policies.equivariant.cache import Weights
    from symbench.symmetry import Representation

INITS: Final = ("xavier", "he", "torch")
"""How wide coefficients are drawn: two ways of the published code, and as wide as torch's own layers are."""


class BasisLinear(nn.Module):
    """A linear layer between representations: W = sum_i c_i V_i with a basis V_i and learned coefficients c_i.

    The basis is the same for every pair of an input and an output channel, the coefficients are not. With the basis
    ``"equivariant"``, f(L_g x) = K_g f(x) for every g, whatever the coefficients.

    Source: van der Pol et al. 2020 (arXiv 2006.16908).

    Example:
        >>> from symbench.symmetry import cyclic, regular
        >>> turn = regular(cyclic(4))
        >>> layer = BasisLinear(8, 16, turn, turn)
        >>> layer(torch.zeros(32, 8, 4)).shape, layer.coefficients.shape
        (torch.Size([32, 16, 4]), torch.Size([4, 16, 8]))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        rep_in: Representation,
        rep_out: Representation,
        bias: bool = True,
        basis: str = "equivariant",
        init: str = "xavier",
        bias_init: bool = True,
    ) -> None:
        """Make the layer.

        Args:
            in_channels: Copies c_in of ``rep_in`` that it reads.
            out_channels: Copies c_out of ``rep_out`` that it makes.
            rep_in: L, on vectors of length d_in.
            rep_out: K, on vectors of length d_out.
            bias: Whether an invariant vector is added to every output channel.
            basis: One of :data:`~symbench.policies.equivariant.bases.BASES`.
            init: One of :data:`INITS`.
            bias_init: Whether coefficients of the bias are drawn as those of the weights, or else with deviation 1,
                as the published CartPole agent has it.

        Raises:
            SymbenchError: The representations are of different groups, or ``basis`` or ``init`` is unknown.
        """
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        maps, vectors = map_basis(rep_in, rep_out, basis), invariants(rep_out, basis)
        self.shape = (rep_out.dim, rep_in.dim)
        whole = one_block(maps)
        blocks = isotypic_blocks(rep_in, rep_out, in_channels, out_channels) if basis == "equivariant" else whole
        self._sizes, self._moves = blocks.sizes, blocks.sizes != whole.sizes
        self._bases, self._blocks = (Constants(*each.matrices(vectors)) for each in (whole, blocks))
        self._fixed = allowed(rep_in, rep_out, basis)
        ranks = (self._fixed[0] or len(maps), self._fixed[1] or len(vectors))
        gain, bias_gain = initial_gains(init, ranks, (out_channels, rep_out.dim), (in_channels, rep_in.dim))
        self.coefficients = normal(gain, len(maps), out_channels, in_channels)
        self.bias: nn.Parameter | None = None
        if bias and len(vectors):
            self.bias = normal(bias_gain if bias_init else 1.0, len(vectors), out_channels)
        self._folded = Folded()
        begin_symmetric(self.coefficients, self.bias, self._fixed)

    def forward(self, features: Tensor) -> Tensor:
        """(B, c_in, d_in) -> (B, c_out, d_out)."""
        if torch.is_grad_enabled():
            return from_columns(self.learn(to_columns(features)), self.out_channels)
        return self._act(features)

    def _act(self, features: Tensor) -> Tensor:
        """With folded weights. Features lie in memory as (B, d, c), so that they are not rearranged."""
        weights = self._folded(self.fold, self.coefficients, self.bias)
        flat = nn.functional.linear(features.transpose(1, 2).flatten(1), *weights)
        return flat.view(len(flat), self.shape[0], self.out_channels).transpose(1, 2)

    def learn(self, columns: Tensor) -> Tensor:
        """The same as :meth:`forward` on features as columns, (d_in, c_in * B) -> (d_out, c_out * B).

        With blocks: folded weights would hold every coefficient many times.
        """
        into, maps, vectors, out = self._blocks(self.coefficients)
        (count, rows, width), c_in, c_out = self._sizes, self.in_channels, self.out_channels
        batch = columns.shape[1] // c_in
        values = (into @ columns if self._moves else columns).reshape(count, width * c_in, batch)
        weights = self._weights(maps, self._sizes)
        if self.bias is None:
            values = torch.bmm(weights, values)
        else:
            values = torch.baddbmm((vectors @ self.bias).view(count, rows * c_out, 1), weights, values)
        values = values.view(count * rows, c_out * batch)
        return out @ values if self._moves else values

    def _weights(self, maps: Tensor, sizes: tuple[int, int, int]) -> Tensor:
        """What coefficients and a basis in blocks, (k * rows * columns, r), make: (k, rows * c_out, columns * c_in)."""
        (count, rows, columns), c_out, c_in = sizes, self.out_channels, self.in_channels
        flat = maps @ self.coefficients.flatten(1)  # one product makes all weights
        if columns > 1 and c_out > 1:
            flat = flat.view(count, rows, columns, c_out, c_in).transpose(2, 3)
        return flat.reshape(count, rows * c_out, columns * c_in)

    def free(self) -> Tensor:
        """Sum of the squares of the coefficients that the symmetry forbids, if the basis is ``"soft"``; else 0."""
        return squares(self.coefficients, self._fixed[0]) + squares(self.bias, self._fixed[1])

    def fold(self) -> Weights:
        """The weights of the ordinary layer that this is, (d_out * c_out, d_in * c_in), and its bias if it has one."""
        _, maps, vectors, _ = self._bases(self.coefficients)
        bias = None if self.bias is None else (vectors @ self.bias).flatten()
        return self._weights(maps, (1, *self.shape))[0], bias


def to_columns(features: Tensor) -> Tensor:
    """(B, c, d) -> (d, c * B): the group acts on columns. No copy, if they come :func:`from_columns`."""
    return features.permute(2, 1, 0).flatten(1)


def from_columns(columns: Tensor, channels: int) -> Tensor:
    """(d, c * B) -> (B, c, d), a view."""
    return columns.view(len(columns), channels, columns.shape[1] // channels).permute(2, 1, 0)


def allowed(rep_in: Representation, rep_out: Representation, basis: str) -> tuple[int | None, int | None]:
    """How many coefficients of weights and bias come before those that break the symmetry, for ``basis="soft"``."""
    if basis != SOFT:
        return None, None
    return rank(rep_in, rep_out), rank(trivial_representation(rep_out.group), rep_out)


def begin_symmetric(coefficients: Tensor, bias: Tensor | None, fixed: tuple[int | None, int | None]) -> None:
    """Set the free coefficients of a soft layer to 0: it begins equivariant."""
    for parameter, count in ((coefficients, fixed[0]), (bias, fixed[1])):
        if parameter is not None and count is not None:
            parameter.data[count:] = 0


def free_part(module: nn.Module) -> Tensor:
    """What is not equivariant in all soft layers of a module: the sum of the squares of their free coefficients.

    Its half, divided by a variance, is the logarithm of a normal prior: the smaller the variance, the harder the
    symmetry. Source: residual pathway priors (Finzi et al. 2021, arXiv 2112.01388), W = W_eq + W_free, with the part of
    W_free that W_eq can say left to W_eq.
    """
    layers: Iterable[Any] = module.modules()
    parts = [layer.free() for layer in layers if hasattr(layer, "free")]
    return torch.stack(parts).sum() if parts else torch.zeros(())


def squares(parameter: Tensor | None, fixed: int | None) -> Tensor:
    """Sum of the squares of a parameter's rows after the first ``fixed``; 0 if that is ``None``."""
    if parameter is None or fixed is None:
        return torch.zeros(())
    return parameter[fixed:].square().sum()


def normal(gain: float, *shape: int) -> nn.Parameter:
    """Normal numbers of deviation ``gain``; none where a network is only planned, on torch's meta device."""
    numbers = torch.empty(shape)
    return nn.Parameter(numbers if numbers.is_meta else gain * numbers.normal_())


def initial_gains(
    init: str, ranks: tuple[int, int], output: tuple[int, int], inputs: tuple[int, int], places: int = 1
) -> tuple[float, float]:
    """Deviations of a layer's coefficients and of those of its bias.

    Args:
        init: One of :data:`INITS`.
        ranks: Numbers r of basis elements of the weights and of the bias.
        output: Channels c_out and dimension d_out.
        inputs: Channels c_in and dimension d_in.
        places: Numbers of a kernel, k * k.

    Raises:
        SymbenchError: ``init`` is unknown.
    """
    if init not in INITS:
        raise unknown("initialisation", init, INITS)
    size, bias_size = (max(r, 1) for r in ranks)
    (c_out, d_out), (c_in, d_in) = output, inputs
    if init == "torch":
        # A weight is gain sqrt(r / (d_out d_in places)) wide; torch's are 1 / sqrt(3 c_in d_in places), biases too.
        return (d_out / (3 * size * c_in)) ** 0.5, (d_out / (3 * bias_size * c_in * d_in * places)) ** 0.5
    gain = (2 / (size * (c_out * d_out if init == "xavier" else c_in * d_in))) ** 0.5
    return gain, gain
