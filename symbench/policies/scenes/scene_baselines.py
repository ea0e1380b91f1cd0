"""What equivariant policies of scenes are compared with: a graph network and a perceptron that know no geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from symbench.policies.attention_neuron import dense
from symbench.policies.graph import GNN
from symbench.policies.scenes.scene_network import STEPS, SceneNetwork, SceneValue, check_sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State


class PlainGraphNetwork(SceneNetwork):
    """A graph network over all bodies whose coordinates are numbers like any other.

    It does not care for the order of like bodies, and knows nothing of turns. Source: Gilmer et al. 2017
    (arXiv 1704.01212), the baseline of Satorras et al. 2021.
    """

    kind = "plain-graph"

    def __init__(
        self,
        action_space: ActionSpace,
        bodies: int,
        dim: int,
        attributes: int = 0,
        velocities: bool = True,
        hidden: int = 32,
        depth: int = 2,
        directions: Sequence[Sequence[float]] = STEPS,
    ) -> None:
        """Make the network; arguments as of :class:`~symbench.policies.scenes.EquivariantGraphNetwork`."""
        own: dict[str, Any] = {"hidden": hidden, "depth": depth, "directions": directions}
        super().__init__(action_space, bodies, dim, attributes, velocities, **own)
        check_sizes(hidden=hidden, depth=depth)
        self.graph = GNN(1 + attributes, hidden=hidden, layers=depth, dim=dim, velocities=velocities)
        self.graph.decoder = nn.Identity()  # type: ignore[assignment]  # nobody asks where bodies will be
        self.features_dim = hidden
        self.head = nn.ModuleList([nn.Linear(hidden, self.action.num_logits // self.agents)])

    def features(self, *inputs: Tensor | None) -> Tensor:
        """What is known of each body, (B, N, hidden)."""
        return self.graph(*self.nodes(*inputs)).features  # type: ignore[no-any-return]

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.decide`."""
        return self.last(self.latent(features)), state

    def latent(self, features: Tensor) -> Tensor:
        """The features of the agents."""
        return features[:, : self.agents]

    def last(self, latent: Tensor) -> Tensor:
        """The same layer for every agent."""
        return self.head[0](latent).flatten(1)  # type: ignore[no-any-return]

    def value_head(self, hidden: Sequence[int], *, of_actions: bool = False, outputs: int = 1) -> nn.Module:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.value_head`."""
        return SceneValue(self.features_dim, self.agents, self.dim * of_actions, hidden, outputs)

    def log_std_head(self) -> nn.Module:
        """A layer for every agent alike."""
        return nn.Sequential(nn.Linear(self.features_dim, self.dim), nn.Flatten())


class SceneMLPNetwork(SceneNetwork):
    """A perceptron over all numbers of the scene in a row."""

    kind = "scene-mlp"

    def __init__(
        self,
        action_space: ActionSpace,
        bodies: int,
        dim: int,
        attributes: int = 0,
        velocities: bool = True,
        hidden: Sequence[int] = (64, 64),
        directions: Sequence[Sequence[float]] = STEPS,
    ) -> None:
        """Make the network; ``hidden`` are widths of its layers."""
        super().__init__(action_space, bodies, dim, attributes, velocities, directions=directions, hidden=tuple(hidden))
        self.features_dim = bodies * (dim + dim * velocities + attributes)
        self.head = dense((self.features_dim, *hidden, self.action.num_logits), "tanh")

    def features(self, *inputs: Tensor | None) -> Tensor:
        """All numbers in a row, (B, F)."""
        return torch.cat([part.flatten(1) for part in inputs if part is not None], dim=1)
