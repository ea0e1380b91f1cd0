"""An equivariant policy that reads a vector of sensors: K_g pi(s) = pi(L_g s), whatever its weights.

It is also what it is compared with. ``basis="nullspace"`` and ``basis="random"`` are the same layers over other bases;
under the group ``"trivial"`` it is an ordinary MLP. Source: van der Pol et al. 2020 (arXiv 2006.16908).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from symbench.policies.equivariant.bodies import EquivariantMLP, last_layer, on_actions
from symbench.policies.equivariant.critics import EquivariantCritics
from symbench.policies.equivariant.symmetries import action_of, group_named, vectors_of
from symbench.policies.policy_network import SensorNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State


class EquivariantMLPNetwork(EquivariantCritics, SensorNetwork):
    """An MLP over sensors whose actions move with them: the MDP homomorphic network of van der Pol et al. 2020.

    Example:
        >>> mirror = {"group": "C2", "observation": {"signs": [[-1, -1, -1, -1]]}, "action": {"maps": [[1, 0]]}}
        >>> network = EquivariantMLPNetwork({"discrete": 2}, **mirror)
        >>> sensors = torch.randn(5, 4)
        >>> torch.allclose(network.logits(sensors, ())[0], network.logits(-sensors, ())[0].flip(1), atol=1e-6)
        True
    """

    kind = "equivariant-mlp"

    def __init__(
        self,
        action_space: ActionSpace,
        group: str,
        observation: Mapping[str, Any],
        action: Mapping[str, Any] | None = None,
        hidden: Sequence[int] = (64, 64),
        activation: str = "relu",
        basis: str = "equivariant",
        init: str = "torch",
        bias_init: bool = True,
    ) -> None:
        """Make the network.

        Args:
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            group: Name of the group.
            observation: How it acts on the sensors; the forms are those of
                :mod:`~symbench.policies.equivariant.symmetries`.
            action: How it acts on actions; by default it does not, and the actor is invariant.
            hidden: Channels of the hidden layers; a channel is |G| numbers.
            activation: ``"relu"`` or ``"tanh"``.
            basis: One of :data:`~symbench.policies.equivariant.bases.BASES`, or ``"soft"``.
            init: See :class:`~symbench.policies.equivariant.linear.BasisLinear`.
            bias_init: The same.

        Raises:
            SymbenchError: The group, or how it acts, is not described; or it does not keep the actions' bounds.
        """
        config: dict[str, Any] = {"group": group, "observation": dict(observation), "action": action and dict(action)}
        config |= {"hidden": tuple(hidden), "activation": activation, "basis": basis}
        config |= {"init": init, "bias_init": bias_init}
        super().__init__(action_space, **config)
        rep_in = vectors_of(action_of(group_named(group), observation))
        self.num_sensors = self.features_dim = rep_in.dim
        self.rep, self.rep_out = rep_in, on_actions(self.action, rep_in.group, action)
        self.layer_options: dict[str, Any] = {"basis": basis, "init": init, "bias_init": bias_init}
        self.body = EquivariantMLP(rep_in, hidden, activation, **self.layer_options)
        self.head = last_layer(self.body, self.rep_out, self.action.copies, **self.layer_options)

    def latent(self, features: Tensor) -> Tensor:
        """The hidden layers, (B, c, |G|)."""
        return self.body(features)  # type: ignore[no-any-return]

    def drop_decisions(self) -> None:
        """Take off all layers: the features are what is read."""
        self.body, self.head = nn.Identity(), nn.Identity()

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """All layers; the state stays empty."""
        return self.head(self.body(features)), state

    def last(self, latent: Tensor) -> Tensor:
        """The last layer, to logits (B, L)."""
        return self.head(latent)  # type: ignore[no-any-return]
