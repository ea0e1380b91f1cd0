"""An agent that plans the whole tour of an instance at the first observation of an episode, and then plays it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.policies.agent import Agent
from symbench.policies.routing.routing_model import shows
from symbench.policies.routing.tour_states import PROBLEMS
from symbench.policies.spaces import described, form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Seeds = Sequence[tuple[int, int]]
    Planner = Callable[[Mapping[str, NDArray[Any]], Seeds], NDArray[np.int64]]


class TourAgent(Agent):
    """Plays the tours of a planner, which solves all instances of a batch that begin together at once.

    A planner takes ``cities`` (B, N, 2) and, of vehicles, ``demands`` (B, N), and a seed for each instance, a pair of
    numbers. It gives tours (B, T): of cities, or of nodes in which 0 is a return to the depot, padded with 0. The seed
    is that of the environment and the number of its episode, so that what is drawn does not depend on the batch.

    Example:
        >>> agent = TourAgent(lambda instances, seeds: np.array([[0, 2, 1]]), "tsp", "backwards", spaces.Discrete(3))
        >>> agent.reset(1)
        >>> shown = {"cities": np.zeros((1, 3, 2)), "action_mask": np.ones((1, 3))}
        >>> [int(agent.act(shown)[0]) for _ in range(3)]
        [0, 2, 1]
    """

    def __init__(
        self, planner: Planner, problem: str, name: str, action_space: spaces.Space[Any], how: str = "a planner"
    ) -> None:
        """Make the agent.

        Args:
            planner: See the class.
            problem: Which instances it reads, ``"tsp"`` or ``"cvrp"``.
            name: How tables call it.
            action_space: The task's (single) action space.
            how: What plans, in words.
        """
        self.planner, self.problem, self.name, self.action_space = planner, problem, name, action_space
        self.preprocessing = (f"whole tours by {how}, planned at the first observation of an episode",)
        self.reset()

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """Begin new episodes everywhere; environment i of the batch has the seed ``seed + i``."""
        self._seeds = seed + np.arange(num_envs)
        self._episodes, self._placed = np.zeros(num_envs, np.int64), np.zeros(num_envs, np.int64)
        self._tours = np.zeros((num_envs, 0), np.int64)

    def restart(self, mask: NDArray[np.bool_]) -> None:
        """Plan anew in some environments."""
        self._placed[mask] = 0
        self._episodes[mask] += 1

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Go on with the tours of these environments."""
        self._seeds, self._episodes, self._placed, self._tours = (
            part[mask] for part in (self._seeds, self._episodes, self._placed, self._tours)
        )

    def act(self, observations: Any) -> NDArray[Any]:
        """The next nodes, (B,); one for a single observation.

        Raises:
            SymbenchError: A planned node must not come next, e.g. because cities have changed places since.
        """
        single = np.ndim(observations["cities"]) == 2
        batch = {key: np.asarray(part)[None] if single else np.asarray(part) for key, part in observations.items()}
        fresh = np.flatnonzero(self._placed == 0)
        if fresh.size:
            self._plan({key: part[fresh] for key, part in batch.items()}, fresh)
        rows = np.arange(len(self._tours))
        nodes: NDArray[np.int64] = self._tours[rows, self._placed]
        if not batch["action_mask"][rows, nodes].all():
            raise SymbenchError(
                f"agent {self.name!r} plans whole tours, so an instance must stay as it is for the whole episode"
            )
        self._placed += 1
        return nodes[0] if single else nodes

    def incompatibility(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> str | None:
        """See :meth:`Agent.incompatibility`: it needs instances of its problem, and actions that are their nodes."""
        if not shows(self.problem, observation_space):
            other = next((problem for problem in PROBLEMS if shows(problem, observation_space)), None)
            given = f"instances of {other}" if other else form(observation_space)
            return f"{self.name} plans tours of {self.problem}, the task gives {given}"
        if not isinstance(action_space, spaces.Discrete) or action_space.start != 0:
            return f"{self.name} goes from node to node, the task has {described(action_space)}"
        return None

    def _plan(self, instances: Mapping[str, NDArray[Any]], rows: NDArray[np.int64]) -> None:
        seeds = list(zip(self._seeds[rows].tolist(), self._episodes[rows].tolist(), strict=True))
        parts = {key: instances[key] for key in ("cities", "demands") if key in instances}
        planned = self.planner(parts, seeds)
        if not self._tours.size:
            # Twice the nodes: no tour is longer, and after its end an agent may be asked once more.
            self._tours = np.zeros((len(self._tours), 2 * parts["cities"].shape[1]), np.int64)
        self._tours[rows] = 0
        self._tours[rows, : planned.shape[1]] = planned
