"""A policy that turns, mirrors and moves with the scene, and does not care for the order of like bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from symbench.errors import unknown
from symbench.policies.actions import BoxHead
from symbench.policies.attention_neuron import dense
from symbench.policies.graph import E2GN2, EGNN
from symbench.policies.scenes.scene_network import STEPS, OneLogStd, SceneNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State

LAYERS: Final = ("e2gn2", "egnn")


class EquivariantGraphNetwork(SceneNetwork):
    """An E(d)-equivariant graph network over all bodies; an agent's action is the way it is displaced.

    The action of agent i is x_i^L - x_i, a vector that turns with the scene and does not care where the scene is; it
    is made shorter than the limit of forces by ``r u tanh(|u|) / |u|``, since a limit of each coordinate would not turn
    with the scene. Discrete directions d_k get the logits <u, d_k>, equivariant under what permutes the directions.
    Deviations are one number for all, values a perceptron of the sum of what does not move with the scene. Sources:
    Satorras et al. 2021 (arXiv 2102.09844); McClellan et al. 2024 (arXiv 2410.02581), whose finding is why ``"e2gn2"``
    is the default: an EGNN's displacements are almost nothing at first.
    """

    kind = "equivariant-graph"

    def __init__(
        self,
        action_space: ActionSpace,
        bodies: int,
        dim: int,
        attributes: int = 0,
        velocities: bool = True,
        layers: str = "e2gn2",
        hidden: int = 32,
        depth: int = 2,
        directions: Sequence[Sequence[float]] = STEPS,
    ) -> None:
        """Make the network.

        Args:
            action_space: Forces or directions; see :mod:`symbench.policies.scenes.scene_network`.
            bodies: Number N of bodies.
            dim: Coordinates d.
            attributes: Numbers k that say what a body is, and do not move with the scene.
            velocities: Whether it reads velocities.
            layers: ``"e2gn2"`` or ``"egnn"``.
            hidden: Width of the layers.
            depth: Number of layers.
            directions: What each discrete action stands for, (m, d).

        Raises:
            SymbenchError: An unknown kind of layers, or actions that are not those of like agents.
        """
        own: dict[str, Any] = {"layers": layers, "hidden": hidden, "depth": depth, "directions": directions}
        super().__init__(action_space, bodies, dim, attributes, velocities, **own)
        if layers not in LAYERS:
            raise unknown("kind of layers", layers, LAYERS)
        self.features_dim = hidden
        self.bounded = isinstance(self.action, BoxHead) and self.action.squash == "clip"
        self.reach = float(self.action.high.max()) if isinstance(self.action, BoxHead) else 1.0
        self.graph: EGNN | E2GN2 = _layers(layers, attributes + velocities, hidden, depth, velocities)
        self.head = nn.ModuleList([nn.Linear(hidden, 1)])  # of what stands still

    def features(self, *inputs: Tensor | None) -> Tensor:
        """What does not move with the scene, and how far each body is displaced, (B, N, hidden + d)."""
        positions, velocities, attributes = inputs
        assert positions is not None
        assert attributes is not None
        speeds = [] if velocities is None else [velocities.norm(dim=-1, keepdim=True)]
        out = self.graph(torch.cat([attributes, *speeds], dim=-1), positions, velocities)
        return torch.cat([out.features, out.positions - positions], dim=-1)

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.decide`."""
        return self.last(self.latent(features)), state

    def latent(self, features: Tensor) -> Tensor:
        """The features of the agents."""
        return features[:, : self.agents]

    def last(self, latent: Tensor) -> Tensor:
        """Forces, or logits of directions."""
        invariants, vectors = latent[..., : self.features_dim], latent[..., self.features_dim :]
        if self.bounded:
            vectors = _shortened(vectors) * self.reach
        return self.along(vectors, self.head[0](invariants))

    def value_head(self, hidden: Sequence[int], *, of_actions: bool = False, outputs: int = 1) -> nn.Module:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.value_head`."""
        return InvariantValue(self.features_dim, self.agents, self.dim, hidden, of_actions, outputs)

    def log_std(self, initial: float) -> nn.Module:
        """One number for all."""
        return OneLogStd(self.action.size, initial)

    def log_std_head(self) -> nn.Module:
        """One number for each agent, of what does not move with the scene."""
        return AgentLogStd(self.features_dim, self.dim)


class InvariantValue(nn.Module):
    """A perceptron of the sum over bodies of what does not move with the scene.

    Of actions it reads their lengths, and how much they agree with the way the agent is displaced.
    """

    def __init__(
        self, width: int, agents: int, dim: int, hidden: Sequence[int], of_actions: bool, outputs: int
    ) -> None:
        """Make the layers."""
        super().__init__()
        self.width, self.agents, self.dim = width, agents, dim
        self.body = dense((width + 3 * of_actions, max(width, *hidden, 1)), "tanh") if of_actions else nn.Identity()
        self.layers = dense((max(width, *hidden, 1) if of_actions else width, *hidden, outputs), "tanh")

    def forward(self, features: Tensor, actions: Tensor | None = None) -> Tensor:
        """(B, N, hidden + d) and perhaps (B, n * d) -> (B, outputs)."""
        invariants = features[..., : self.width]
        if actions is not None:
            invariants = torch.cat([invariants, self._of_actions(features, actions)], dim=-1)
        return self.layers(self.body(invariants).sum(dim=1))  # type: ignore[no-any-return]

    def _of_actions(self, features: Tensor, actions: Tensor) -> Tensor:
        """(B, N, 3): |a|^2, <a, u>, |u|^2; zeros for bodies that are no agents."""
        vectors = features[..., self.width :]
        forces = torch.zeros_like(vectors)
        forces[:, : self.agents] = actions.reshape(len(actions), self.agents, self.dim)
        products = (forces * forces, forces * vectors, vectors * vectors)
        return torch.stack([product.sum(dim=-1) for product in products], dim=-1)


class AgentLogStd(nn.Module):
    """A logarithm of a deviation for each agent, the same in all directions."""

    def __init__(self, width: int, dim: int) -> None:
        """Make the layer."""
        super().__init__()
        self.width, self.dim, self.layer = width, dim, nn.Linear(width, 1)

    def forward(self, latent: Tensor) -> Tensor:
        """(B, n, hidden + d) -> (B, n * d)."""
        return self.layer(latent[..., : self.width]).expand(-1, -1, self.dim).flatten(1)  # type: ignore[no-any-return]


def _layers(layers: str, features: int, hidden: int, depth: int, velocities: bool) -> EGNN | E2GN2:
    options: dict[str, Any] = {"hidden": hidden, "layers": depth}
    if layers == "e2gn2":
        return E2GN2(features, velocities=velocities, **options)
    return EGNN(features, velocity="updated" if velocities else "none", **options)


def _shortened(vectors: Tensor) -> Tensor:
    """Vectors of any length to vectors shorter than 1, (..., d)."""
    squares = (vectors * vectors).sum(dim=-1, keepdim=True)
    lengths = (squares + 1e-12).sqrt()
    return vectors * torch.tanh(lengths) / lengths
