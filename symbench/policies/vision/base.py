"""What all actors that read frames share.

Observations are frames (B, H, W, C), uint8, or ``{"image": frames, "mask": (B, N)}`` where some patches are hidden.
"""

from __future__ import annotations

from abc import abstractmethod
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from symbench.policies.networks import PolicyNetwork, started
from symbench.policies.spaces import form
from symbench.trees import map_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.networks import Observations, State

    Inputs = tuple[Tensor | None, ...]

_PIXELS_AT_ONCE: Final = 64 * 84 * 84


class VisionNetwork(PolicyNetwork):
    """A network that reads frames.

    Attributes:
        channels: Channels C of a frame.
        history: Frames k it sees.
    """

    channels: int
    history: int

    def read(self, observations: Any) -> Observations:
        """Frames (B, H, W, C) or (H, W, C), uint8, as a batch; with their mask if there is one."""
        if isinstance(observations, dict):
            return {"image": _batch(observations["image"], 4), "mask": _batch(observations["mask"], 2)}
        return _batch(observations, 4)

    @abstractmethod
    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """The cheap first part of a step: what :meth:`features` reads, (B, ...) each, and the state that saw it."""

    @abstractmethod
    def features(self, *inputs: Tensor | None) -> Tensor:
        """The expensive part, (B, ...) -> (B, ...): depends on no state, so all steps of a sequence make one batch."""

    @abstractmethod
    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """The last part of a step: features to the last layer's output (B, A), and the next state."""

    def logits(self, observations: Observations, state: State) -> tuple[Tensor, State]:
        """Shape (B, A) for frames of shape (B, H, W, C), and the next state."""
        inputs, state = self.perceive(observations, state)
        return self.decide(self.features(*inputs), state)

    def unroll(self, observations: Observations, starts: Tensor, actions: Tensor, state: State) -> Tensor:
        """See :meth:`symbench.policies.networks.PolicyNetwork.unroll`."""
        columns, seen, outputs = [], state, []
        for t, begins in enumerate(starts):
            inputs, seen = self.perceive(map_tree(itemgetter(t), observations), started(seen, begins))
            columns.append(inputs)
            seen = self.update_memory(seen, actions[t])
        features = self.features(*map(_join, zip(*columns, strict=True)))
        for t, part in enumerate(torch.split(features, starts.shape[1])):
            logits, state = self.decide(part, started(state, starts[t]))
            outputs.append(logits)
            state = self.update_memory(state, actions[t])
        return torch.stack(outputs)

    def incompatibility(self, space: spaces.Space[Any]) -> str | None:
        """See :meth:`symbench.policies.networks.PolicyNetwork.incompatibility`."""
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
        """See :meth:`symbench.policies.networks.PolicyNetwork.micro_batch_size`."""
        return max(1, _PIXELS_AT_ONCE // (shape[0] * shape[1]))


def unmasked(observations: Observations) -> tuple[Tensor, Tensor | None]:
    """Frames, and the mask of their patches if there is one."""
    if isinstance(observations, dict):
        return observations["image"], observations["mask"]
    return observations, None


def _join(parts: tuple[Tensor | None, ...]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there) if there else None


def _batch(array: Any, axes: int) -> Tensor:
    values = array if isinstance(array, Tensor) else torch.from_numpy(np.ascontiguousarray(array))
    return values if values.ndim == axes else values[None]
