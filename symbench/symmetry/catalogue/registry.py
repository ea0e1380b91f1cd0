"""Where declared symmetries are kept and found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import gymnasium as gym

from symbench.errors import SymbenchError, unknown

if TYPE_CHECKING:
    from symbench.symmetry.pairs import SymmetryPair
    from symbench.symmetry.simulators import Simulator

_MODULES: Final = {"symbench/": "symbench.envs", "ALE/": "ale_py"}  # importing them registers these ids

_OF_TASKS: Final = {"TSP20": "symbench/TSP-v0", "CVRP20": "symbench/CVRP-v0"}  # others are called as their environment


@dataclass(frozen=True)
class Declaration:
    """One symmetry of one environment, and how it is checked.

    Attributes:
        env_id: Gymnasium id.
        pair: The symmetry.
        simulator: How the group acts on the simulator's states; ``None`` if states are observations
            (``env.unwrapped.state``).
        kwargs: Arguments of ``gymnasium.make`` that the symmetry is declared for.
        components: Names of the numbers of an observation, for tables.
        steps: How many steps a check compares.
        resets: How many first observations a check draws, twice.
    """

    env_id: str
    pair: SymmetryPair
    simulator: Simulator | None = None
    kwargs: dict[str, Any] = field(default_factory=dict)
    components: tuple[str, ...] = ()
    steps: int = 1000
    resets: int = 400

    def make(self) -> gym.Env[Any, Any]:
        """The environment.

        Raises:
            gymnasium.error.Error: It cannot be made, e.g. because a package is missing.
            ImportError: A package is missing.
        """
        module = next((module for prefix, module in _MODULES.items() if self.env_id.startswith(prefix)), None)
        qualified = f"{module}:{self.env_id}" if module else self.env_id
        return gym.make(qualified, disable_env_checker=True, **self.kwargs)


CATALOGUE: Final[dict[str, tuple[Declaration, ...]]] = {}
"""Environment id to the declarations of its symmetries, the usual one first."""


def register(*declarations: Declaration) -> None:
    """Add declarations to the catalogue.

    Raises:
        SymbenchError: The environment has a symmetry of that name already.
    """
    for declaration in declarations:
        env_id, name = declaration.env_id, declaration.pair.name
        if any(known.pair.name == name for known in CATALOGUE.get(env_id, ())):
            raise SymbenchError(f"{env_id} has a symmetry called {name!r} already; give this one another name")
        CATALOGUE[env_id] = (*CATALOGUE.get(env_id, ()), declaration)


def register_symmetry(
    env_id: str, pair: SymmetryPair, simulator: Simulator | None = None, kwargs: dict[str, Any] | None = None
) -> None:
    """Declare a symmetry of an environment of one's own.

    Args:
        env_id: Gymnasium id.
        pair: The symmetry.
        simulator: How the group acts on states; not needed where ``env.unwrapped.state`` is what is observed.
        kwargs: Arguments of ``gymnasium.make`` that the symmetry is declared for.

    Raises:
        SymbenchError: The environment has a symmetry of that name already.
    """
    register(Declaration(env_id, pair, simulator, dict(kwargs or {})))


def declarations_of(env_id: str) -> tuple[Declaration, ...]:
    """All that is declared for an environment.

    Args:
        env_id: Gymnasium id, or the name of a task such as ``"CartPoleSwingUp"``.

    Raises:
        SymbenchError: The catalogue has no such environment; the message lists near names.
    """
    of_task = _OF_TASKS.get(env_id, f"symbench/{env_id}-v0")
    found = env_id if env_id in CATALOGUE else of_task
    if found not in CATALOGUE:
        raise unknown("environment", env_id, CATALOGUE, "in the catalogue of symmetries")
    return CATALOGUE[found]


def symmetries_of(env_id: str) -> tuple[SymmetryPair, ...]:
    """The declared symmetries of an environment, the usual one first; negative controls have the status ``"none"``.

    Args:
        env_id: Gymnasium id, or the name of a task such as ``"CartPoleSwingUp"``.

    Raises:
        SymbenchError: The catalogue has no such environment; the message lists near names.
    """
    return tuple(declaration.pair for declaration in declarations_of(env_id))


def symmetry_of(env_id: str, name: str | None = None) -> SymmetryPair:
    """One declared symmetry of an environment.

    Args:
        env_id: Gymnasium id, or the name of a task such as ``"CartPoleSwingUp"``.
        name: Which; by default the first.

    Raises:
        SymbenchError: There is none; the message lists near names.

    Example:
        >>> symmetry_of("CartPole-v1").action.apply(1, np.array([0, 1]))
        array([1, 0])
    """
    pairs = {pair.name: pair for pair in symmetries_of(env_id)}
    if name is not None and name not in pairs:
        raise unknown("symmetry", name, pairs, f"of {env_id}")
    return next(iter(pairs.values())) if name is None else pairs[name]


def variant_for(env_id: str, name: str, kwargs: dict[str, Any]) -> str:
    """The name of a symmetry for an environment with these arguments.

    A symmetry that is declared for several sizes has the size behind its name: ``"relabelling"`` of tours with n = 50
    is ``"relabelling-50"``. Where nothing is declared under such a name, it is the name itself.

    Args:
        env_id: Gymnasium id.
        name: Of the symmetry, without size.
        kwargs: Arguments of ``gymnasium.make``.
    """
    sized = "-".join([name, *map(str, kwargs.values())])
    return sized if any(each.pair.name == sized for each in CATALOGUE.get(env_id, ())) else name
