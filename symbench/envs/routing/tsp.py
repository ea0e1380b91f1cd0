"""The travelling salesman: visit every city once and return, on the shortest tour.

* :class:`TSPEnv` - one environment
* :class:`TSPVectorEnv` - many in one array program; the same episodes for the same seeds

**Symmetry.** Turning, mirroring and shifting the cities, E(2), changes no length and no action. Relabelling them, S_n,
permutes rows, masks and actions. Scaling them scales the reward.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from symbench.envs.rendering import draw_tour
from symbench.envs.routing.instances import distribution
from symbench.envs.routing.tour_env import TourEnv, TourVectorEnv
from symbench.envs.routing.tours import tour_lengths
from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TSPVectorEnv(TourVectorEnv):
    """``num_envs`` tours built by one array program; see :class:`TSPEnv`.

    Attributes:
        state: See :class:`~symbench.envs.routing.tour_env.TourVectorEnv`; a tour has n places, n fills it up.
    """

    def __init__(
        self,
        num_envs: int = 1,
        n: int = 20,
        cities: str = "uniform",
        max_episode_steps: int = sys.maxsize,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Make a batch.

        Args:
            num_envs: Number of sub-environments B.
            n: Number of cities.
            cities: How they are drawn, ``"uniform"`` or ``"clustered"``.
            max_episode_steps: Steps after which an episode is truncated; it ends after n by itself.
            autoreset_mode: Gymnasium's ``AutoresetMode`` or its value.
            render_mode: Only ``None``.

        Raises:
            SymbenchError: n < 2, or there is no such distribution.
        """
        if not isinstance(n, (int, np.integer)) or n < 2:
            raise SymbenchError(f"a tour needs a whole number n >= 2 of cities, received n={n!r}")
        self.n, self._draw = int(n), distribution(cities)
        node = gym.spaces.Discrete(self.n + 1)  # n: none yet
        extra: dict[str, gym.spaces.Space[Any]] = {"first": node, "current": node}
        super().__init__(num_envs, self.n, self.n, self.n, extra, max_episode_steps, autoreset_mode, render_mode)

    def begin(self, i: int, generator: np.random.Generator) -> None:
        """Draw the cities of sub-environment ``i``."""
        self._draw(generator, self.state["cities"][i])

    def allowed(self) -> NDArray[np.bool_]:
        """Cities that have not been visited, (B, n)."""
        unvisited: NDArray[np.bool_] = self.state["visited"] == 0
        return unvisited

    def permitted(self, rows: NDArray[np.int64], nodes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """See :meth:`TourVectorEnv.permitted`."""
        unvisited: NDArray[np.bool_] = self.state["visited"].take(self.entries(rows, nodes)) == 0
        return unvisited

    def complete(self) -> NDArray[np.bool_]:
        """Tours through all cities, (B,)."""
        complete: NDArray[np.bool_] = self.state["placed"] == self.n
        return complete

    def lengths(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """See :meth:`TourVectorEnv.lengths`."""
        return tour_lengths(self.state["cities"][rows], self.state["tour"][rows])

    def observe(self) -> dict[str, NDArray[Any]]:
        """The entries of :class:`TSPEnv`'s observation, each with a batch axis."""
        return {
            "cities": self.state["cities"].copy(),
            "visited": self.state["visited"].copy(),
            "first": self.state["tour"][:, 0].copy(),
            "current": self.state["current"].copy(),
            "action_mask": self.action_masks().view(np.int8),
        }

    def picture(self, i: int) -> NDArray[np.uint8]:
        """Cities and the tour so far, (480, 480, 3), uint8."""
        tour = self.state["tour"][i, : self.state["placed"][i]].tolist()
        closed = tour + tour[:1] if len(tour) == self.n else tour
        return draw_tour(self.state["cities"][i], [closed])


class TSPEnv(TourEnv):
    """A tour through n cities of the plane, built city by city.

    Observation: a dict of ``cities`` (n, 2), float32, uniform in the unit square or clustered; ``visited`` (n,), int8,
    0 or 1; ``first`` and ``current``, the city in which the tour begins and the one in which it is, n before there is
    one; ``action_mask`` (n,), int8, 1 for cities that may come next: those not visited, and all once the tour is
    complete. Action: the next city; one that was visited is an error. Reward: 0, and with the last city minus the
    length of the closed tour (see :mod:`symbench.envs.routing`), which ends the episode after n steps.

    ``reset(options={"cities": array})`` plays given cities. ``action_masks()`` is what sb3-contrib's ``MaskablePPO``
    needs. Arguments: those of :class:`TSPVectorEnv`.

    Example:
        >>> import gymnasium as gym
        >>> import symbench.envs
        >>> env = gym.make("symbench/TSP-v0", n=4)
        >>> _ = env.reset(options={"cities": [[0, 0], [0, 1], [1, 1], [1, 0]]})
        >>> [env.step(city)[1] for city in range(4)]
        [0.0, 0.0, 0.0, -4.0]
    """

    vector_class = TSPVectorEnv
