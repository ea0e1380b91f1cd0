"""An equivariant actor that reads a vector of sensors: K_g pi(s) = pi(L_g s), whatever its weights.

It is also what it is compared with. ``basis="nullspace"`` and ``basis="random"`` are the same layers over other bases;
under the group ``"trivial"`` it is an ordinary MLP. Source: van der Pol et al. 2020 (arXiv 2006.16908).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbench.policies.equivariant.bodies import EquivariantMLP, Vector, on_actions
from symbench.policies.equivariant.symmetries import action_of, group_named, vectors_of
from symbench.policies.networks import SensorNetwork
from symbench.symmetry import trivial_representation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from symbench.policies.networks import Observations, State


class EquivariantMLPNetwork(SensorNetwork):
    """An MLP over sensors whose actions move with them: the MDP homomorphic network of van der Pol et al. 2020.

    Example:
        >>> mirror = {"group": "C2", "observation": {"signs": [[-1, -1, -1, -1]]}, "action": {"maps": [[1, 0]]}}
        >>> network = EquivariantMLPNetwork(2, **mirror, output="discrete")
        >>> sensors = torch.randn(5, 4)
        >>> torch.allclose(network(sensors, ())[0], network(-sensors, ())[0].flip(1), atol=1e-6)
        True
    """

    kind = "equivariant-mlp"

    def __init__(
        self,
        action_dim: int,
        group: str,
        observation: Mapping[str, Any],
        action: Mapping[str, Any] | None = None,
        hidden: Sequence[int] = (64, 64),
        activation: str = "relu",
        output: str = "clip",
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
        basis: str = "equivariant",
        init: str = "torch",
        bias_init: bool = True,
    ) -> None:
        """Make the network.

        Args:
            action_dim: Length A of an action, or number of Discrete actions.
            group: Name of the group.
            observation: How it acts on the sensors; the forms are those of
                :mod:`~symbench.policies.equivariant.symmetries`.
            action: How it acts on actions; by default it does not, and the actor is invariant.
            hidden: Channels of the hidden layers; a channel is |G| numbers.
            activation: ``"relu"`` or ``"tanh"``.
            output: ``"tanh"``, ``"clip"`` or ``"discrete"``; see :class:`~symbench.policies.networks.PolicyNetwork`.
            low: Least action (a number, or one per dimension).
            high: Greatest action.
            basis: One of :data:`~symbench.policies.equivariant.bases.BASES`, or ``"soft"``.
            init: See :class:`~symbench.policies.equivariant.linear.BasisLinear`.
            bias_init: The same.

        Raises:
            SymbenchError: The group, or how it acts, is not described; or it does not keep the actions' bounds.
        """
        config: dict[str, Any] = {"group": group, "observation": dict(observation), "action": action and dict(action)}
        config |= {"hidden": tuple(hidden), "activation": activation, "basis": basis}
        config |= {"init": init, "bias_init": bias_init}
        super().__init__(action_dim, output, low, high, **config)
        rep_in = vectors_of(action_of(group_named(group), observation))
        self.num_sensors, self.rep_out = rep_in.dim, on_actions(self, rep_in.group, action)
        self._layer: dict[str, Any] = {"basis": basis, "init": init, "bias_init": bias_init}
        self.body = EquivariantMLP(rep_in, hidden, activation, **self._layer)
        self.head = Vector(self.body.channels, self.body.rep, self.rep_out, **self._layer)  # type: ignore[assignment]

    def value_head(self) -> nn.Module:
        """A critic's last layer with fresh weights, (B, c, |G|) -> (B, 1): it reads the features of ``body``."""
        one = trivial_representation(self.rep_out.group)
        return Vector(self.body.channels, self.body.rep, one, **self._layer)

    def initial_state(self, batch: int, *shape: int) -> State:
        """The empty tuple."""
        return ()

    def logits(self, observations: Observations, state: State) -> tuple[Tensor, State]:
        """Shape (B, A) for observations of shape (B, N); the state stays empty."""
        return self.head(self.body(observations)), state

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The empty tuple."""
        return state
