"""What environments of this folder have in common: a tour grows by one city a step and is paid for when it closes."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np

from symbench.envs.routing.instances import checked_cities
from symbench.envs.single import SingleEnv, StatefulBatch
from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gymnasium.vector import AutoresetMode
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]


class TourVectorEnv(StatefulBatch):
    """``num_envs`` tours through N nodes each.

    A subclass draws instances, says which nodes may come next, when a tour is complete and how long it is.

    Attributes:
        state: ``cities`` (B, N, 2), float32; ``visited`` (B, N), int8, 0 or 1; ``tour`` (B, L), int64, the nodes so
            far, filled up; ``placed`` (B,), int64, how many there are; ``current`` (B,), int64, the last of them, or
            what fills a tour up if there is none.
    """

    def __init__(
        self,
        num_envs: int,
        nodes: int,
        places: int,
        filling: int,
        extra: dict[str, gym.spaces.Space[Any]],
        max_episode_steps: int,
        autoreset_mode: AutoresetMode | str,
        render_mode: str | None,
    ) -> None:
        """Make a batch.

        Args:
            num_envs: Number of sub-environments B.
            nodes: Number N of nodes, which are the actions.
            places: Number L of a tour's places.
            filling: What fills a tour up, and is the current node of an empty one.
            extra: Further entries of an observation.
            max_episode_steps: Steps after which an episode is truncated.
            autoreset_mode: Gymnasium's ``AutoresetMode`` or its value.
            render_mode: Only ``None``.
        """
        observations = {
            "cities": gym.spaces.Box(-np.inf, np.inf, (nodes, 2), np.float32),
            "visited": gym.spaces.MultiBinary(nodes),
            **extra,
            "action_mask": gym.spaces.MultiBinary(nodes),
        }
        spaces = gym.spaces.Dict(observations), gym.spaces.Discrete(nodes)
        super().__init__(num_envs, *spaces, max_episode_steps, autoreset_mode, render_mode)
        self.nodes, self.filling = nodes, filling
        self.state = {
            "cities": np.zeros((num_envs, nodes, 2), np.float32),
            "visited": np.zeros((num_envs, nodes), np.int8),
            "tour": np.full((num_envs, places), filling, np.int64),
            "placed": np.zeros(num_envs, np.int64),
            "current": np.full(num_envs, filling, np.int64),
        }
        self._given: dict[str, NDArray[Any]] = {}  # instances of the running call of reset

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start new episodes; see :meth:`~symbench.envs.batched.BatchedEnv.reset`.

        Args:
            seed: Of instances, one or one each.
            options: ``"cities"`` and whatever else an instance has give instances instead of drawing them, one for all
                sub-environments or one each; they are rounded to single precision.

        Raises:
            SymbenchError: A given instance is of another size, or not finite.
        """
        self._given = self.given(options or {})
        try:
            return super().reset(seed=seed, options=options)
        finally:
            self._given = {}

    def given(self, options: dict[str, Any]) -> dict[str, NDArray[Any]]:
        """Instances in the options of a reset: name in the state -> (B, ...) array."""
        if options.get("cities") is None:
            return {}
        return {"cities": self.one_each("cities", checked_cities(options["cities"], self.nodes))}

    def one_each(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        """What is given for all sub-environments or for each, as one for each."""
        shape = self.state[name].shape
        if array.ndim == len(shape) and len(array) != self.num_envs:
            raise SymbenchError(f"{name} of {self.num_envs} environments are needed, received those of {len(array)}")
        return np.broadcast_to(array, shape)

    def begin_some(self, rows: NDArray[np.int64]) -> None:
        """Take the given instances, or draw some; what need not be drawn is done for all at once, as it is faster."""
        for name, values in self._given.items():
            self.state[name][rows] = values[rows]
        if not self._given:
            self.draw(rows)
        self.clear(rows)

    def draw(self, rows: NDArray[np.int64]) -> None:
        """Draw instances of some sub-environments."""
        super().begin_some(rows)

    def clear(self, rows: NDArray[np.int64]) -> None:
        """Forget the tours of some sub-environments."""
        self.state["visited"][rows] = 0
        self.state["placed"][rows] = 0
        self.state["tour"][rows] = self.filling
        self.state["current"][rows] = self.filling

    @abstractmethod
    def allowed(self) -> Mask:
        """Which nodes may come next, (B, N)."""

    @abstractmethod
    def permitted(self, rows: NDArray[np.int64], nodes: NDArray[np.int64]) -> Mask:
        """The entries of :meth:`allowed` of one node of each of some sub-environments, (b,)."""

    @abstractmethod
    def complete(self) -> Mask:
        """Which tours are complete, (B,)."""

    @abstractmethod
    def lengths(self, rows: NDArray[np.int64]) -> Floats:
        """Lengths of the complete tours of some sub-environments, (b,)."""

    def advance(self, actions: np.ndarray) -> tuple[Floats, Mask]:
        """Put a node on each tour that is not complete; a tour is paid for when it is."""
        rows = np.flatnonzero(~self.ended)
        self.place(rows, self._checked(rows, actions[rows]))
        complete = self.complete()
        done, rewards = rows[complete[rows]], np.zeros(self.num_envs)
        if done.size:
            rewards[done] = -self.lengths(done)
        return rewards, complete

    def place(self, rows: NDArray[np.int64], nodes: NDArray[np.int64]) -> None:
        """Put nodes on the tours of some sub-environments."""
        placed = self.state["placed"]
        self.state["tour"][rows, placed[rows]] = nodes
        self.state["visited"].put(self.entries(rows, nodes), 1)
        self.state["current"][rows] = nodes
        placed[rows] += 1

    def entries(self, rows: NDArray[np.int64], nodes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where in a (B, N) array, read in a row, nodes of some sub-environments are: faster than two indices."""
        return rows * self.nodes + nodes

    def action_masks(self) -> Mask:
        """Which actions are allowed, (B, N), as sb3-contrib's ``MaskablePPO`` asks; all of a tour that is complete."""
        masks = self.allowed()
        masks[self.ended] = True  # nothing is to be chosen any more, and a softmax over no action is NaN
        return masks

    def _checked(self, rows: NDArray[np.int64], nodes: NDArray[np.int64]) -> NDArray[np.int64]:
        if nodes.dtype.kind not in "iu":
            raise SymbenchError(f"actions are numbers of nodes, whole ones, received {nodes[0]} ({nodes.dtype})")
        inside = (nodes >= 0) & (nodes < self.nodes)
        fine = inside & self.permitted(rows, np.where(inside, nodes, 0))
        if not fine.all():
            first = int((~fine).argmax())
            raise SymbenchError(self.refusal(int(rows[first]), int(nodes[first])))
        return nodes

    def refusal(self, i: int, node: int) -> str:
        """Why a node may not come next in sub-environment ``i``, one line."""
        where = f" in sub-environment {i}" if self.num_envs > 1 else ""
        if not 0 <= node < self.nodes:
            return f"action {node}{where}: there are cities 0 to {self.nodes - 1} only"
        return f"action {node}{where}: city {node} {self.reason(i, node)}; choose one that action_mask allows"

    def reason(self, i: int, node: int) -> str:
        """The part of :meth:`refusal` that says what is wrong with a node that exists."""
        return "has been visited already"


class TourEnv(SingleEnv):
    """One of them; arguments are those of the batch, and so are the options of ``reset``, without the batch axis."""

    batch: TourVectorEnv

    def action_masks(self) -> Mask:
        """Which actions are allowed, (N,), as sb3-contrib's ``MaskablePPO`` asks."""
        masks: Mask = self.batch.action_masks()[0]
        return masks
