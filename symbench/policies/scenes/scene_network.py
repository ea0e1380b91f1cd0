"""What all policies of scenes share: what they read, whom they push, and how.

Observations are ``{"positions": (B, N, d), "velocities": (B, N, d), "attributes": (B, N, k)}``, the last two if there
are any. The first n of the N bodies are agents. They act in a Box (n, d), a force each, or in
``MultiDiscrete([m] * n)``, a direction each; one agent also in a Box (d,) or in ``Discrete(m)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.actions import BoxHead, DiscreteHead, MultiDiscreteHead
from symbench.policies.attention_neuron import dense
from symbench.policies.policy_network import PolicyNetwork
from symbench.policies.spaces import form
from symbench.reading import brief

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionHead, ActionSpace
    from symbench.policies.memory import State
    from symbench.policies.policy_network import Inputs, Observations

KEYS: Final = ("positions", "velocities", "attributes")
STEPS: Final = ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1))
"""Directions of five discrete actions, as in the grid worlds: stay, then the four sides."""
_PAIRS_AT_ONCE: Final = 2**14
_LARGEST: Final = {"depth": 64}  # a file must not ask for a million layers


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

    of_team = True
    ortho_init = True  # first actions near 0: a push outwards or to the middle is a habit that is hard to lose

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
            SymbenchError: The actions are not those of like agents, or others than the directions; numbers are none.
        """
        check_sizes(bodies=bodies, dim=dim)
        if attributes != 0:
            check_sizes(attributes=attributes)
        if not isinstance(velocities, bool):
            raise SymbenchError(f"velocities must be true or false, received {brief(repr(velocities))}")
        config = {"bodies": bodies, "dim": dim, "attributes": attributes, "velocities": velocities}
        given = [[float(number) for number in direction] for direction in directions]
        super().__init__(action_space, **config, directions=given, **architecture)
        self.bodies, self.dim, self.attributes, self.velocities = bodies, dim, attributes, velocities
        there = (True, velocities, attributes > 0)
        self._keys = [key for key, is_read in zip(KEYS, there, strict=True) if is_read]
        self.agents = agents_of(self.action, dim, len(given))
        if self.agents > bodies:
            raise SymbenchError(f"{self.agents} agents act, but there are only {bodies} bodies")
        self.directions: list[list[float]] = [] if isinstance(self.action, BoxHead) else given
        if any(len(direction) != dim for direction in self.directions):
            raise SymbenchError(f"directions must have {dim} coordinates each, received {given}")

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.sizes`."""
        found = sizes_of_scene(space)
        if found is None:
            raise ValueError(f"{cls.kind} reads {_wanted()}, received {form(space)}")
        return found

    def read(self, observations: Any) -> Observations:
        """A scene, or a batch of them, as a batch."""
        # Copied into memory of torch's own: the last bit of a product depends on how its memory is aligned.
        parts = {key: torch.tensor(np.asarray(observations[key]), dtype=self.dtype) for key in self._keys}
        single = parts["positions"].ndim == 2
        return {key: part[None] if single else part for key, part in parts.items()}

    def incompatibility(self, space: spaces.Space[Any]) -> str | None:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.incompatibility`."""
        own = {name: getattr(self, name) for name in ("bodies", "dim", "attributes", "velocities")}
        if (found := sizes_of_scene(space)) == own:
            return None
        return f"reads {_said(**own)}, the task gives {form(space) if found is None else _said(**found)}"

    def micro_batch_size(self, shape: Sequence[int]) -> int:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.micro_batch_size`."""
        return max(1, _PAIRS_AT_ONCE // self.bodies**2)

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """Positions, velocities and attributes."""
        return self.remembered(observations), state

    def remembered(self, observations: Observations) -> Inputs:
        """The same: there is nothing to remember."""
        assert isinstance(observations, dict)
        return tuple(observations[key] if key in self._keys else None for key in KEYS)

    def nodes(self, *inputs: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """What graphs read: features (B, N, k + 1), attributes and who is an agent; positions; velocities."""
        positions, velocities, attributes = inputs
        assert positions is not None
        acts = (torch.arange(self.bodies) < self.agents).to(positions)
        flags = acts[:, None].expand(len(positions), -1, -1)
        features = flags if attributes is None else torch.cat([attributes, flags], dim=-1)
        return features, positions, velocities


class OneLogStd(nn.Module):
    """The same logarithm of a deviation for every number: all directions and agents explore alike."""

    def __init__(self, size: int, initial: float) -> None:
        """Begin with ``initial``."""
        super().__init__()
        self.size, self.value = size, nn.Parameter(torch.tensor(float(initial)))

    def forward(self) -> Tensor:
        """Shape (A,)."""
        return self.value.expand(self.size)


class SceneValue(nn.Module):
    """A perceptron of the sum over bodies of what is known of each, so that their order does not matter."""

    def __init__(self, width: int, agents: int, told: int, hidden: Sequence[int], outputs: int) -> None:
        """Make the layers.

        Args:
            width: Numbers known of each body, and first in its features.
            agents: Number n of agents.
            told: Further numbers that :meth:`of_actions` says of each body; 0: actions are not read.
            hidden: Widths of the layers.
            outputs: How many values: quantiles.
        """
        super().__init__()
        wide = max(width, *hidden, 1)
        self.width, self.agents = width, agents
        self.body = dense((width + told, wide, wide), "tanh") if told else nn.Identity()
        self.layers = dense((wide if told else width, *hidden, outputs), "tanh")

    def forward(self, features: Tensor, actions: Tensor | None = None) -> Tensor:
        """(B, N, F) and perhaps (B, n * d) -> (B, outputs)."""
        known = self.known(features)
        if actions is not None:
            of_agents = actions.reshape(len(actions), self.agents, -1)
            forces = nn.functional.pad(of_agents, (0, 0, 0, features.shape[1] - self.agents))
            known = torch.cat([known, self.of_actions(features, forces)], dim=-1)
        return self.layers(self.body(known).sum(dim=1))  # type: ignore[no-any-return]

    def known(self, features: Tensor) -> Tensor:
        """What is known of each body, (B, N, width): its features."""
        return features

    def of_actions(self, features: Tensor, forces: Tensor) -> Tensor:
        """What is said of the forces on bodies (B, N, d), of which those on agents are actions: the numbers."""
        return forces


def check_sizes(**sizes: Any) -> None:
    """Refuse what is no size.

    Raises:
        SymbenchError: One of them is not a whole number, or too small or large.
    """
    for name, size in sizes.items():
        largest = _LARGEST.get(name, 4096)
        if type(size) is not int or not 1 <= size <= largest:
            raise SymbenchError(f"{name} must be a whole number of 1 to {largest}, received {brief(repr(size))}")


def agents_of(action: ActionHead, dim: int, directions: int) -> int:
    """How many act.

    Args:
        action: Head of their actions.
        dim: Coordinates of a force.
        directions: How many directions there are, where they do not act in a Box.

    Raises:
        SymbenchError: These are not the actions of like agents.
    """
    if isinstance(action, BoxHead) and action.size and action.space.shape[-1] == dim and len(action.space.shape) <= 2:
        radius = action.high[0]  # of a ball in which forces turn: bounds of each coordinate must be alike
        if bool((action.high == radius).all() and (action.low == -radius).all() and radius > 0):
            return action.size // dim
    if isinstance(action, DiscreteHead) and action.size == directions:
        return 1
    if isinstance(action, MultiDiscreteHead) and set(action.counts) == {directions}:
        return len(action.counts)
    raise SymbenchError(
        f"bodies are pushed in a Box(-r, r, (n, {dim})) or in MultiDiscrete([{directions}] * n), one for each of the "
        f"directions; received {action.space}"
    )


def sizes_of_scene(space: spaces.Space[Any]) -> dict[str, Any] | None:
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


def _said(bodies: int, dim: int, attributes: int, velocities: bool) -> str:
    moving = "moving bodies" if velocities else "bodies without velocities"
    return f"{bodies} {moving} in {dim} dimensions with {attributes} attributes"


def _wanted() -> str:
    return "Dict(positions: Box(N, d), velocities: Box(N, d), attributes: Box(N, k)), the last two if there are any"
