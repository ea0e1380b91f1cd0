"""What the equivariant team is compared with: ordinary encoders, messages and heads, shared by all agents."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor, nn

from symbench.policies.critics import FreeLogStd, ValueHead
from symbench.policies.multi_agent.message_layers import GraphMessageLayer, StandardMessageLayer
from symbench.policies.multi_agent.message_passing import MessagePassingNetwork, row_by_row
from symbench.policies.vision.heads import conv_side, convolutions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionSpace


class StandardMultiAgentNetwork(MessagePassingNetwork):
    """Convolutions, messages and heads without symmetry, one network for all agents.

    The defaults are the published network for Wildlife, 26,694 parameters with its value (``value_head([])``). The
    published one for Traffic never communicates, ``published_graph=True``; here neighbours talk.
    """

    kind = "multi-agent-standard"
    conv = ((16, 7, 2), (32, 5, 1))
    message_layer: ClassVar[type[nn.Module]] = StandardMessageLayer

    def __init__(
        self,
        action_space: ActionSpace,
        agents: int,
        size: int = 21,
        channels: int = 1,
        conv: Sequence[Sequence[int]] = conv,
        messages: Sequence[int] = (64, 64),
        reach: float = 0.4,
        norm_weighted: bool = False,
        published_graph: bool = False,
        action_order: Sequence[int] | None = None,
        position_scale: float = 1.0,
        pixel_max: float = 1.0,
    ) -> None:
        """Make the network; see :class:`~symbench.policies.multi_agent.MultiAgentHomomorphicNetwork`.

        Raises:
            SymbenchError: The joint action is not that of so many like agents.
            ValueError: The convolutions do not fit the pictures.
        """
        config: dict[str, Any] = {"size": size, "channels": channels, "conv": [list(each) for each in conv]}
        config |= {"messages": tuple(messages), "reach": reach, "norm_weighted": norm_weighted}
        config |= {"published_graph": published_graph, "action_order": action_order}
        super().__init__(action_space, agents, **config, position_scale=position_scale, pixel_max=pixel_max)
        conv_side(conv, size)  # refuses what does not fit
        self.encoder = convolutions(channels, conv)
        widths = [conv[-1][0], *messages]
        self.layers = nn.ModuleList([type(self).message_layer(*pair) for pair in pairwise(widths)])
        self.width = widths[-1]
        self.features_dim = agents * self.width
        self.head = nn.Linear(self.width, self.one.num_logits)

    def encode(self, images: Tensor) -> Tensor:
        """(B, k, C, H, W) -> (B, k, c)."""
        return row_by_row(self._encode, images)

    def _encode(self, images: Tensor) -> Tensor:
        return self.encoder(self._pixels(images)).amax((2, 3))  # type: ignore[no-any-return]

    def act(self, features: Tensor) -> Tensor:
        """(B, k, c) -> (B, k, L / n)."""
        return row_by_row(self.head, features)

    def value_of_one(self, hidden: Sequence[int], of_actions: bool, outputs: int) -> nn.Module:
        """Dense layers."""
        return ValueHead((self.width + of_actions * self.one.size, *hidden, outputs), "relu")

    def log_std_of_one(self, initial: float) -> nn.Module:
        """One for each number of an agent's action."""
        return FreeLogStd(self.one.size, initial)

    def log_std_head_of_one(self) -> nn.Module:
        """A linear layer."""
        return nn.Linear(self.width, self.one.size)


class MultiAgentGraphNetwork(StandardMultiAgentNetwork):
    """The same with the message layers of a plain graph network; see ``GraphMessageLayer``."""

    kind = "multi-agent-graph"
    message_layer = GraphMessageLayer
