"""What all policies that read frames share.

Observations are frames (B, H, W, C), uint8, or ``{"image": frames, "mask": (B, N)}`` where some patches are hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from symbench.policies.memory import History
from symbench.policies.policy_network import PolicyNetwork
from symbench.policies.spaces import form, shapes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.memory import State
    from symbench.policies.policy_network import Inputs, Observations

_PIXELS_AT_ONCE: Final = 64 * 84 * 84


class VisionNetwork(PolicyNetwork):
    """A network that reads frames.

    Attributes:
        channels: Channels C of a frame.
    """

    channels: int

    def read(self, observations: Any) -> Observations:
        """Frames (B, H, W, C) or (H, W, C), uint8, as a batch; with their mask if there is one."""
        if isinstance(observations, dict):
            return {"image": _batch(observations["image"], 4), "mask": _batch(observations["mask"], 2)}
        return _batch(observations, 4)

    def incompatibility(self, space: spaces.Space[Any]) -> str | None:
        """See :meth:`symbench.policies.policy_network.PolicyNetwork.incompatibility`."""
        image = space.spaces.get("image") if isinstance(space, spaces.Dict) and "mask" in space.spaces else space
        frames = isinstance(image, spaces.Box) and image.dtype == np.uint8 and len(image.shape) == 3
        if isinstance(image, spaces.Box) and frames and image.shape[2] == self.channels:
            return self._size_incompatibility(*image.shape[:2])
        wanted = f"uint8 frames of shape (H, W, {self.channels})"
        dtype = f" of {image.dtype}" if isinstance(image, spaces.Box) and image.dtype != np.uint8 else ""
        return f"reads {wanted}, the task gives {form(space)}{dtype}"

    def _size_incompatibility(self, height: int, width: int) -> str | None:
        return None

    def micro_batch_size(self, shape: Sequence[int]) -> int:
        """See :meth:`symbench.policies.policy_network.PolicyNetwork.micro_batch_size`."""
        return max(1, _PIXELS_AT_ONCE // (shape[0] * shape[1]))


def unmasked(observations: Observations) -> tuple[Tensor, Tensor | None]:
    """Frames, and the mask of their patches if there is one."""
    if isinstance(observations, dict):
        return observations["image"], observations["mask"]
    return observations, None


class StackNetwork(VisionNetwork):
    """A network that reads the last k frames on top of each other; hidden patches are black to it.

    Its state is whether it has seen anything yet (B, 1) and the last k frames (B, k * C, H, W), uint8, oldest first;
    none if k is 1. Trained on single steps it reads frames as ``VecFrameStack`` or ``FrameHistory`` stacks them.

    Attributes:
        size: Height and width of a frame in pixels.
    """

    size: int
    _frames: History

    def _build(self, size: int, channels: int, history: int, *, blank_start: bool = False) -> None:
        """What follows from the sizes."""
        self.size, self.channels, self.history = size, channels, history
        self.memory = f"the last {history} frames" if history > 1 else ""
        self.shown_by = "FrameHistory" if self.memory else ""
        self._frames = History(history, axis=1, blank_start=blank_start)

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.sizes`; shown are frames on top of each other."""
        if not shown:
            height, width, channels = frames_shape(cls.kind, space)
            return _square(height, width, channels=channels)
        if isinstance(space, spaces.Dict):
            shapes_of(space, "FrameHistory", ("frames", 3))
        planes, height, width = frames_shape(cls.kind, space["frames"] if isinstance(space, spaces.Dict) else space)
        channels = given.get("channels", 1 if planes % 3 else 3)  # 3, 6, 9, ... are RGB frames, any others grey ones
        return _square(height, width, channels=channels, history=planes // channels)

    def initial_state(self, batch: int, *shape: int) -> State:
        """Zeros for frames of shape (H, W, C)."""
        height, width, channels = shape
        return self._frames.initial_state(batch, channels, height, width) if self.memory else ()

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """The last k frames, (B, k * C, H, W)."""
        image, _ = unmasked(observations)
        newest = image.permute(0, 3, 1, 2)
        if not self.memory:
            return (newest,), ()
        state = self._frames.push(newest, state)
        return (state[1],), state

    def remembered(self, observations: Observations) -> Inputs:
        """Stacked frames, as they are."""
        return (observations["frames"] if isinstance(observations, dict) else observations,)

    def _size_incompatibility(self, height: int, width: int) -> str | None:
        if (height, width) == (self.size, self.size):
            return None
        return f"reads {self.size}x{self.size} frames, received {height}x{width}"


def frames_shape(kind: str, space: spaces.Space[Any]) -> tuple[int, int, int]:
    """The shape of frames, which must be uint8 with three axes.

    Raises:
        ValueError: It is another space.
    """
    image = space.spaces.get("image") if isinstance(space, spaces.Dict) else space
    if not isinstance(image, spaces.Box) or image.dtype != np.uint8 or len(image.shape) != 3:
        raise ValueError(f"{kind} reads uint8 frames, received {form(space)}")
    return image.shape


def _square(height: int, width: int, **sizes: int) -> dict[str, int]:
    if height != width:
        raise ValueError(f"square frames are expected, received {height}x{width}")
    return {"size": height, **sizes}


def _batch(array: Any, axes: int) -> Tensor:
    values = array if isinstance(array, Tensor) else torch.from_numpy(np.ascontiguousarray(array))
    return values if values.ndim == axes else values[None]
