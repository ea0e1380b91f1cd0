"""A policy that turns, mirrors and moves with the scene, and does not care for the order of like bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from symbench.errors import unknown
from symbench.policies.actions import BoxHead
from symbench.policies.graph import E2GN2, EGNN
from symbench.policies.scenes.scene_network import STEPS, OneLogStd, SceneNetwork, SceneValue, check_sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State

LAYERS: Final = ("e2gn2", "egnn")
FIRST_SCALE: Final = 0.1
"""Of displacements before training. With 1 agents speed up whatever moves and fly apart; under loud noise PPO then
learns to go to the middle, and without noise all meet there."""


class EquivariantGraphNetwork(SceneNetwork):
    """An E(d)-equivariant graph network over all bodies; an agent's action is the way it is displaced.

    The action of agent i is u_i = g_i (x_i^L - x_i), a vector that turns with the scene and does not care where the
    scene is, with g_i in (0, 2) of what does not move; it is made shorter than the limit r of forces by
    ``r u tanh(|u|) / |u|``, since a limit of each coordinate would not turn with the scene. Discrete directions d_k get
    the logits <u, d_k>, equivariant under what permutes the directions; that of no length gets an invariant.
    Deviations are one number for all, values a perceptron of the sum of what does not move with the scene. Sources:
    Satorras et al. 2021 (arXiv 2102.09844); McClellan et al. 2024 (arXiv 2410.02581), whose finding is why
    ``"e2gn2"`` is the default: an EGNN's displacements are almost nothing at first.

    Algorithms that squash actions (SAC, TQC, TD3, DDPG) do so by a tanh of each coordinate, which does not turn with
    the scene: what they train is equivariant under permutations and translations, and under what permutes the axes and
    changes their signs.

    Example:
        >>> from gymnasium import spaces
        >>> policy = EquivariantGraphNetwork(spaces.Box(-1, 1, (3, 2)), bodies=6, dim=2, velocities=False)
        >>> actions, _ = policy({"positions": torch.randn(7, 6, 2)}, ())
        >>> actions.shape
        torch.Size([7, 3, 2])
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
            SymbenchError: An unknown kind of layers, sizes that are none, or actions that are not those of like agents.
        """
        own: dict[str, Any] = {"layers": layers, "hidden": hidden, "depth": depth, "directions": directions}
        super().__init__(action_space, bodies, dim, attributes, velocities, **own)
        check_sizes(hidden=hidden, depth=depth)
        if layers not in LAYERS:
            raise unknown("kind of layers", str(layers), LAYERS)
        self.features_dim = hidden
        box = self.action if isinstance(self.action, BoxHead) else None
        self.radius = float(box.high[0]) if box and box.squash == "clip" and box.space.is_bounded() else None
        # An agent or not, attributes, and the speed.
        self.graph: EGNN | E2GN2 = _layers(layers, 1 + attributes + velocities, hidden, depth, velocities)
        # Of what does not move: how much of the displacement is played, and the logit of directions without a length.
        still = [direction for direction in self.directions if not any(direction)]
        self.head = nn.ModuleList([nn.Linear(hidden, 2 if still else 1)])

    def features(self, *inputs: Tensor | None) -> Tensor:
        """What does not move with the scene, and how far each body is displaced, (B, N, hidden + d)."""
        features, positions, velocities = self.nodes(*inputs)
        if velocities is not None:
            features = torch.cat([features, velocities.norm(dim=-1, keepdim=True)], dim=-1)
        out = self.graph(features, positions, velocities)
        return torch.cat([out.features, out.positions - positions], dim=-1)

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.decide`."""
        return self.last(self.latent(features)), state

    def latent(self, features: Tensor) -> Tensor:
        """The features of the agents."""
        return features[:, : self.agents]

    def last(self, latent: Tensor) -> Tensor:
        """Forces (B, n * d), or logits of directions (B, n * m)."""
        invariants, displacements = latent[..., : self.features_dim], latent[..., self.features_dim :]
        scores = self.head[0](invariants)
        vectors = 2 * torch.sigmoid(scores[..., :1]) * displacements
        if self.directions:
            directions = vectors.new_tensor(self.directions)
            still = (directions == 0).all(dim=1).to(vectors)
            return (vectors @ directions.T + scores[..., -1:] * still).flatten(1)  # type: ignore[no-any-return]
        return (vectors if self.radius is None else _shortened(vectors, self.radius)).flatten(1)

    def value_head(self, hidden: Sequence[int], *, of_actions: bool = False, outputs: int = 1) -> nn.Module:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.value_head`."""
        return InvariantValue(self.features_dim + 1, self.agents, 2 * of_actions, hidden, outputs)

    def log_std(self, initial: float) -> nn.Module:
        """One number for all."""
        return OneLogStd(self.action.size, initial)

    def log_std_head(self) -> nn.Module:
        """One number for each agent, of what does not move with the scene."""
        return AgentLogStd(self.features_dim, self.dim)


class InvariantValue(SceneValue):
    """A perceptron of the sum over bodies of what does not move with the scene.

    Of actions it reads their lengths, and how much they agree with the way the agent is displaced.
    """

    def known(self, features: Tensor) -> Tensor:
        """(B, N, hidden + d) to (B, N, hidden + 1): invariants and log(1 + |u|^2)."""
        invariants, vectors = self._split(features)
        squares = (vectors * vectors).sum(dim=-1, keepdim=True)
        return torch.cat([invariants, torch.log1p(squares)], dim=-1)

    def of_actions(self, features: Tensor, forces: Tensor) -> Tensor:
        """|a|^2 and <a, u>, (B, N, 2)."""
        _, vectors = self._split(features)
        return torch.stack([(forces * forces).sum(dim=-1), (forces * vectors).sum(dim=-1)], dim=-1)

    def _split(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return features[..., : self.width - 1], features[..., self.width - 1 :]


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
        return E2GN2(features, velocities=velocities, scale=FIRST_SCALE, **options)
    return EGNN(features, velocity="updated" if velocities else "none", **options)


def _shortened(vectors: Tensor, radius: float) -> Tensor:
    """Vectors of any length to vectors shorter than ``radius``, (..., d)."""
    squares = (vectors * vectors).sum(dim=-1, keepdim=True)
    lengths = (squares + 1e-12).sqrt()  # at 0 the root has no gradient
    return vectors * (radius * torch.tanh(lengths) / lengths)
