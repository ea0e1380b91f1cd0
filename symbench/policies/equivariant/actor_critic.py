"""An equivariant actor and an invariant critic on the same features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from symbench.policies.equivariant.frames import EquivariantCNNNetwork

if TYPE_CHECKING:
    from symbench.policies.equivariant.sensors import EquivariantMLPNetwork


class ActorCritic(nn.Module):
    """An actor and a critic on the same features; the policy is equivariant, the value invariant.

    After training, ``network`` is the actor that can be saved and played.

    Attributes:
        network: The actor.
    """

    def __init__(self, network: EquivariantMLPNetwork | EquivariantCNNNetwork) -> None:
        """Add a critic with fresh weights to an actor."""
        super().__init__()
        self.network, self.value_head = network, network.value_head()

    def features(self, observations: Tensor) -> Tensor:
        """What both read, (B, c, |G|).

        Args:
            observations: Sensors (B, N), or k frames on top of each other, (B, k * C, H, W), uint8.
        """
        if isinstance(self.network, EquivariantCNNNetwork):
            return self.network.features(observations)
        return self.network.body(observations)  # type: ignore[no-any-return]

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Policy (B, A) - scores, or the mean before squashing or clipping - and value (B,), with shared features."""
        features = self.features(observations)
        return self.network.head(features), self.value_head(features)[:, 0]

    def policy(self, observations: Tensor) -> Tensor:
        """The last layer's output, (B, A)."""
        return self.network.head(self.features(observations))  # type: ignore[no-any-return]

    def value(self, observations: Tensor) -> Tensor:
        """The value, (B,)."""
        return self.value_head(self.features(observations))[:, 0]  # type: ignore[no-any-return]
