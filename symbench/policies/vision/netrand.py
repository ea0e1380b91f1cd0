"""Random filters in front of a network while it trains, so that it does not hold on to textures and colours."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class NetRand(nn.Module):
    """A random 3x3 convolution with as many channels out as in, drawn anew at every call in training mode.

    The weights are Xavier normal; nothing is learned and nothing saved. With probability ``clean`` a batch is left as
    it is. In evaluation mode the layer is the identity. Source: Lee, Lee, Shin & Lee 2020, "Network Randomization: A
    Simple Technique for Generalization in Deep Reinforcement Learning" (arXiv 1910.05396), section 4.1.

    Example:
        >>> layer = NetRand(3, generator=torch.Generator().manual_seed(0))
        >>> frames = torch.rand(8, 12, 84, 84)  # four RGB frames on top of each other
        >>> layer(frames).shape, layer.eval()(frames) is frames
        (torch.Size([8, 12, 84, 84]), True)
    """

    def __init__(self, channels: int = 1, clean: float = 0.1, generator: torch.Generator | None = None) -> None:
        """Make the layer.

        Args:
            channels: Channels C of one frame. All frames of a stack pass through the same filter, so that what moves
                still does.
            clean: Probability in [0, 1] that a batch is left as it is.
            generator: Where the filters are drawn from, on the CPU; torch's own generator by default.

        Raises:
            ValueError: ``channels`` is below 1 or ``clean`` is no probability.
        """
        super().__init__()
        if channels < 1:
            raise ValueError(f"channels must be at least 1, received {channels}")
        if not 0.0 <= clean <= 1.0:
            raise ValueError(f"clean must be a probability, between 0 and 1, received {clean}")
        self.channels, self.clean, self.generator = channels, clean, generator

    def forward(self, frames: Tensor) -> Tensor:
        """Frames in [0, 1], floating point, shape (B, k * C, H, W), to the same shape.

        Raises:
            ValueError: The frames do not have a multiple of C channels.
        """
        planes = frames.shape[1]
        if planes % self.channels:
            raise ValueError(f"frames of {self.channels} channels are expected, received {planes} channels in all")
        if not self.training or torch.rand((), generator=self.generator).item() < self.clean:
            return frames
        single = frames.reshape(-1, self.channels, *frames.shape[2:])
        return nn.functional.conv2d(single, self._filter().to(frames), padding=1).reshape(frames.shape)

    def _filter(self) -> Tensor:
        weight = torch.empty(self.channels, self.channels, 3, 3)
        return nn.init.xavier_normal_(weight, generator=self.generator)
