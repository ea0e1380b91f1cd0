"""The capacitated vehicle routing problem: serve every customer on routes from a depot that no vehicle's load exceeds.

* :class:`CVRPEnv` - one environment
* :class:`CVRPVectorEnv` - many in one array program; the same episodes for the same seeds

Rules and instances are those of Nazari et al. 2018 (arXiv 1802.04240) and Kool et al. 2019 (arXiv 1803.08475).

**Symmetry.** As of the travelling salesman, E(2) and scaling; S_n relabels the customers, and the depot stays.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from symbench.envs.rendering import draw_tour
from symbench.envs.routing.instances import (
    LARGEST_DEMAND,
    SLACK,
    capacity_for,
    checked_demands,
    distribution,
    uniform_demands,
)
from symbench.envs.routing.tour_env import TourEnv, TourVectorEnv
from symbench.envs.routing.tours import route_lengths, split_routes
from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CVRPVectorEnv(TourVectorEnv):
    """``num_envs`` tours built by one array program; see :class:`CVRPEnv`.

    Attributes:
        state: See :class:`~symbench.envs.routing.tour_env.TourVectorEnv`; N = n + 1, a tour has 2 n places, zeros fill
            it up. Also ``demands`` (B, n + 1), float32; ``capacity`` (B,), float64, what is left of the vehicle's; and
            ``waiting`` (B,), int64, how many customers are to be served.
    """

    def __init__(
        self,
        num_envs: int = 1,
        n: int = 20,
        capacity: int | None = None,
        cities: str = "uniform",
        max_episode_steps: int = sys.maxsize,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Make a batch.

        Args:
            num_envs: Number of sub-environments B.
            n: Number of customers.
            capacity: Of a vehicle, in the units in which customers demand 1 to 9; by default the published one, 20, 30,
                40, 50 for n = 10, 20, 50, 100.
            cities: How depot and customers are drawn, ``"uniform"`` or ``"clustered"``.
            max_episode_steps: Steps after which an episode is truncated; it ends after at most 2 n - 1 by itself.
            autoreset_mode: Gymnasium's ``AutoresetMode`` or its value.
            render_mode: Only ``None``.

        Raises:
            SymbenchError: There is no customer, no capacity is known or it is below the largest demand, or there is no
                such distribution.
        """
        if not isinstance(n, (int, np.integer)) or n < 1:
            raise SymbenchError(f"vehicles need a whole number n >= 1 of customers, received n={n!r}")
        self.n, self._draw = int(n), distribution(cities)
        self.capacity = capacity_for(self.n) if capacity is None else capacity
        if self.capacity < LARGEST_DEMAND:
            raise SymbenchError(f"capacity must hold the largest demand, {LARGEST_DEMAND}, received {self.capacity}")
        size = self.n + 1
        extra: dict[str, gym.spaces.Space[Any]] = {
            "demands": gym.spaces.Box(0, 1, (size,), np.float32),
            "current": gym.spaces.Discrete(size),
            "capacity": gym.spaces.Box(0, 1, (1,), np.float32),
        }
        super().__init__(num_envs, size, 2 * self.n, 0, extra, max_episode_steps, autoreset_mode, render_mode)
        self.state["demands"] = np.zeros((num_envs, size), np.float32)
        self.state["capacity"] = np.ones(num_envs)
        self.state["waiting"] = np.full(num_envs, self.n, np.int64)
        self._numbers = np.zeros((num_envs, size))  # numbers that demands are made of

    def given(self, options: dict[str, Any]) -> dict[str, NDArray[Any]]:
        """Also ``demands``: an instance needs both, or neither."""
        cities, demands = super().given(options), options.get("demands")
        if bool(cities) != (demands is not None):
            raise SymbenchError("an instance has cities and demands: give both in the options of reset, or neither")
        if demands is None:
            return cities
        return {**cities, "demands": self.one_each("demands", checked_demands(demands, self.nodes))}

    def draw(self, rows: NDArray[np.int64]) -> None:
        """Also turn the numbers drawn into demands."""
        super().draw(rows)
        self.state["demands"][rows] = uniform_demands(self._numbers[rows], self.capacity)

    def clear(self, rows: NDArray[np.int64]) -> None:
        """Also fill the vehicle up."""
        super().clear(rows)
        self.state["capacity"][rows] = 1.0
        self.state["waiting"][rows] = self.n

    def begin(self, i: int, generator: np.random.Generator) -> None:
        """Draw the cities of sub-environment ``i``, then the numbers that its demands are made of."""
        self._draw(generator, self.state["cities"][i])
        generator.random(out=self._numbers[i])

    def allowed(self) -> NDArray[np.bool_]:
        """Customers not visited whose demand fits, and the depot unless the vehicle is there, (B, n + 1)."""
        allowed: NDArray[np.bool_] = self.state["demands"] <= self._limit()[:, None]
        allowed &= self.state["visited"] == 0
        allowed[:, 0] = self.state["current"] != 0
        return allowed

    def permitted(self, rows: NDArray[np.int64], nodes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """See :meth:`TourVectorEnv.permitted`."""
        places = self.entries(rows, nodes)
        permitted: NDArray[np.bool_] = self.state["demands"].take(places) <= self._limit()[rows]
        permitted &= self.state["visited"].take(places) == 0
        permitted &= self.state["current"][rows] != nodes  # which of customers follows from their visits
        return permitted

    def _limit(self) -> NDArray[np.float32]:
        """The largest demand that fits, (B,)."""
        limit: NDArray[np.float32] = (self.state["capacity"] + SLACK).astype(np.float32)
        return limit

    def complete(self) -> NDArray[np.bool_]:
        """Tours that have served all customers, (B,)."""
        complete: NDArray[np.bool_] = self.state["waiting"] == 0
        return complete

    def lengths(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """See :meth:`TourVectorEnv.lengths`."""
        longest = int(self.state["placed"][rows].max())
        return route_lengths(self.state["cities"][rows], self.state["tour"][rows, :longest])

    def place(self, rows: NDArray[np.int64], nodes: NDArray[np.int64]) -> None:
        """Also unload, or fill the vehicle up at the depot."""
        super().place(rows, nodes)
        self.state["visited"][:, 0] = 0  # the depot may be visited again
        self.state["waiting"][rows] -= nodes != 0
        left = np.maximum(self.state["capacity"][rows] - self.state["demands"].take(self.entries(rows, nodes)), 0.0)
        left[nodes == 0] = 1.0
        self.state["capacity"][rows] = left

    def reason(self, i: int, node: int) -> str:
        """See :meth:`TourVectorEnv.reason`."""
        if node == 0:
            return "is the depot, where the vehicle is"
        if self.state["visited"][i, node]:
            return super().reason(i, node)
        demand, left = self.state["demands"][i, node], self.state["capacity"][i]
        return f"demands {demand:.3f} of a vehicle's capacity, of which {left:.3f} is left"

    def observe(self) -> dict[str, NDArray[Any]]:
        """The entries of :class:`CVRPEnv`'s observation, each with a batch axis."""
        return {
            "cities": self.state["cities"].copy(),
            "demands": self.state["demands"].copy(),
            "visited": self.state["visited"].copy(),
            "current": self.state["current"].copy(),
            "capacity": self.state["capacity"].astype(np.float32)[:, None],
            "action_mask": self.action_masks().view(np.int8),
        }

    def picture(self, i: int) -> NDArray[np.uint8]:
        """Depot, customers and the routes so far, (480, 480, 3), uint8."""
        routes = [[0, *route.tolist(), 0] for route in split_routes(self.state["tour"][i, : self.state["placed"][i]])]
        if routes and not self.complete()[i] and self.state["current"][i] != 0:
            routes[-1].pop()
        return draw_tour(self.state["cities"][i], routes, depot=True)


class CVRPEnv(TourEnv):
    """Routes of a vehicle that starts full from a depot, node 0, and returns there to fill up.

    Observation: a dict of ``cities`` (n + 1, 2), float32, the depot first; ``demands`` (n + 1,), float32, shares of the
    vehicle's capacity, of the depot 0; ``visited`` (n + 1,), int8, 0 or 1, of the depot 0; ``current``, the node in
    which the vehicle is, at first the depot; ``capacity`` (1,), float32, the share that is left; ``action_mask``
    (n + 1,), int8, 1 for nodes that may come next: customers that have not been visited and whose demand is left, and
    the depot unless the vehicle is there; all once the tour is complete. Action: the next node; one that is masked is
    an error. Reward: 0, and with the last customer minus the length of all routes, the final return included (see
    :mod:`symbench.envs.routing`), which ends the episode after n to 2 n - 1 steps. A load may exceed the capacity by
    one millionth: one that fills it exactly shall not fail by rounding.

    ``reset(options={"cities": array, "demands": array})`` plays a given instance. ``action_masks()`` is what
    sb3-contrib's ``MaskablePPO`` needs. Arguments: those of :class:`CVRPVectorEnv`.
    """

    vector_class = CVRPVectorEnv
