"""What trains beside a policy and is not needed to act: values, and deviations of actions.

* :class:`Critic` - a value of observations, or of observations and actions, with an encoder of its own
* :class:`ValueHead`, :class:`StateValue` - a value of features, of the true state
* :class:`FreeLogStd` - deviations that do not depend on the state
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from symbench.policies.attention_neuron import dense

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.policy_network import Observations, PolicyNetwork


class ValueHead(nn.Module):
    """Dense layers over features, and actions beside them."""

    def __init__(self, widths: Sequence[int], activation: str) -> None:
        """Make layers of these widths."""
        super().__init__()
        self.layers = dense(widths, activation)

    def forward(self, features: Tensor, actions: Tensor | None = None) -> Tensor:
        """(B, F) and perhaps (B, A) -> (B, outputs)."""
        flat = features.flatten(1)
        return self.layers(flat if actions is None else torch.cat([flat, actions], dim=1))  # type: ignore[no-any-return]


class StateValue(nn.Module):
    """A value of the true state, which the actor never sees.

    A critic that knows which sensor is which learns more easily, and it is not needed to act ("asymmetric actor
    critic", Pinto et al. 2017, arXiv 1710.06542).
    """

    def __init__(self, state_dim: int, hidden: Sequence[int]) -> None:
        """Make layers over a flattened state."""
        super().__init__()
        self.layers = dense((state_dim, *hidden, 1), "tanh")

    def forward(self, state: Tensor) -> Tensor:
        """(B, ...) -> (B, 1)."""
        return self.layers(state.flatten(1))  # type: ignore[no-any-return]


class Critic(nn.Module):
    """An encoder of its own, and values of its features; of the last layers of ``network`` it has none."""

    def __init__(self, network: PolicyNetwork, hidden: Sequence[int], *, of_actions: bool, outputs: int = 1) -> None:
        """Take the encoder of a network with fresh weights.

        Args:
            network: Its layers behind the features are replaced.
            hidden: Widths of the layers behind the features.
            of_actions: Whether it reads actions too.
            outputs: How many values: quantiles.
        """
        super().__init__()
        self.network = network
        self.value_head = network.value_head(hidden, of_actions=of_actions, outputs=outputs)
        network.drop_decisions()

    def forward(self, observations: Observations, actions: Tensor | None = None) -> Tensor:
        """Values (B, outputs) of observations as SB3 gives them, and of encoded actions (B, A)."""
        features = self.network.features(*self.network.remembered(observations))
        return self.value_head(features, actions)  # type: ignore[no-any-return]


class FreeLogStd(nn.Module):
    """One number for each of an action's."""

    def __init__(self, size: int, initial: float) -> None:
        """Begin with ``initial`` everywhere."""
        super().__init__()
        self.values = nn.Parameter(torch.full((size,), float(initial)))

    def forward(self) -> Tensor:
        """Shape (A,)."""
        return self.values
