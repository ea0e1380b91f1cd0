"""Perturbations of patches of frames: uint8 observations (H, W) or (H, W, C) with C 1, 3 or 4.

* :class:`ShufflePatches` - the frame is cut into squares that come in another order
* :class:`OccludePatches` - squares are hidden

They come before normalisation, and usually before frame stacks, which belong to the agent. Frames that are stacked
or channels first already are changed alike over the stack, see :class:`symbench.observations.FrameLayout`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.wrappers.checks import flag, frames, interval, portion, real, whole
from symbench.wrappers.core import Perturbation
from symbench.wrappers.registry import register_perturbation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.wrappers.checks import Resample

    Frames = NDArray[np.uint8]

_BYTE = np.dtype(np.uint8)


@register_perturbation
class ShufflePatches(Perturbation):
    """The frame is cut into square patches, which come in a random order.

    The order is drawn again every episode, every t steps or every step. Distance: permutations per 1000 steps.
    Source: Tang & Ha 2021 (arXiv 2109.02869), sections 4.3 and 4.4 (patches of 6 pixels).

    Args:
        patch_size: Side of a patch in pixels; must divide the frame's height and width.
        resample: ``"episode"``, ``"step"``, or every t steps: ``t``, ``"every: t"`` or ``{"every": t}``.

    Raises:
        TypeError: A parameter of a wrong type.
        SymbenchError: A value out of range, a patch size that does not divide the frame, observations that are no
            frames.
    """

    roles = ("frame",)

    def __init__(self, patch_size: int = 6, resample: Resample = "episode") -> None:
        self.patch_size = whole("patch_size", patch_size, low=1)
        self.interval = interval(resample)
        self.resample = resample

    def magnitude(self) -> float:
        """Permutations per 1000 steps."""
        return 1.0 if self.interval is None else max(1.0, 1000.0 / self.interval)

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Box:
        """The same shape, with the widest bounds of all pixels."""
        box = frames("ShufflePatches", space, self.patch_size)
        height, width, *channels = box.shape
        # A patch is patch_size segments of one row each: moved whole, a segment costs as much as a pixel would.
        self._segment = np.dtype(("V", self.patch_size * int(np.prod(channels))))
        self._rows, self._columns = height // self.patch_size, width // self.patch_size
        segments = height * self._columns
        self._first = None if self.num_envs == 1 else np.arange(self.num_envs)[:, None] * segments
        return spaces.Box(box.low.min(), box.high.max(), box.shape, np.uint8)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.intp]:
        """Where each segment of the shuffled frame comes from, shape (size, H * W / patch_size)."""
        patches = np.tile(np.arange(self._rows * self._columns), (size, 1))
        source_row, source_column = np.divmod(rng.permuted(patches, axis=1), self._columns)
        first = source_row * self.patch_size * self._columns + source_column
        line = np.arange(self.patch_size)[:, None] * self._columns
        return (first.reshape(size, self._rows, 1, self._columns) + line).reshape(size, -1)

    def apply(self, observations: Frames, drawn: NDArray[np.intp]) -> Frames:
        """Reorder, (B, H, W[, C]) -> the same shape."""
        frame = observations if observations.flags.c_contiguous else np.ascontiguousarray(observations)
        index = drawn if self._first is None else drawn + self._first
        return np.frombuffer(frame, self._segment).take(index).view(_BYTE).reshape(frame.shape)


@register_perturbation
class OccludePatches(Perturbation):
    """Square patches of the frame are hidden under one grey level; which ones is drawn every episode or every t steps.

    The ratio is rounded to a number of patches, at least one if it is above 0 and all only if it is 1. Distance: the
    ratio. Severity 0 passes plain frames through; an agent that expects the mask is compared with ``ratio=0.0``.
    Source: Tang & Ha 2021 (arXiv 2109.02869), section 4.3.

    Args:
        ratio: Share of the patches that are hidden, 0 to 1.
        patch_size: Side of a patch in pixels; must divide the frame's height and width.
        fill: Value of hidden pixels, 0 to 255.
        patch_mask: Whether the observation becomes ``Dict(image, mask)`` with a mask (P,) of int8, 1 where the patch
            is visible, in reading order. Only the outermost perturbation can do so.
        resample: ``"episode"``, ``"step"``, or every t steps: ``t``, ``"every: t"`` or ``{"every": t}``.

    Raises:
        TypeError: A parameter of a wrong type.
        SymbenchError: A value out of range, a patch size that does not divide the frame, observations that are no
            frames.
    """

    roles = ("frame",)

    def __init__(
        self,
        ratio: float = 0.25,
        patch_size: int = 6,
        fill: int = 0,
        patch_mask: bool = False,
        resample: Resample = "episode",
    ) -> None:
        self.ratio = real("ratio", ratio, low=0.0, high=1.0)
        self.patch_size = whole("patch_size", patch_size, low=1)
        self.fill = whole("fill", fill, low=0, high=255)
        self.patch_mask = flag("patch_mask", patch_mask)
        self.interval = interval(resample)
        self.resample = resample

    def magnitude(self) -> float:
        """Share of hidden patches."""
        return self.ratio

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Box | spaces.Dict:
        """The same shape, widened to hold the fill; with a mask if asked for."""
        box = frames("OccludePatches", space, self.patch_size)
        self._rows, self._columns = (side // self.patch_size for side in box.shape[:2])
        self._width = self.patch_size * int(np.prod(box.shape[2:]))  # of a patch in a row of numbers
        count = self._rows * self._columns
        self._visible = np.ones(count, dtype=np.int8)
        self._visible[: portion(self.ratio, count)] = 0
        low, high = np.minimum(box.low, self.fill), np.maximum(box.high, self.fill)
        seen = spaces.Box(low.astype(np.uint8), high.astype(np.uint8), dtype=np.uint8)
        return spaces.Dict({"image": seen, "mask": spaces.MultiBinary(count)}) if self.patch_mask else seen

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.int8]:
        """1 for each visible number of a frame and 0 for each hidden one, shape (size, H, W * C)."""
        visible = rng.permuted(np.tile(self._visible, (size, 1)), axis=1).reshape(size, self._rows, self._columns)
        return visible.repeat(self.patch_size, axis=1).repeat(self._width, axis=2)

    def apply(self, observations: Frames, drawn: NDArray[np.int8]) -> Frames | dict[str, NDArray[Any]]:
        """Hide, (B, H, W[, C]) -> the same shape."""
        seen = np.array(observations, order="C")
        np.copyto(seen.reshape(drawn.shape), np.uint8(self.fill), where=drawn == 0)
        if not self.patch_mask:
            return seen
        corners = drawn[:, :: self.patch_size, :: self._width]
        return {"image": seen, "mask": corners.reshape(len(seen), -1).copy()}
