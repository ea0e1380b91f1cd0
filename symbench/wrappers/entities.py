"""Perturbations of entities: agents, particles, landmarks, each a row of every entry of the observation.

* :class:`ShuffleEntities` - in another order, the agents' actions with them
* :class:`DropEntities` - some of them seen as nothing but zeros
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.observations import FrameLayout
from symbench.trees import copied
from symbench.wrappers.checks import interval, portion, real
from symbench.wrappers.core import Perturbation
from symbench.wrappers.registry import register_perturbation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from symbench.wrappers.checks import Resample

_ENTITIES = ("positions", "entities", "images")  # the entries that say how many there are, the first that exists


class _Entities(Perturbation):
    """What perturbations of rows share: the entries that have one row for each entity, and the agents among them."""

    count: int
    """Entities N."""
    agents: int
    """The first of them act: rows of the action; 0 where actions have no rows."""

    def bind(
        self,
        single_observation_space: spaces.Space[Any],
        single_action_space: spaces.Space[Any],
        num_envs: int,
        key: int,
    ) -> spaces.Space[Any]:
        """Fit to a batch of environments; see :meth:`~symbench.wrappers.core.Transform.bind`."""
        self.count = _count(type(self).__name__, single_observation_space)
        self.agents = _acting(single_action_space, self.count)
        self._rows = np.arange(num_envs)[:, None]
        return super().bind(single_observation_space, single_action_space, num_envs, key)

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Space[Any]:
        """The same shapes, with bounds that hold whatever row comes where."""
        if not isinstance(space, spaces.Dict):
            return self._widened(space)
        self._keys = [key for key, part in space.spaces.items() if _has_rows(part, self.count)]
        self._square = [key for key in self._keys if key == "edges"]
        return spaces.Dict(
            {key: self._widened(part) if key in self._keys else part for key, part in space.spaces.items()}
        )

    def _widened(self, space: spaces.Space[Any]) -> spaces.Box:
        assert isinstance(space, spaces.Box)
        low, high = self.bounds(space)
        return spaces.Box(np.broadcast_to(low, space.shape), np.broadcast_to(high, space.shape), dtype=space.dtype.type)

    def bounds(self, space: spaces.Box) -> tuple[NDArray[Any], NDArray[Any]]:
        """Lowest and highest values that a row can have."""
        return space.low.min(axis=0), space.high.max(axis=0)

    def changed(self, observations: Any, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Any:
        """The batch with rows changed in all entries that have them."""
        if not isinstance(observations, dict):
            return change(observations)
        return {key: change(value) if key in self._keys else copied(value) for key, value in observations.items()}


@register_perturbation
class ShuffleEntities(_Entities):
    """Agents come in a random order, and so do all other entities; an action of the agent of a row goes where it acts.

    A policy that treats agents alike (shared weights, messages, graph networks) plays the same episode whatever the
    order is. The first rows, one for each row of the action, are agents and change places among themselves; the rest
    do so among themselves. In a ``Dict`` all entries with one row for each entity are reordered alike, ``"edges"``
    (N, N) in both axes. Distance: permutations per 1000 steps. Source: van der Pol et al. 2022 (arXiv 2110.04495),
    section 3, where agents are permuted by a symmetry of the whole team.

    Args:
        resample: ``"episode"``, ``"step"``, or every t steps: ``t``, ``"every: t"`` or ``{"every": t}``.

    Raises:
        TypeError: ``resample`` is none of these types.
        SymbenchError: ``resample`` is an unknown word or t < 1; the observations have no rows of entities.
    """

    def __init__(self, resample: Resample = "episode") -> None:
        self.interval = interval(resample)
        self.resample = resample

    @classmethod
    def severities(cls) -> Sequence[Mapping[str, Any]]:
        """Once an episode, every 200, 100, 50 and 25 steps."""
        return [{"resample": often} for often in ("episode", 200, 100, 50, 25)]

    def magnitude(self) -> float:
        """Permutations per 1000 steps."""
        return 1.0 if self.interval is None else max(1.0, 1000.0 / self.interval)

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Space[Any]:
        """The same shapes, with bounds that hold whatever row comes where."""
        self.changes_actions = self.agents > 0
        return super().perturbed_space(space)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.intp]:
        """Permutations, shape (size, N): entry j is the entity that comes at place j."""
        order = np.tile(np.arange(self.count), (size, 1))
        parts = (order[:, : self.agents], order[:, self.agents :])
        return np.concatenate([rng.permuted(part, axis=1) for part in parts], axis=1)

    def apply(self, observations: Any, drawn: NDArray[np.intp]) -> Any:
        """Reorder, (B, N, ...) -> the same shape."""
        shown = self.changed(observations, lambda rows: rows[self._rows, drawn])
        for key in self._square if isinstance(shown, dict) else ():
            shown[key] = shown[key][self._rows[:, :, None], np.arange(self.count)[:, None], drawn[:, None, :]]
        return shown

    def act(self, actions: Any) -> Any:
        """Give each agent its own action; see :meth:`~symbench.wrappers.core.Transform.act`."""
        if not self.agents:
            return actions
        told = np.empty_like(actions)
        told[self._rows, self._drawn[:, : self.agents]] = actions
        return told

    def allowed(self, rows: Sequence[int], masks: NDArray[Any]) -> NDArray[Any]:
        """Masks in the order that the team sees; see :meth:`~symbench.wrappers.core.Transform.allowed`."""
        if not self.agents:
            return masks
        of_agents = masks.reshape(len(masks), self.agents, -1)
        order = self._drawn[rows][:, : self.agents]
        allowed: NDArray[Any] = of_agents[np.arange(len(masks))[:, None], order].reshape(masks.shape)
        return allowed


@register_perturbation
class DropEntities(_Entities):
    """Some entities are seen as nothing but zeros for the whole episode; which ones is drawn anew every episode.

    They still act and are acted upon. The ratio is rounded to a number of entities, at least one if it is above 0 and
    all only if it is 1. Distance: the ratio.

    Args:
        ratio: Share of the entities that are not seen, 0 to 1.

    Raises:
        TypeError: ``ratio`` is not a number.
        SymbenchError: ``ratio`` out of range; the observations have no rows of entities.
    """

    def __init__(self, ratio: float = 0.2) -> None:
        self.ratio = real("ratio", ratio, low=0.0, high=1.0)

    @classmethod
    def severities(cls) -> Sequence[Mapping[str, Any]]:
        """20%, 35%, 50%, 65% and 80% of them."""
        return [{"ratio": ratio} for ratio in (0.2, 0.35, 0.5, 0.65, 0.8)]

    def magnitude(self) -> float:
        """Share of entities that are not seen."""
        return self.ratio

    def bounds(self, space: spaces.Box) -> tuple[NDArray[Any], NDArray[Any]]:
        """The same, widened to hold zero."""
        zero = np.zeros_like(space.low)
        return np.minimum(space.low, zero), np.maximum(space.high, zero)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.bool_]:
        """Which entities are seen, shape (size, N)."""
        seen = np.arange(self.count) >= portion(self.ratio, self.count)
        return rng.permuted(np.tile(seen, (size, 1)), axis=1)

    def apply(self, observations: Any, drawn: NDArray[np.bool_]) -> Any:
        """Silence them, (B, N, ...) -> the same shape."""
        return self.changed(
            observations,
            lambda rows: np.where(drawn.reshape(*drawn.shape, *[1] * (rows.ndim - 2)), rows, rows.dtype.type(0)),
        )


def _count(who: str, space: spaces.Space[Any]) -> int:
    """Number of entities of an observation."""
    parts = space.spaces if isinstance(space, spaces.Dict) else {"entities": space}
    for key in _ENTITIES:
        part = parts.get(key)
        # The rows of a picture are no entities.
        if isinstance(part, spaces.Box) and len(part.shape) > 1 and FrameLayout.of(part) is None:
            return part.shape[0]
    raise SymbenchError(
        f"{who} needs rows of entities: a Box (N, F), or a Dict with 'positions' (N, d) or 'entities' (N, F); "
        f"received {space}"
    )


def _has_rows(space: spaces.Space[Any], count: int) -> bool:
    return isinstance(space, spaces.Box) and len(space.shape) > 1 and space.shape[0] == count


def _acting(space: spaces.Space[Any], count: int) -> int:
    """Rows of the joint action: of a ``Box`` (n, d) or a ``MultiDiscrete`` of n like parts, n at most N."""
    if isinstance(space, spaces.Box) and len(space.shape) == 2:
        rows = space.shape[0]
    elif isinstance(space, spaces.MultiDiscrete) and np.ndim(space.nvec) == 1 and len(set(space.nvec.tolist())) == 1:
        rows = len(space.nvec)
    else:
        return 0
    return rows if rows <= count else 0
