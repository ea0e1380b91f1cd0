"""An ordinary network that sees all that the team sees at once, and moves all agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from symbench.policies.attention_neuron import dense
from symbench.policies.multi_agent.team_network import TeamNetwork
from symbench.policies.vision.heads import conv_side, convolutions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionSpace


class CentralisedCNNNetwork(TeamNetwork):
    """Convolutions over the pictures of all agents as channels, and dense layers over what they find and all places.

    It knows which agent is which, and nothing of symmetry.
    """

    kind = "centralised-cnn"
    conv = ((16, 7, 2), (32, 5, 1))

    def __init__(
        self,
        action_space: ActionSpace,
        agents: int,
        size: int = 21,
        channels: int = 1,
        conv: Sequence[Sequence[int]] = conv,
        hidden: Sequence[int] = (64, 64),
        position_scale: float = 1.0,
        pixel_max: float = 1.0,
    ) -> None:
        """Make the network.

        Args:
            action_space: That of the joint action.
            agents: Number n of agents.
            size: Height and width of a picture in pixels.
            channels: Channels C of a picture.
            conv: Channels, kernel size and stride of each convolution.
            hidden: Widths of the dense layers.
            position_scale: Places are multiplied by this.
            pixel_max: Pictures are divided by this.

        Raises:
            SymbenchError: The joint action is not that of so many like agents.
            ValueError: The convolutions do not fit the pictures.
        """
        config: dict[str, Any] = {"size": size, "channels": channels, "conv": [list(each) for each in conv]}
        config |= {"hidden": tuple(hidden), "position_scale": position_scale, "pixel_max": pixel_max}
        super().__init__(action_space, agents, **config)
        self.encoder = convolutions(agents * channels, conv)
        widths = (conv[-1][0] * conv_side(conv, size) ** 2 + 2 * agents, *hidden)
        self.features_dim = widths[-1]
        self.head = dense((*widths, self.action.num_logits), "relu")

    def features(self, *inputs: Tensor | None) -> Tensor:
        """What all layers but the last make of what the team sees, (B, F)."""
        images, positions = inputs
        assert images is not None
        assert positions is not None
        found = self.encoder(self._pixels(images.flatten(1, 2))).flatten(1)
        places = positions.to(self.dtype).flatten(1) * self.position_scale
        return self.head[:-1](torch.cat([found, places], dim=1))  # type: ignore[no-any-return]

    def latent(self, features: Tensor) -> Tensor:
        """The features themselves: one layer is behind them."""
        return features

    def drop_decisions(self) -> None:
        """Take off the last layer."""
        self.head[-1] = torch.nn.Identity()
