"""Convolutions that commute with turns and flips of pictures (Cohen & Welling 2016, arXiv 1602.07576).

* :class:`GroupConv2d` - from pictures, or from features on the group, to features on the group
* :func:`fitting_convolutions` - kernel sizes and strides that fit pictures of a side
* :func:`pool_places`, :func:`pool_group` - what is left is a regular representation, or invariant

Features on the group have shape (B, C, |G|, H, W): an element g moves every picture, and sends that of h to the place
of gh. The kernel for element g is the learned kernel moved by g, so its weights are tied, not constrained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from symbench.errors import SymbenchError, unknown
from symbench.policies.equivariant.bases import BASES, SOFT, check_size, invariants, map_basis
from symbench.policies.equivariant.cache import Constants, Folded
from symbench.policies.equivariant.linear import begin_symmetric, initial_gains, normal, squares
from symbench.symmetry import FiniteGroup, GridRepresentation, Representation, regular, trivial_representation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.policies.equivariant.cache import Weights

POOLS: Final = ("max", "mean")
_FEW_PLACES, _MANY_PLACES = 10, 60  # sides of pictures


class GroupConv2d(nn.Module):
    """A convolution to features on a group, without padding.

    It is exactly equivariant: turned pictures meet the kernels at turned places. That needs a stride that divides what
    the kernel leaves of the picture, else the windows of a turned picture are others.

    Example:
        >>> from symbench.symmetry import cyclic
        >>> lift = GroupConv2d(cyclic(4), ["turn"], 1, 8, 7, stride=2, size=21, lifting=True)
        >>> layer = GroupConv2d(cyclic(4), ["turn"], 8, 16, 5, size=lift.out_size)
        >>> layer(lift(torch.zeros(2, 1, 1, 21, 21))).shape
        torch.Size([2, 16, 4, 4, 4])
    """

    def __init__(
        self,
        group: FiniteGroup,
        moves: Sequence[str],
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        size: int | None = None,
        lifting: bool = False,
        bias: bool = True,
        basis: str = "equivariant",
        init: str = "he",
    ) -> None:
        """Make the layer.

        Args:
            group: The group.
            moves: What its generators do to a picture; see :class:`~symbench.symmetry.GridRepresentation`.
            in_channels: Channels C of what it reads.
            out_channels: Channels of its output.
            kernel_size: Side k of the kernel.
            stride: Places from one window to the next.
            size: Side n of the pictures, to check here that they fit; by default they are checked when they come.
            lifting: Whether it reads pictures, (B, C, 1, H, W), and not features on the group.
            bias: Whether a number is added to every output channel.
            basis: One of :data:`~symbench.policies.equivariant.bases.BASES`. Only the first is equivariant.
            init: See :class:`~symbench.policies.equivariant.linear.BasisLinear`.

        Raises:
            SymbenchError: The windows do not fit a picture of this size, ``basis`` or ``init`` is unknown, or the moves
                are none of the group's.
        """
        super().__init__()
        if basis not in (*BASES, SOFT):
            raise unknown("basis", basis, (*BASES, SOFT))
        self.kernel_size, self.stride, self.lifting = kernel_size, stride, lifting
        self.in_channels, self.out_channels, self.order = in_channels, out_channels, group.order
        self.out_size = None if size is None else check_windows(size, kernel_size, stride)
        orbits = _tied(group, moves, kernel_size, lifting)
        self._orbits = torch.from_numpy(orbits.flatten()) if basis == "equivariant" else None
        maps, vectors = _kernels(group, moves, kernel_size, lifting, basis), invariants(regular(group), basis)
        self._bases = Constants(maps, vectors)
        rank = orbits[0].size if basis == "equivariant" else len(maps)
        # Of the places in a kernel for the first element, all others follow.
        self._fixed = (orbits[0].size, 1) if basis == SOFT else (None, None)
        gain, bias_gain = initial_gains(
            init,
            (self._fixed[0] or rank, self._fixed[1] or len(vectors)),
            (out_channels, group.order),
            (in_channels, 1 if lifting else group.order),
            places=kernel_size**2,
        )
        self.coefficients = normal(gain, out_channels, in_channels, rank)
        self.bias: nn.Parameter | None = None
        if bias and len(vectors):
            self.bias = normal(bias_gain, out_channels, len(vectors))
        self._folded = Folded()
        begin_symmetric(*self._ranks_first(), self._fixed)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, |G|, H, W) -> (B, C', |G|, H', W'); the third axis of what a lifting layer reads is 1.

        Raises:
            SymbenchError: The windows do not fit the picture.
        """
        for side in features.shape[3:]:
            check_windows(side, self.kernel_size, self.stride)
        weight, bias = self._folded(self.fold, self.coefficients, self.bias)
        maps = nn.functional.conv2d(features.flatten(1, 2), weight, bias, self.stride)
        return maps.view(len(maps), self.out_channels, self.order, *maps.shape[2:])

    def free(self) -> Tensor:
        """Sum of the squares of the coefficients that the symmetry forbids, if the basis is ``"soft"``; else 0."""
        weights, bias = self._ranks_first()
        return squares(weights, self._fixed[0]) + squares(bias, self._fixed[1])

    def fold(self) -> Weights:
        """The ordinary convolution that this is: weights (C' |G|, C |G|, k, k), and a bias (C' |G|,) if it has one."""
        k, before = self.kernel_size, 1 if self.lifting else self.order
        size = (self.out_channels, self.in_channels, self.order, before, k, k)
        maps, vectors = self._bases(self.coefficients)
        if self._orbits is not None:
            # An element of the basis has |G| equal entries; as everywhere, its length is 1.
            flat = self.coefficients.index_select(2, self._orbits.to(self.coefficients.device)) / self.order**0.5
        else:
            flat = self.coefficients @ maps
        weight = flat.view(size).transpose(1, 2).reshape(size[0] * size[2], size[1] * size[3], k, k)
        return weight, None if self.bias is None else (self.bias @ vectors).flatten()

    def _ranks_first(self) -> tuple[Tensor, Tensor | None]:
        return self.coefficients.movedim(2, 0), None if self.bias is None else self.bias.T


def _tied(group: FiniteGroup, moves: Sequence[str], k: int, lifting: bool) -> NDArray[np.int64]:
    """Which entry of the learned kernel stands where in the kernel of each element: (|G|, |G| or 1, k, k)."""
    check_size(group.order * (1 if lifting else group.order) * k * k, f"a kernel of {k}x{k} under {group.name}")
    pictures, places = GridRepresentation(group, moves), regular(group)
    numbers = np.arange((1 if lifting else group.order) * k * k).reshape(-1, k, k)
    kernels = []
    for g in group.elements:
        moved = pictures.apply(g, numbers)
        kernels.append(moved if lifting else places.apply(g, moved.T).T)
    return np.stack(kernels)


def _kernels(group: FiniteGroup, moves: Sequence[str], k: int, lifting: bool, basis: str) -> NDArray[np.float64]:
    """For the other bases those of kernels, (r, |G| * d_in): one row for each element, over what a window shows."""
    if basis == "equivariant":
        return np.zeros((0, 0))
    maps = map_basis(window(group, moves, k, lifting), regular(group), basis)
    return maps.reshape(len(maps), -1)


def window(group: FiniteGroup, moves: Sequence[str], k: int, lifting: bool = False) -> Representation:
    """How the group acts on what a window of k x k places shows, (|G| or 1) * k * k numbers.

    Args:
        group: The group.
        moves: What its generators do to a picture.
        k: Side of the window.
        lifting: Whether it shows a picture, and not features on the group.
    """
    pictures = GridRepresentation(group, moves)
    places = np.arange(k * k).reshape(1, k, k)
    orders = np.stack([pictures.apply(g, places).ravel() for g in group.elements])
    shown = Representation(group, np.eye(k * k)[orders])
    return (trivial_representation(group) if lifting else regular(group)) @ shown


def check_windows(size: int, kernel_size: int, stride: int) -> int:
    """The side of a convolution's output.

    Raises:
        SymbenchError: The windows do not fit the picture, or leave some of it over on one side.
    """
    rest = size - kernel_size
    if rest < 0 or rest % stride:
        fits = kernel_size + max(rest, 0) // stride * stride
        raise SymbenchError(
            f"{kernel_size}x{kernel_size} windows every {stride} places are symmetric only in pictures whose side is "
            f"{kernel_size} plus a multiple of {stride}, such as {fits} or {fits + stride}; received {size}"
        )
    return rest // stride + 1


def fitting_convolutions(size: int) -> list[list[int]]:
    """Channels, kernel size and stride of convolutions that fit square pictures of a side, until few places are left.

    For 84 pixels these are Nature's (Mnih et al. 2015) with half of its channels.
    """
    layers: list[list[int]] = []
    while size > _FEW_PLACES:
        stride = 4 if size > _MANY_PLACES else 2
        kernel = next(each for each in range(2 * stride, 0, -1) if (size - each) % stride == 0)
        layers.append([32 if layers else 16, kernel, stride])
        size = check_windows(size, kernel, stride)
    return [*layers, [32 if layers else 16, min(3, size), 1]]


def pool_places(features: Tensor, how: str = "max", kernel_size: int | None = None) -> Tensor:
    """Pool over places.

    Args:
        features: Shape (B, C, |G|, H, W).
        how: ``"max"`` or ``"mean"``.
        kernel_size: Side of the windows, which touch each other; by default one is the whole picture.

    Returns:
        Shape (B, C, |G|), one regular representation per channel; with windows (B, C, |G|, H', W').

    Raises:
        SymbenchError: ``how`` is unknown, or the windows do not tile the picture.
    """
    if how not in POOLS:
        raise unknown("pooling", how, POOLS)
    if kernel_size is None:
        return features.amax((3, 4)) if how == "max" else features.mean((3, 4))
    for side in features.shape[3:]:
        check_windows(side, kernel_size, kernel_size)
    pool: Any = nn.functional.max_pool2d if how == "max" else nn.functional.avg_pool2d
    pooled: Tensor = pool(features.flatten(1, 2), kernel_size)
    return pooled.view(*features.shape[:3], *pooled.shape[2:])


def pool_group(features: Tensor, how: str = "max") -> Tensor:
    """Pool over the group, (B, C, |G|, ...) -> (B, C, ...): invariant vectors, or pictures that move with the input.

    Raises:
        SymbenchError: ``how`` is unknown.
    """
    if how not in POOLS:
        raise unknown("pooling", how, POOLS)
    return features.amax(2) if how == "max" else features.mean(2)
