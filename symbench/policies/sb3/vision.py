"""Features extractors that read frames, for Stable-Baselines3.

* :class:`VisionAttentionNeuronExtractor`, :class:`SetTransformerExtractor` - frames as unordered patches, as
  :class:`symbench.wrappers.FrameHistory` shows them
* :class:`NetRandCNN` - SB3's NatureCNN behind random filters, over stacked frames
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, NatureCNN
from torch import Tensor, nn

from symbench.policies.sb3.layers import shapes_of
from symbench.policies.vision.heads import ConvHead
from symbench.policies.vision.layers import SetPooling, VisionAttentionNeuron
from symbench.policies.vision.netrand import NetRand
from symbench.policies.vision.networks import PatchNetwork, SetTransformerNetwork, VisionAttentionNeuronNetwork
from symbench.policies.vision.patches import to_patches

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONV = ((64, 4, 2), (64, 3, 1))


class PatchExtractor(BaseFeaturesExtractor):
    """Frames to patches, a layer that reads them in any order, convolutions over its codes, one dense layer.

    Patches that the ``mask`` hides are removed. Other keys of the observation than ``frames``, ``previous_action`` and
    ``mask`` are ignored. The weights do not depend on the size of the frames.

    Attributes:
        network_class: The same architecture without SB3, whose constructor takes :attr:`config`.
        config: Shape of the layer and the convolutions.
        layer: Reads the patches.
        head: Convolutions and the dense layer.
    """

    network_class: type[PatchNetwork]
    layer: nn.Module

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        layer_class: type[VisionAttentionNeuron | SetPooling],
        patch_size: int,
        history: int,
        conv: Sequence[Sequence[int]],
        features_dim: int,
        **layer: Any,
    ) -> None:
        """Make the extractor; the parameters are those of its subclasses.

        Raises:
            ValueError: The observation space is not the one of ``FrameHistory``, or does not fit the parameters.
        """
        keys = (("frames", 3), ("previous_action", 1))
        (planes, *size), (action_dim,) = shapes_of(observation_space, "FrameHistory", *keys)
        if planes % history:
            raise ValueError(f"{history} frames are expected, received {planes} channels: give FrameHistory's length")
        if size[0] % patch_size or size[1] % patch_size:
            raise ValueError(f"patches of {patch_size}x{patch_size} do not tile {size[0]}x{size[1]} frames")
        _check_mask(observation_space, size[0] // patch_size * (size[1] // patch_size), patch_size)
        super().__init__(observation_space, features_dim)
        self.patch_size, self.history = patch_size, history
        self.config: dict[str, Any] = {"channels": planes // history, "patch_size": patch_size, "history": history}
        self.config |= {**layer, "conv": conv}
        self.layer = layer_class(patch_size**2 * self.config["channels"], action_dim, history=history, **layer)
        self.head = ConvHead(layer["num_codes"], layer["code_dim"], features_dim, conv, hidden=())

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Features of shape (B, features_dim) of frames (B, k * C, H, W) in [0, 1], actions (B, A), mask (B, N)."""
        patches = self._patches(observations["frames"])
        codes = self.layer(patches, observations["previous_action"], observations.get("mask"))
        features: Tensor = self.head.features(codes)
        return torch.relu(features)

    def _patches(self, frames: Tensor) -> Tensor:
        """SB3's numbers in [0, 1] as the bytes they were, (B, N, k, p * p * C): rounding gives each back exactly."""
        batch, planes, height, width = frames.shape
        if frames.max() > 1.0:
            raise ValueError("frames must be in [0, 1]: leave normalize_images=True, as SB3 has it by default")
        pixels = (frames * 255.0).round().to(torch.uint8)
        single = pixels.reshape(batch * self.history, planes // self.history, height, width).permute(0, 2, 3, 1)
        patches = to_patches(single, self.patch_size)
        return patches.reshape(batch, self.history, *patches.shape[1:]).transpose(1, 2).contiguous()


class VisionAttentionNeuronExtractor(PatchExtractor):
    """:class:`~symbench.policies.vision.layers.VisionAttentionNeuron` and convolutions, as published for Pong.

    With PPO and A2C take :class:`~symbench.policies.sb3.policies.VisionAttentionNeuronPolicy`, with DQN
    ``"MultiInputPolicy"``.

    Example:
        >>> import gymnasium as gym
        >>> import symbench.envs
        >>> from stable_baselines3 import DQN
        >>> from symbench.wrappers import FrameHistory
        >>> env = FrameHistory(gym.make("symbench/Pong-v0"))
        >>> kwargs = {"features_extractor_class": VisionAttentionNeuronExtractor, "net_arch": []}
        >>> model = DQN("MultiInputPolicy", env, policy_kwargs=kwargs, buffer_size=1000)
    """

    network_class = VisionAttentionNeuronNetwork

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        patch_size: int = 6,
        history: int = 4,
        num_codes: int = 400,
        code_dim: int = 32,
        projection_dim: int = 32,
        query_dim: int = 8,
        key_hidden: Sequence[int] = (),
        key_input: str = "differences",
        affine: bool = True,
        conv: Sequence[Sequence[int]] = _CONV,
        features_dim: int = 512,
    ) -> None:
        """Make the extractor.

        Args:
            observation_space: ``Dict(frames=Box(k * C, H, W), previous_action=Box(A,))`` and perhaps ``mask``.
            patch_size: Side p of a patch in pixels.
            history: Frames k, ``FrameHistory``'s length.
            num_codes: Rows M of the layer's output, a square number.
            code_dim: Columns d_v of the layer's output.
            projection_dim: Width in which queries and keys are compared.
            query_dim: Columns of the sinusoidal table Q.
            key_hidden: Widths of hidden layers of the keys' network; none as published.
            key_input: ``"differences"`` as published, or ``"both"``: the newest frame too.
            affine: Whether LayerNorms have learnable parameters.
            conv: Channels, kernel and stride of the convolutions.
            features_dim: Width of the dense layer behind them.

        Raises:
            ValueError: The observation space is not the one of ``FrameHistory``, or does not fit the parameters.
        """
        layer: dict[str, Any] = {"num_codes": num_codes, "code_dim": code_dim, "projection_dim": projection_dim}
        layer |= {"query_dim": query_dim, "key_hidden": key_hidden, "key_input": key_input, "affine": affine}
        super().__init__(observation_space, VisionAttentionNeuron, patch_size, history, conv, features_dim, **layer)


class SetTransformerExtractor(PatchExtractor):
    """:class:`~symbench.policies.vision.layers.SetPooling` and convolutions: an image transformer without positions."""

    network_class = SetTransformerNetwork

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        patch_size: int = 6,
        history: int = 4,
        num_codes: int = 100,
        code_dim: int = 32,
        blocks: int = 1,
        heads: int = 1,
        conv: Sequence[Sequence[int]] = _CONV,
        features_dim: int = 512,
    ) -> None:
        """Make the extractor.

        Args:
            observation_space: ``Dict(frames=Box(k * C, H, W), previous_action=Box(A,))`` and perhaps ``mask``.
            patch_size: Side p of a patch in pixels.
            history: Frames k, ``FrameHistory``'s length.
            num_codes: Number of seed vectors M, a square number.
            code_dim: Width of the tokens.
            blocks: Self-attention blocks among the patches.
            heads: Attention heads.
            conv: Channels, kernel and stride of the convolutions.
            features_dim: Width of the dense layer behind them.

        Raises:
            ValueError: The observation space is not the one of ``FrameHistory``, or does not fit the parameters.
        """
        layer = {"num_codes": num_codes, "code_dim": code_dim, "blocks": blocks, "heads": heads}
        super().__init__(observation_space, SetPooling, patch_size, history, conv, features_dim, **layer)


class NetRandCNN(NatureCNN):
    """SB3's NatureCNN behind a :class:`~symbench.policies.vision.netrand.NetRand`, for ``"CnnPolicy"``.

    SB3 puts a policy into training mode while it computes gradients and into evaluation mode while it plays, so the
    random filters act in updates only. Source: Lee et al. 2020 (arXiv 1910.05396).
    """

    def __init__(
        self,
        observation_space: spaces.Box,
        features_dim: int = 512,
        normalized_image: bool = False,
        channels: int = 1,
        clean: float = 0.1,
        generator: torch.Generator | None = None,
    ) -> None:
        """Make the extractor.

        Args:
            observation_space: Stacked frames, (k * C, H, W), uint8.
            features_dim: Number of features.
            normalized_image: As in SB3's NatureCNN.
            channels: Channels C of one frame.
            clean: Probability that a batch is left as it is.
            generator: Where the filters are drawn from; torch's own generator by default.
        """
        super().__init__(observation_space, features_dim, normalized_image)
        self.netrand = NetRand(channels, clean, generator)

    def forward(self, observations: Tensor) -> Tensor:
        """Features of shape (B, features_dim) of frames (B, k * C, H, W) in [0, 1]."""
        return super().forward(self.netrand(observations))

    def feature_matching(self, observations: Tensor) -> Tensor:
        """Mean squared distance between the features of randomised and of clean frames, a scalar.

        To be added to the loss with a small weight (.002 in the paper). Source: Lee et al. 2020, equation 3.

        Args:
            observations: Frames (B, k * C, H, W) in [0, 1].
        """
        return nn.functional.mse_loss(self(observations), super().forward(observations))


def _check_mask(space: spaces.Space[Any], patches: int, patch_size: int) -> None:
    assert isinstance(space, spaces.Dict)
    shape = space["mask"].shape if "mask" in space.spaces else (patches,)
    if shape != (patches,):
        raise ValueError(f"patches of {patch_size}x{patch_size} are {patches}, the mask has shape {shape}")
