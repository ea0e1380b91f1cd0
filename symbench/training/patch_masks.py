"""Patches that a student of imitation does not see: other ones in every episode that it plays and every gradient step.

Frames are kept as they are and hidden when they are read, so that one frame is learned from under many masks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from symbench.policies.vision.patch_networks import PatchNetwork
from symbench.wrappers.checks import portion

if TYPE_CHECKING:
    from symbench.policies.memory import State
    from symbench.policies.policy_network import Observations, PolicyNetwork


class PatchMasks:
    """Hides a share of the patches of frames, drawn from a generator of its own.

    Source: Tang & Ha 2021 (arXiv 2109.02869), section 4.3: a random set of patches is removed per batch.
    """

    def __init__(self, share: float, patches: int, generator: np.random.Generator) -> None:
        """Hide ``share`` of so many ``patches``, rounded as ``OccludePatches`` rounds it."""
        self._visible, self._generator = np.ones(patches, np.int8), generator
        self._visible[: portion(share, patches)] = 0

    def draw(self, count: int) -> Tensor:
        """Masks of ``count`` environments, (count, N) int8, 1 where a patch is visible."""
        return torch.from_numpy(self._generator.permuted(np.tile(self._visible, (count, 1)), axis=1))

    def hide(self, frames: Tensor, state: State, network: PolicyNetwork) -> tuple[Observations, State]:
        """Observations of T steps and the state before them under masks drawn anew, one for each environment.

        Args:
            frames: Shape (T, B, H, W, C).
            state: The student's, under whatever mask it played.
            network: The student.
        """
        assert isinstance(network, PatchNetwork)
        mask = self.draw(frames.shape[1]).to(frames.device)
        return {"image": frames, "mask": mask.expand(len(frames), -1, -1)}, network.revealed(state)


def make_masks(
    share: float, network: PolicyNetwork, frames: Tensor, generator: np.random.Generator
) -> PatchMasks | None:
    """What hides patches of frames (B, H, W, C) of the network's size; ``None`` if nothing is hidden."""
    if not share:
        return None
    assert isinstance(network, PatchNetwork)
    return PatchMasks(share, network.num_patches(*frames.shape[1:3]), generator)
