"""Find out where every patch of a shuffled picture belongs, then ask a network that needs the picture whole.

The twin of :mod:`symbench.policies.unshuffler` for frames. How the order is found is in
:mod:`symbench.policies.vision.patch_order`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from symbench.policies.vision.patch_order import Knowledge, Order, begun, followed
from symbench.policies.vision.patches import to_patches
from symbench.policies.vision.picture_networks import NatureCNNNetwork
from symbench.policies.vision.vision_network import VisionNetwork, unmasked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gymnasium import spaces
    from numpy.typing import NDArray

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State
    from symbench.policies.policy_network import Inputs, Observations


class PictureStatistics(nn.Module):
    """What pictures are like in order.

    Attributes:
        opening: Mean pictures of the first T steps of an episode, (T, H, W, C), in grey levels.
        spread: Their standard deviations, rounded, (T, H, W, C), in grey levels.
        noise: Standard deviation of what a pixel shows next where nothing is near, a scalar in grey levels.
        blur: Variance of the same per variance of the pixels around it, a scalar.
        step: Standard deviation of pixels across a seam of neighbouring patches, a scalar in grey levels.
    """

    opening: Tensor
    spread: Tensor
    noise: Tensor
    blur: Tensor
    step: Tensor

    def __init__(self, opening: int, size: int, channels: int) -> None:
        """Make those of black pictures."""
        super().__init__()
        for name in ("opening", "spread"):
            self.register_buffer(name, torch.zeros(opening, size, size, channels))
        for name in ("noise", "blur", "step"):
            self.register_buffer(name, torch.ones(()))

    def known(self, patch_size: int) -> Knowledge:
        """The same as arrays, for patches of this size."""
        noise, blur, step = float(self.noise), float(self.blur), float(self.step)
        return Knowledge(self.opening.numpy(), self.spread.numpy(), noise, blur, step, patch_size)


class PatchUnshufflerNetwork(VisionNetwork):
    """A filter over the order of patches before a convolutional network that needs the picture in order.

    At every frame the patches are assigned to places (Kuhn 1955, "The Hungarian method") so that they fit best what
    pictures begin like, and their neighbours at the seams, as in a jigsaw (Gallagher 2012, "Jigsaw puzzles with pieces
    of unknown orientation"), of all frames since the order began. Where they have changed more than motion explains,
    the order begins anew with the assignment that explains the step. All frames that the policy sees are put together
    in the order that is known last. Hidden patches are black to it.
    """

    kind = "patch-unshuffler"
    recurrent = True
    differentiable = False  # what is assigned has no gradient
    trained_by = "by a recipe with the algorithm pictures, such as patch-unshuffler"

    def __init__(
        self,
        action_space: ActionSpace,
        size: int = 84,
        channels: int = 1,
        patch_size: int = 6,
        opening: int = 50,
        policy: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the network.

        Args:
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            size: Height and width of a frame in pixels.
            channels: Channels C of a frame.
            patch_size: Side p of a patch in pixels.
            opening: First steps of an episode of which the mean picture is known.
            policy: Arguments of the :class:`~symbench.policies.vision.picture_networks.NatureCNNNetwork` that acts.

        Raises:
            ValueError: Patches do not divide the frame, there is no opening, or the convolutions do not fit.
        """
        if patch_size < 1 or size % patch_size or opening < 1:
            raise ValueError(
                f"patches must divide the frame and opening be at least 1, received {patch_size}, {opening}"
            )
        inner = NatureCNNNetwork(action_space, size, channels, **(policy or {}))
        shown = {key: value for key, value in inner.config().items() if key not in ("action_space", "size", "channels")}
        sizes = {"size": size, "channels": channels, "patch_size": patch_size, "opening": opening}
        super().__init__(action_space, **sizes, policy=shown)
        self.policy, self.size, self.channels, self.patch_size = inner, size, channels, patch_size
        self.memory = f"the last {self._kept} frames of all patches, and the evidence which of them belongs where"
        self.statistics = PictureStatistics(opening, size, channels)
        self.features_dim = inner.features_dim
        count = (size // patch_size) ** 2
        # No order is looked at first: patches that look alike are dealt out at random, also when they come in order.
        self._deal = torch.from_numpy(np.random.default_rng(0).permutation(count))

    @property
    def _kept(self) -> int:
        return max(2, self.policy.history)

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.sizes`."""
        return NatureCNNNetwork.sizes(space, given)

    def initial_state(self, batch: int, *shape: int) -> State:
        """Zeros, of what :class:`~symbench.policies.vision.patch_order.Order` holds for each lane."""
        count, side = len(self._deal), self.patch_size
        steps = torch.zeros(batch, 2, dtype=torch.int64)
        frames = torch.zeros(batch, self._kept, count, side, side, self.channels, dtype=torch.uint8)
        evidence, seams = self._zeros(batch, count, count), self._zeros(batch, 2, count, count)
        return steps, frames, evidence, seams, torch.zeros(batch, count, dtype=torch.int64)

    @torch.no_grad()
    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """The last frames put together, (B, k * C, H, W), and the state in which the order has been found."""
        image, _ = unmasked(observations)
        dealt = to_patches(image, self.patch_size)[:, self._deal]
        patches = dealt.reshape(*dealt.shape[:2], self.patch_size, self.patch_size, self.channels).numpy()
        known = self.statistics.known(self.patch_size)
        orders = [self._next(lane, each, known) for lane, each in zip(zip(*state, strict=True), patches, strict=True)]
        columns = zip(*map(self._tensors, orders), strict=True)
        frames = torch.stack([self._together(order) for order in orders])
        return (frames,), tuple(torch.stack(column) for column in columns)

    def features(self, *inputs: Tensor | None) -> Tensor:
        """The policy's."""
        return self.policy.features(*inputs)

    def latent(self, features: Tensor) -> Tensor:
        """The policy's."""
        return self.policy.latent(features)

    def last(self, latent: Tensor) -> Tensor:
        """The policy's."""
        return self.policy.last(latent)

    def drop_decisions(self) -> None:
        """The policy's."""
        self.policy.drop_decisions()

    def _next(self, lane: tuple[Tensor, ...], patches: NDArray[np.uint8], known: Knowledge) -> Order:
        steps, *rest = (part.numpy() for part in lane)
        if steps[0] == 0:
            return begun(patches, self._kept, known, blank=self.policy._config["blank_start"])
        return followed(Order(int(steps[0]), int(steps[1]), *rest), patches, known)

    def _together(self, order: Order) -> Tensor:
        """The policy's last frames in order, (k * C, H, W)."""
        pictures, side = order.pictures[-self.policy.history :], self.size // self.patch_size
        grid = pictures.reshape(len(pictures), side, side, *pictures.shape[2:])
        planes = grid.transpose(0, 5, 1, 3, 2, 4).reshape(-1, self.size, self.size)
        return torch.from_numpy(np.ascontiguousarray(planes))

    def _size_incompatibility(self, height: int, width: int) -> str | None:
        return self.policy._size_incompatibility(height, width)

    def _tensors(self, order: Order) -> tuple[Tensor, ...]:
        """What the state holds of a lane's order."""
        steps, frames, places = torch.tensor([order.steps, order.age]), order.frames, order.places
        evidence, seams = (torch.from_numpy(part).to(self.dtype) for part in (order.evidence, order.seams))
        return steps, torch.from_numpy(frames), evidence, seams, torch.from_numpy(places)
