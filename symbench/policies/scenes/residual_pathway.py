"""A soft constraint: an equivariant network of scenes, and beside it a plain one that may break what it must."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.scenes.equivariant_graph import EquivariantGraphNetwork
from symbench.policies.scenes.scene_baselines import PlainGraphNetwork
from symbench.policies.scenes.scene_network import STEPS, OneLogStd, SceneNetwork
from symbench.reading import brief

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State


class ResidualPathwayNetwork(SceneNetwork):
    """The sum of an :class:`EquivariantGraphNetwork` and a :class:`PlainGraphNetwork` of the same scene.

    The plain pathway begins small, so the whole is nearly equivariant at first, and :meth:`free` says the squares of
    its weights, which a prior makes expensive (``free_coef`` of :class:`~symbench.policies.sb3.SymmetricPPO` and of the
    arms of a study): turns and shifts are kept unless breaking them pays. Permutations of like bodies are always kept.
    Source: residual pathway priors (Finzi et al. 2021, arXiv 2112.01388), with pathways of whole networks in place of
    layers.
    """

    kind = "residual-graph"
    ortho_init = False  # its parts have heads of their own

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
        start: float = 0.01,
    ) -> None:
        """Make the network; further arguments as of :class:`~symbench.policies.scenes.EquivariantGraphNetwork`.

        Args:
            action_space: Forces or directions; see :mod:`symbench.policies.scenes.scene_network`.
            bodies: Number N of bodies.
            dim: Coordinates d.
            attributes: Numbers k that say what a body is.
            velocities: Whether it reads velocities.
            layers: ``"e2gn2"`` or ``"egnn"``.
            hidden: Width of the layers of both pathways.
            depth: Number of their layers.
            directions: What each discrete action stands for, (m, d).
            start: What the last layer of the plain pathway is multiplied by at first; 0 for an equivariant start.

        Raises:
            SymbenchError: As of the equivariant network; or ``start`` is not between 0 and 1.
        """
        if isinstance(start, bool) or not isinstance(start, (int, float)) or not 0 <= start <= 1:
            raise SymbenchError(f"start must be a number from 0 to 1, received {brief(repr(start))}")
        own: dict[str, Any] = {"hidden": hidden, "depth": depth, "directions": directions}
        super().__init__(action_space, bodies, dim, attributes, velocities, layers=layers, start=start, **own)
        sizes = (self.action, bodies, dim, attributes, velocities)
        self.equivariant, self.plain = (
            EquivariantGraphNetwork(*sizes, layers=layers, **own),
            PlainGraphNetwork(*sizes, **own),
        )
        self.start, self.features_dim = float(start), hidden
        _shrink(self.plain.head[0], self.start)

    def free(self) -> Tensor:
        """Sum of the squares of the plain pathway's weights; see :func:`~symbench.policies.equivariant.free_part`."""
        return _squares(self.plain)

    def features(self, *inputs: Tensor | None) -> Tensor:
        """Those of the equivariant pathway, then of the plain one, (B, N, hidden + d + hidden)."""
        return torch.cat([self.equivariant.features(*inputs), self.plain.features(*inputs)], dim=-1)

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.decide`."""
        return self.last(self.latent(features)), state

    def latent(self, features: Tensor) -> Tensor:
        """The features of the agents."""
        return features[:, : self.agents]

    def last(self, latent: Tensor) -> Tensor:
        """The sum of both."""
        equivariant, plain = _halves(latent, self.features_dim)
        return self.equivariant.last(equivariant) + self.plain.last(plain)

    def drop_decisions(self) -> None:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.drop_decisions`."""
        self.equivariant.drop_decisions()
        self.plain.drop_decisions()

    def value_head(self, hidden: Sequence[int], *, of_actions: bool = False, outputs: int = 1) -> nn.Module:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.value_head`."""
        heads = [
            network.value_head(hidden, of_actions=of_actions, outputs=outputs)
            for network in (self.equivariant, self.plain)
        ]
        return ResidualValue(heads[0], heads[1], self.features_dim, self.start)

    def log_std(self, initial: float) -> nn.Module:
        """One number for all."""
        return OneLogStd(self.action.size, initial)

    def log_std_head(self) -> nn.Module:
        """One number for each agent, of what does not move with the scene."""
        return self.equivariant.log_std_head()


class ResidualValue(nn.Module):
    """The sum of an invariant value and of a plain one that begins small."""

    def __init__(self, invariant: nn.Module, plain: nn.Module, width: int, start: float) -> None:
        """Join two heads; the last ``width`` features are the plain one's."""
        super().__init__()
        self.invariant, self.plain, self.width = invariant, plain, width
        _shrink([layer for layer in plain.modules() if isinstance(layer, nn.Linear)][-1], start)

    def free(self) -> Tensor:
        """Sum of the squares of the plain head's weights."""
        return _squares(self.plain)

    def forward(self, features: Tensor, actions: Tensor | None = None) -> Tensor:
        """(B, N, F) and perhaps (B, n * d) -> (B, outputs)."""
        equivariant, plain = _halves(features, self.width)
        return self.invariant(equivariant, actions) + self.plain(plain, actions)  # type: ignore[no-any-return]


def _halves(features: Tensor, plain: int) -> tuple[Tensor, Tensor]:
    return features[..., :-plain], features[..., -plain:]


def _shrink(layer: nn.Module, factor: float) -> None:
    for parameter in layer.parameters():
        parameter.data *= factor


def _squares(module: nn.Module) -> Tensor:
    return torch.stack([parameter.square().sum() for parameter in module.parameters()]).sum()
