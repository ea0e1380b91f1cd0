"""Frames from which a scene is seen: in all of them together it looks the same however it is turned.

A frame is an origin, here the mean of all positions, and d orthogonal axes. What is seen in a frame has the coordinates
E^T (x - c), what is done there is E a. The mean over frames that turn with the scene is equivariant, whatever policy
sees and acts in them: frame averaging (Puny et al. 2022, arXiv 2110.03336).

* :func:`principal_frames` - principal axes with all 2^d signs: exact under E(d)
* :func:`canonical_frame` - principal axes with signs by the third moments: exact too, where these are not 0
* :func:`sampled_frames` - k drawn once, the same for all scenes: nearly, with an error that falls as 1 / sqrt(k)
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from symbench.errors import SymbenchError
from symbench.reading import brief
from symbench.symmetry import orthogonal

if TYPE_CHECKING:
    from collections.abc import Callable

_DISTINCT: Final = 1e-4  # smallest difference of variances along two axes, in units of the largest
_MOST: Final = 1024


class Frames(NamedTuple):
    """F frames for each of B scenes.

    Attributes:
        axes: One in each column of E, (B, F, d, d).
        origins: c, (B, d).
    """

    axes: Tensor
    origins: Tensor

    def seen(
        self, positions: Tensor, velocities: Tensor | None, attributes: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Scenes (B, N, ...) as their frames show them, (B * F, N, ...): frames of one scene follow each other."""
        centred = self.turned(positions - self.origins[:, None])
        moving = None if velocities is None else self.turned(velocities)
        same = None if attributes is None else attributes.repeat_interleave(self.axes.shape[1], dim=0)
        return centred, moving, same

    def turned(self, vectors: Tensor) -> Tensor:
        """Vectors (B, N, d) as frames show them, (B * F, N, d)."""
        return torch.einsum("bnd,bfde->bfne", vectors, self.axes).flatten(0, 1)

    def taken_back(self, vectors: Tensor) -> Tensor:
        """What is done in frames, (B * F, n * d), on the scene: the mean over its frames, (B, n, d)."""
        batch, frames, dim, _ = self.axes.shape
        rows = vectors.reshape(batch, frames, -1, dim)
        return torch.einsum("bfne,bfde->bnd", rows, self.axes) / frames


def principal_frames(positions: Tensor) -> Frames:
    """Principal axes with all signs, so that none is preferred: 2^d frames.

    Axes of which two have the same variance are not determined: where it differs by less than 1e-4 of the largest
    (always, if all bodies are in one place, or there is only one), the axes of space are taken. There the mean is over
    reflections at these alone, and a policy that sees it is not equivariant to other turns. Near such a scene, axes
    jump, and so does what is done.

    Args:
        positions: (B, N, d).
    """
    axes, origins = _principal(positions)
    signs = axes.new_tensor(list(itertools.product((1.0, -1.0), repeat=positions.shape[-1])))
    return Frames(axes[:, None] * signs[:, None], origins)


def canonical_frame(positions: Tensor) -> Frames:
    """Principal axes, each towards the side on which the sum of cubes is positive: one frame.

    Where that sum is 0, as of two bodies, rounding decides. Otherwise as :func:`principal_frames`. Source:
    canonicalisation (Kaba et al. 2023, arXiv 2211.06489).

    Args:
        positions: (B, N, d).
    """
    axes, origins = _principal(positions)
    cubes = ((positions - origins[:, None]) @ axes).pow(3).sum(dim=1)
    signs = torch.where(cubes < 0, -1.0, 1.0).to(axes)
    return Frames((axes * signs[:, None])[:, None], origins)


def sampled_frames(count: int, dim: int, seed: int = 0) -> Callable[[Tensor], Frames]:
    """What gives every scene the same ``count`` frames, drawn uniformly from O(d).

    Args:
        count: Number k of frames.
        dim: Coordinates d.
        seed: Of the axes.
    """
    drawn = torch.from_numpy(orthogonal(dim).sample(np.random.default_rng(seed), count)[:, :-1, :-1].copy())

    def frames(positions: Tensor) -> Frames:
        return Frames(drawn.to(positions).expand(len(positions), -1, -1, -1), positions.mean(dim=1))

    return frames


FRAMES: Final[dict[str, Callable[[Tensor], Frames]]] = {"principal": principal_frames, "canonical": canonical_frame}


def frames_named(name: str | int, dim: int, seed: int = 0) -> Callable[[Tensor], Frames]:
    """What makes frames of positions (B, N, d): of the name, or so many sampled ones.

    Raises:
        SymbenchError: There is no such name, or the number is none.
    """
    if isinstance(name, str) and name in FRAMES:
        return FRAMES[name]
    if type(name) is not int or not 1 <= name <= _MOST or type(seed) is not int or seed < 0:
        raise SymbenchError(
            f"frames are {' or '.join(map(repr, FRAMES))}, or a number of 1 to {_MOST} that are drawn by a whole seed, "
            f"received {brief(repr(name))}, seed {brief(repr(seed))}"
        )
    return sampled_frames(name, dim, seed)


def within_ball(vectors: Tensor, radius: float) -> Tensor:
    """Vectors (..., d) longer than ``radius`` made so long: unlike cutting coordinates, this commutes with turns."""
    lengths = torch.linalg.vector_norm(vectors.detach(), dim=-1, keepdim=True)
    return vectors * (radius / lengths.clamp(min=radius))  # type: ignore[no-any-return]


def _principal(positions: Tensor) -> tuple[Tensor, Tensor]:
    """Axes (B, d, d), one in each column, and origins (B, d); see :func:`principal_frames`."""
    origins = positions.detach().mean(dim=1)
    offsets = positions.detach() - origins[:, None]
    variances, axes = torch.linalg.eigh(offsets.transpose(1, 2) @ offsets)
    rounding = 8 * torch.finfo(positions.dtype).eps * positions.detach().norm(dim=(1, 2))
    gaps = variances.diff(dim=1).amin(dim=1)
    determined = (gaps > _DISTINCT * variances[:, -1]) & (variances[:, -1] > rounding**2)
    own = torch.eye(axes.shape[-1]).to(axes)
    return torch.where(determined[:, None, None], axes, own), origins
