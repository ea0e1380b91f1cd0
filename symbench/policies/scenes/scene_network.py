"""What all policies of scenes share: what they read, whom they push, and how.

Observations are ``{"positions": (B, N, d), "velocities": (B, N, d), "attributes": (B, N, k)}``, the last two if there
are any. The first n of the N bodies are agents. They act in a Box (n, d), a force each, or in
``MultiDiscrete([m] * n)`` (one agent: also ``Discrete(m)``), a direction each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.actions import BoxHead, DiscreteHead, MultiDiscreteHead
from symbench.policies.policy_network import PolicyNetwork
from symbench.policies.spaces import form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionHead, ActionSpace
    from symbench.policies.memory import State
    from symbench.policies.policy_network import Inputs, Observations

KEYS: Final = ("positions", "velocities", "attributes")
STEPS: Final = ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1))
"""Directions of five discrete actions, as in the grid worlds: stay, then the four sides."""
_PAIRS_AT_ONCE: Final = 2**14


class SceneNetwork(PolicyNetwork):
    """A network that reads where bodies are and how they move; it has no memory.

    Attributes:
        bodies: Number N of bodies.
        agents: Number n of agents.
        dim: Coordinates d.
        attributes: Numbers k that say what a body is.
        velocities: Whether it reads velocities.
        directions: What each discrete action stands for, (m, d); empty where agents act in a Box.
    """

    def __init__(
        self,
        action_space: ActionSpace,
        bodies: int,
        dim: int,
        attributes: int,
        velocities: bool,
        directions: Sequence[Sequence[float]] = STEPS,
        **architecture: Any,
    ) -> None:
        """Make the action head.

        Raises:
            SymbenchError: The actions are not those of like agents, or others than the directions.
        """
        config = {"bodies": bodies, "dim": dim, "attributes": attributes, "velocities": velocities}
        given = [[float(number) for number in direction] for direction in directions]
        super().__init__(action_space, **config, directions=given, **architecture)
        self.bodies, self.dim, self.attributes, self.velocities = bodies, dim, attributes, velocities
        self.agents = _agents(self.action, dim, len(given))
        if self.agents > bodies:
            raise SymbenchError(f"{self.agents} agents act, but there are only {bodies} bodies")
        self.directions: list[list[float]] = [] if isinstance(self.action, BoxHead) else given
        if any(len(direction) != dim for direction in self.directions):
            raise SymbenchError(f"directions must have {dim} coordinates each, received {given}")

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.sizes`."""
        found = _sizes(space)
        if found is None:
            raise ValueError(f"{cls.kind} reads {_wanted()}, received {form(space)}")
        return found

    def read(self, observations: Any) -> Observations:
        """A scene, or a batch of them, as a batch."""
        # Copied into memory of torch's own: the last bit of a product depends on how its memory is aligned.
        parts = {key: torch.tensor(np.asarray(observations[key])) for key in KEYS if key in observations}
        single = parts["positions"].ndim == 2
        return {key: part[None] if single else part for key, part in parts.items()}

    def incompatibility(self, space: spaces.Space[Any]) -> str | None:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.incompatibility`."""
        own = {name: getattr(self, name) for name in ("bodies", "dim", "attributes", "velocities")}
        if (found := _sizes(space)) == own:
            return None
        said = f"{self.bodies} bodies in {self.dim} dimensions with {self.attributes} attributes"
        return f"reads {said}, the task gives {form(space) if found is None else found}"

    def micro_batch_size(self, shape: Sequence[int]) -> int:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.micro_batch_size`."""
        return max(1, _PAIRS_AT_ONCE // self.bodies**2)

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """Positions, velocities and attributes."""
        return self.remembered(observations), state

    def remembered(self, observations: Observations) -> Inputs:
        """The same: there is nothing to remember. What is not there is without numbers."""
        assert isinstance(observations, dict)
        positions = observations["positions"].to(self.dtype)
        velocities = observations["velocities"].to(self.dtype) if self.velocities else None
        attributes = observations["attributes"].to(self.dtype) if self.attributes else positions[..., :0]
        return positions, velocities, attributes

    def along(self, vectors: Tensor, idle: Tensor) -> Tensor:
        """Logits of a vector for each agent: itself, or its products with the directions.

        Args:
            vectors: (B, n, d).
            idle: Logits of directions without a length, (B, n, 1).

        Returns:
            (B, n * d) or (B, n * m).
        """
        if not self.directions:
            return vectors.flatten(1)
        directions = vectors.new_tensor(self.directions)
        still = (directions == 0).all(dim=1).to(vectors.dtype)
        return (vectors @ directions.T + idle * still).flatten(1)


class OneLogStd(nn.Module):
    """The same logarithm of a deviation for every number: all directions and agents explore alike."""

    def __init__(self, size: int, initial: float) -> None:
        """Begin with ``initial``."""
        super().__init__()
        self.size, self.value = size, nn.Parameter(torch.tensor(float(initial)))

    def forward(self) -> Tensor:
        """Shape (A,)."""
        return self.value.expand(self.size)


def _agents(action: ActionHead, dim: int, directions: int) -> int:
    """How many act."""
    space = action.space
    if isinstance(action, BoxHead) and len(space.shape or ()) == 2 and (space.shape or ())[1] == dim:
        radius = np.unique(np.abs([space.low, space.high]))  # type: ignore[attr-defined]
        if len(radius) == 1 and (space.low < space.high).all():  # type: ignore[attr-defined]
            return (space.shape or ())[0]
    if isinstance(action, DiscreteHead) and action.size == directions:
        return 1
    if isinstance(action, MultiDiscreteHead) and set(action.counts) == {directions}:
        return len(action.counts)
    raise SymbenchError(
        f"bodies are pushed in a Box(-r, r, (n, {dim})) or in MultiDiscrete([{directions}] * n), one for each of the "
        f"directions; received {space}"
    )


def _sizes(space: spaces.Space[Any]) -> dict[str, Any] | None:
    """Arguments of a network for these observations; ``None`` if there is none."""
    parts = space.spaces if isinstance(space, spaces.Dict) else {}
    shapes = {key: parts[key].shape or () for key in KEYS if isinstance(parts.get(key), spaces.Box)}
    bodies = shapes.get("positions", ())
    if len(bodies) != 2 or any(len(shape) != 2 or shape[0] != bodies[0] for shape in shapes.values()):
        return None
    if shapes.get("velocities", bodies) != bodies:
        return None
    attributes = shapes.get("attributes", (0, 0))[1]
    return {"bodies": bodies[0], "dim": bodies[1], "attributes": attributes, "velocities": "velocities" in shapes}


def _wanted() -> str:
    return "Dict(positions: Box(N, d), velocities: Box(N, d), attributes: Box(N, k)), the last two if there are any"
