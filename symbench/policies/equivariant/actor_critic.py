"""A policy and a critic on the same features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from symbench.policies.equivariant.bodies import last_layer
from symbench.symmetry import trivial_representation

if TYPE_CHECKING:
    from torch import Tensor

    from symbench.policies.equivariant.frames import EquivariantCNNNetwork
    from symbench.policies.equivariant.sensors import EquivariantMLPNetwork


class ActorCritic(nn.Module):
    """A policy and a critic that share all layers but the last, as published; the value is invariant.

    After training, ``network`` is the policy that can be saved and played. Source: van der Pol et al. 2020
    (arXiv 2006.16908).

    Attributes:
        network: The policy.
    """

    def __init__(self, network: EquivariantMLPNetwork | EquivariantCNNNetwork) -> None:
        """Add a critic with fresh weights to a policy."""
        super().__init__()
        one = trivial_representation(network.rep_out.group)
        self.network, self.value_head = network, last_layer(network.body, one, **network.layer_options)

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, L) and values (B,).

        Args:
            observations: Sensors (B, N), or k frames on top of each other, (B, k * C, H, W), uint8.
        """
        latent = self.network.latent(self.network.features(observations))
        return self.network.head(latent), self.value_head(latent)[:, 0]
