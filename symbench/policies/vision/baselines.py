"""Actors that read frames as pictures: what the invariant ones are compared with.

* :class:`NatureCNNNetwork` - convolutions over stacked frames (Mnih et al. 2015)
* :class:`AttentionAgentNetwork` - the places of the most important patches (Tang et al. 2020)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from symbench.policies.layers import dense, places
from symbench.policies.vision.base import VisionNetwork, unmasked
from symbench.policies.vision.heads import AttentionAgentHead, conv_side, convolutions
from symbench.policies.vision.netrand import NetRand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.networks import Observations, State
    from symbench.policies.vision.base import Inputs

_NATURE = ((32, 8, 4), (64, 4, 2), (64, 3, 1))


class NatureCNNNetwork(VisionNetwork):
    """Convolutions over the last k frames, which see where things are. Hidden patches are black to it.

    Its state is whether it has seen anything yet (B, 1) and the last k frames (B, k * C, H, W), uint8, oldest first.
    Source: Mnih et al. 2015 (Nature 518), the architecture of SB3's ``CnnPolicy``.
    """

    kind = "nature-cnn"

    def __init__(
        self,
        action_dim: int,
        size: int = 84,
        channels: int = 1,
        history: int = 4,
        conv: Sequence[Sequence[int]] = _NATURE,
        hidden: Sequence[int] = (512,),
        output: str = "discrete",
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
        blank_start: bool = False,
        netrand: bool = False,
    ) -> None:
        """Make the network.

        Args:
            action_dim: Length A of an action, or number of Discrete actions.
            size: Height and width of a frame in pixels.
            channels: Channels C of a frame.
            history: Frames k it sees.
            conv: Channels, kernel size and stride of each convolution.
            hidden: Widths of the dense layers behind them.
            output: ``"tanh"``, ``"clip"`` or ``"discrete"``; see :class:`~symbench.policies.networks.PolicyNetwork`.
            low: Least action (a number, or one per dimension).
            high: Greatest action.
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
        super().__init__(action_dim, output, low, high, **config)
        self.size, self.channels, self.history = size, channels, history
        self.memory = f"the last {history} frames"
        self.blank_start = blank_start
        self.netrand = NetRand(channels) if netrand else nn.Identity()
        self.conv = convolutions(history * channels, conv)
        self.head = dense((conv[-1][0] * conv_side(conv, size) ** 2, *hidden, action_dim), "relu")

        self.apply(_orthogonal)

    def initial_state(self, batch: int, *shape: int) -> State:
        """Zeros for frames of shape (H, W, C)."""
        height, width, channels = shape
        frames = torch.zeros(batch, self.history * channels, height, width, dtype=torch.uint8)
        return torch.zeros(batch, 1, dtype=torch.bool), frames

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """The last k frames; see :meth:`~symbench.policies.vision.base.VisionNetwork.perceive`."""
        image, _ = unmasked(observations)
        begun, frames = state
        newest = image.permute(0, 3, 1, 2)
        frames = torch.cat([frames[:, self.channels :], newest], dim=1)
        if not self.blank_start and not bool(begun.all()):
            frames = torch.where(begun[:, :, None, None], frames, newest.repeat(1, self.history, 1, 1))
        return (frames,), (torch.ones_like(begun), frames)

    def features(self, *inputs: Tensor | None) -> Tensor:
        """What the convolutions make of the frames."""
        (frames,) = inputs
        assert frames is not None
        return self.conv(self.netrand(frames.to(self.low.dtype) / 255.0)).flatten(1)  # type: ignore[no-any-return]

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """The dense layers; the state stays as it is."""
        return self.head(features), state

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The same state: it does not know what was done."""
        return state

    def _size_incompatibility(self, height: int, width: int) -> str | None:
        if (height, width) == (self.size, self.size):
            return None
        return f"reads {self.size}x{self.size} frames, received {height}x{width}"


class AttentionAgentNetwork(VisionNetwork):
    """Which patches are the most important, and where they are in the picture, is all its LSTM sees.

    Patches overlap: 7x7 pixels, every 4 pixels, flattened row, column, channel. Scores are divided by the square root
    of the query's width; a patch is where its middle pixel is. It is not permutation invariant, since it acts on
    places. Source: Tang et al. 2020 (arXiv 2003.08165); the AttentionAgent of Tang & Ha 2021, appendix A (3,667
    parameters for CarRacing).
    """

    kind = "attention-agent"
    history = 1

    def __init__(
        self,
        action_dim: int,
        size: int = 96,
        channels: int = 3,
        patch_size: int = 7,
        stride: int = 4,
        top: int = 10,
        output: str = "tanh",
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
        as_published: bool = True,
    ) -> None:
        """Make the network.

        Args:
            action_dim: Length A of an action, or number of Discrete actions.
            size: Height and width of a frame in pixels.
            channels: Channels C of a frame.
            patch_size: Side of a patch in pixels.
            stride: Pixels from one patch to the next.
            top: How many patches K it acts on.
            output: ``"tanh"``, ``"clip"`` or ``"discrete"``; see :class:`~symbench.policies.networks.PolicyNetwork`.
            low: Least action (a number, or one per dimension).
            high: Greatest action.
            as_published: ``False`` is for agents of symbench 0.1: patches flattened channel, row, column, scores
                without a scale, and a patch between pixels where its side is odd.

        Raises:
            ValueError: The patches do not fit the frame, or are fewer than ``top``.
        """
        config = {"size": size, "channels": channels, "patch_size": patch_size, "stride": stride, "top": top}
        super().__init__(action_dim, output, low, high, **config, as_published=as_published)
        self.size, self.channels, self.patch_size, self.stride = size, channels, patch_size, stride
        self.as_published = as_published
        self.memory = "where the important patches were, the last action"
        side = conv_side(((1, patch_size, stride),), size)
        index = places(side**2)
        corners = torch.stack([index // side, index % side], dim=1) * stride
        centres = (corners + (patch_size // 2 if as_published else patch_size / 2)) / size
        self.head = AttentionAgentHead(
            centres, patch_size**2 * channels, action_dim, top=top, mix=False, scale=as_published
        )

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
        pixels = image.permute(0, 3, 1, 2).to(self.low.dtype) / 255.0
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
