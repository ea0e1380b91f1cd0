"""Policies that read frames as pictures: what the invariant ones are compared with.

* :class:`NatureCNNNetwork` - convolutions over stacked frames (Mnih et al. 2015)
* :class:`AttentionAgentNetwork` - the places of the most important patches (Tang et al. 2020)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from symbench.policies.attention_neuron import dense, places
from symbench.policies.vision.heads import AttentionAgentHead, conv_side, convolutions
from symbench.policies.vision.netrand import NetRand
from symbench.policies.vision.vision_network import StackNetwork, VisionNetwork, frames_shape, unmasked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gymnasium import spaces

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State
    from symbench.policies.policy_network import Inputs, Observations

_NATURE = ((32, 8, 4), (64, 4, 2), (64, 3, 1))


class NatureCNNNetwork(StackNetwork):
    """Convolutions over the last k frames, which see where things are. Hidden patches are black to it.

    Source: Mnih et al. 2015 (Nature 518), the architecture of SB3's ``CnnPolicy``.
    """

    kind = "nature-cnn"
    ortho_init = True

    def __init__(
        self,
        action_space: ActionSpace,
        size: int = 84,
        channels: int = 1,
        history: int = 4,
        conv: Sequence[Sequence[int]] = _NATURE,
        hidden: Sequence[int] = (512,),
        blank_start: bool = False,
        netrand: bool = False,
    ) -> None:
        """Make the network.

        Args:
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            size: Height and width of a frame in pixels.
            channels: Channels C of a frame.
            history: Frames k it sees.
            conv: Channels, kernel size and stride of each convolution.
            hidden: Widths of the dense layers behind them.
            blank_start: Whether black frames precede an episode, as SB3's ``VecFrameStack`` has it, and not copies of
                its first frame.
            netrand: Whether frames pass through random filters in training mode; see
                :class:`~symbench.policies.vision.netrand.NetRand`.

        Raises:
            ValueError: The convolutions do not fit the frame.
        """
        config: dict[str, Any] = {"size": size, "channels": channels, "history": history}
        config |= {"conv": [list(layer) for layer in conv], "hidden": tuple(hidden)}
        config |= {"blank_start": blank_start, "netrand": netrand}
        super().__init__(action_space, **config)
        self._build(size, channels, history, blank_start=blank_start)
        self.netrand = NetRand(channels) if netrand else nn.Identity()
        self.conv = convolutions(history * channels, conv)
        widths = (conv[-1][0] * conv_side(conv, size) ** 2, *hidden)
        self.features_dim = widths[-1]
        self.head = dense((*widths, self.action.num_logits), "relu")
        self.apply(_orthogonal)

    def features(self, *inputs: Tensor | None) -> Tensor:
        """What the convolutions and all dense layers but the last make of the frames."""
        return self.head[:-1](self._convolved(*inputs))  # type: ignore[no-any-return]

    def feature_matching(self, observations: Observations) -> Tensor:
        """Mean squared distance between the features of randomised and of clean frames, a scalar.

        To be added to the loss with a small weight (.002 in the paper). Source: Lee et al. 2020 (arXiv 1910.05396),
        equation 3.

        Args:
            observations: As :meth:`remembered` takes them.
        """
        inputs, was = self.remembered(observations), self.training
        randomised = self.features(*inputs)
        clean = self.train(False).features(*inputs)
        self.train(was)
        return nn.functional.mse_loss(randomised, clean)

    def latent(self, features: Tensor) -> Tensor:
        """The features themselves: one layer is behind them."""
        return features

    def drop_decisions(self) -> None:
        """Take off the last layer."""
        self.head[-1] = nn.Identity()

    def _convolved(self, *inputs: Tensor | None) -> Tensor:
        (frames,) = inputs
        assert frames is not None
        return self.conv(self.netrand(frames.to(self.dtype) / 255.0)).flatten(1)  # type: ignore[no-any-return]


class AttentionAgentNetwork(VisionNetwork):
    """Which patches are the most important, and where they are in the picture, is all its LSTM sees.

    Patches overlap: 7x7 pixels, every 4 pixels, flattened row, column, channel. Scores are divided by the square root
    of the query's width; a patch is where its middle pixel is. It is not permutation invariant, since it acts on
    places. Source: Tang et al. 2020 (arXiv 2003.08165); the AttentionAgent of Tang & Ha 2021, appendix A (3,667
    parameters for CarRacing).
    """

    kind = "attention-agent"
    recurrent = True
    differentiable = False  # as published, which patches are chosen has no gradient
    trained_by = "by evolution, or give it a sort_temperature"
    head: AttentionAgentHead

    def __init__(
        self,
        action_space: ActionSpace,
        size: int = 96,
        channels: int = 3,
        patch_size: int = 7,
        stride: int = 4,
        top: int = 10,
        as_published: bool = True,
        sort_temperature: float = 0.0,
    ) -> None:
        """Make the network.

        Args:
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            size: Height and width of a frame in pixels.
            channels: Channels C of a frame.
            patch_size: Side of a patch in pixels.
            stride: Pixels from one patch to the next.
            top: How many patches K it acts on.
            as_published: ``False`` is for agents of symbench 0.1: patches flattened channel, row, column, scores
                without a scale, and a patch between pixels where its side is odd.
            sort_temperature: How soft the sort of patches is that gradients go through; 0 for none, as published.

        Raises:
            ValueError: The patches do not fit the frame, or are fewer than ``top``.
        """
        config = {"size": size, "channels": channels, "patch_size": patch_size, "stride": stride, "top": top}
        super().__init__(action_space, **config, as_published=as_published, sort_temperature=sort_temperature)
        self.size, self.channels, self.patch_size, self.stride = size, channels, patch_size, stride
        self.as_published = as_published
        self.memory = "where the important patches were, the last action"
        side = conv_side(((1, patch_size, stride),), size)
        index = places(side**2)
        corners = torch.stack([index // side, index % side], dim=1) * stride
        centres = (corners + (patch_size // 2 if as_published else patch_size / 2)) / size
        self.head = AttentionAgentHead(
            centres,
            patch_size**2 * channels,
            self.action,
            top=top,
            mix=False,
            scale=as_published,
            sort_temperature=sort_temperature,
        )
        self.differentiable = sort_temperature > 0
        self.features_dim = self.head.features_dim

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.sizes`."""
        height, width, channels = frames_shape(cls.kind, space)
        if height != width:
            raise ValueError(f"square frames are expected, received {height}x{width}")
        return {"size": height, "channels": channels}

    def initial_state(self, batch: int, *shape: int) -> State:
        """The head's."""
        return self.head.initial_state(batch)

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """The frames themselves."""
        image, _ = unmasked(observations)
        return (image,), state

    def features(self, *inputs: Tensor | None) -> Tensor:
        """The patches, (B, N, p * p * C)."""
        (image,) = inputs
        assert image is not None
        pixels = image.permute(0, 3, 1, 2).to(self.dtype) / 255.0
        patches = nn.functional.unfold(pixels, self.patch_size, stride=self.stride)
        if self.as_published:  # torch flattens channel, row, column
            patches = patches.reshape(len(pixels), self.channels, self.patch_size**2, -1).transpose(1, 2).flatten(1, 2)
        return patches.transpose(1, 2)

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """The head's step."""
        return self.head(features, state)  # type: ignore[no-any-return]

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The state that knows what was done."""
        return self.head.update_memory(state, actions)

    def _size_incompatibility(self, height: int, width: int) -> str | None:
        if (height, width) == (self.size, self.size):
            return None
        return f"reads {self.size}x{self.size} frames, received {height}x{width}"


def _orthogonal(layer: nn.Module) -> None:
    """As SB3 begins; with torch's own start whole layers fell silent on CarRacing's bright frames."""
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.orthogonal_(layer.weight, 2.0**0.5)
        assert layer.bias is not None
        nn.init.zeros_(layer.bias)
