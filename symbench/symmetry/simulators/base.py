"""What a check needs of a simulator: to put a second environment into the state of the first, moved by g."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import gymnasium as gym
    from numpy.typing import NDArray

    from symbench.symmetry.representations import ActionPermutation, DictRepresentation, GroupAction

    Env = gym.Env[Any, Any]


class Simulator(ABC):
    """How a group acts on the states of an environment, which hold more than observations show."""

    def begin(self, first: Env, second: Env, element: Any, seed: int) -> None:
        """Begin an episode in both; see :meth:`gymnasium.Env.reset`.

        Args:
            first: The environment that is looked at.
            second: The one that shall be in the transformed states.
            element: The group's element g.
            seed: Of the episode.
        """
        first.reset(seed=seed)
        second.reset(seed=seed)

    @abstractmethod
    def align(self, first: Env, second: Env, element: Any) -> None:
        """Put ``second`` into the state L_g s, where s is the state of ``first``."""


class StateVector(Simulator):
    """For environments whose state is a vector, ``env.unwrapped.state``, as those of classic control.

    Args:
        action: How the group acts on state vectors; often as on observations.
        low: Lower bounds of the states in which episodes begin, shape (d,); by default ``reset`` chooses them.
        high: Upper bounds.
    """

    def __init__(
        self, action: GroupAction, low: Sequence[float] | None = None, high: Sequence[float] | None = None
    ) -> None:
        self.action, self.low, self.high = action, low, high

    def begin(self, first: Env, second: Env, element: Any, seed: int) -> None:
        """Begin somewhere between the bounds: random play from ``reset`` would never come near the walls."""
        super().begin(first, second, element, seed)
        if self.low is not None and self.high is not None:
            _set_state(first, np.random.default_rng(seed).uniform(self.low, self.high))

    def align(self, first: Env, second: Env, element: Any) -> None:
        """See :meth:`Simulator.align`."""
        state = np.array(_state_of(first), dtype=np.float64)
        _set_state(first, state)  # so that both hold numbers of the same type
        _set_state(second, self._moved(element, state, first))

    def _moved(self, element: Any, state: NDArray[np.float64], env: Env) -> NDArray[np.float64]:
        try:
            moved: NDArray[np.float64] = self.action.apply(element, state[None])[0]
        except (IndexError, ValueError):
            moved = np.empty(0)
        if moved.shape != state.shape:
            raise SymbenchError(
                f"{env.unwrapped} has states of shape {state.shape}, on which the group does not act as declared; "
                "where states are not observations, say how it acts on them: simulator=StateVector(...)"
            )
        return moved


class StateTree(Simulator):
    """For environments whose state is a dict of arrays, ``env.unwrapped.state``, as symbench's own with agents.

    What is drawn at random ahead is part of such a state, so both environments draw the same, transformed.

    Args:
        action: How the group acts on the state's arrays; those that it does not name are equal in both.
    """

    def __init__(self, action: DictRepresentation) -> None:
        self.action = action

    def align(self, first: Env, second: Env, element: Any) -> None:
        """See :meth:`Simulator.align`."""
        state = {name: array[None] for name, array in _state_of(first).items()}
        second.unwrapped.state = {  # type: ignore[attr-defined]
            name: array[0] for name, array in self.action.apply(element, state).items()
        }


class GridWorldState(StateVector):
    """For ``symbench/GridWorld-v0``: the prey's random moves are transformed, too."""

    def __init__(self, action: GroupAction, moves: ActionPermutation) -> None:
        """See :class:`StateVector`.

        Args:
            action: How the group acts on state vectors.
            moves: How it acts on moves.
        """
        super().__init__(action)
        self.moves = moves

    def begin(self, first: Env, second: Env, element: Any, seed: int) -> None:
        """See :meth:`Simulator.begin`."""
        second.unwrapped.prey_map = self.moves.maps[element]  # type: ignore[attr-defined]
        super().begin(first, second, element, seed)


def _state_of(env: Env) -> Any:
    state = getattr(env.unwrapped, "state", None)
    if state is None:
        raise SymbenchError(f"{env.unwrapped} has no attribute 'state'; say how it is read: simulator=...")
    return state


def _set_state(env: Env, state: NDArray[np.float64]) -> None:
    env.unwrapped.state = state  # type: ignore[attr-defined]
