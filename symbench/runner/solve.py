"""One instance from a file, solved by any agent that builds tours: ``symbench solve``."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.envs.routing.tours import tour_lengths
from symbench.envs.routing.tsplib import read_tsplib
from symbench.errors import SymbenchError
from symbench.runner.agents import load, resolve
from symbench.runner.evaluate import single_thread
from symbench.tasks import get_task

if TYPE_CHECKING:
    from pathlib import Path

    import gymnasium as gym
    from numpy.typing import NDArray

    from symbench.policies.agent import Agent


@dataclass(frozen=True)
class SolvedInstance:
    """A tour through the cities of a file.

    Attributes:
        name: As the file calls the instance.
        cities: Coordinates as the file has them, (n, 2), float64.
        tour: Places of the cities in the file, from 0, (n,).
        agent: Who found it.
        length: Of the closed tour.
        rounded_length: The same by TSPLIB's rule, every edge rounded to a whole number, as published optima are.
    """

    name: str
    cities: NDArray[np.float64]
    tour: NDArray[np.int64]
    agent: str
    length: float
    rounded_length: int


def solve_file(path: Path, agent: str, trust: bool = False, seed: int = 0) -> SolvedInstance:
    """Solve a TSPLIB instance.

    Agents see the cities in the unit square, all coordinates moved and scaled alike: learned ones know no others.

    Args:
        path: TSPLIB file with ``EDGE_WEIGHT_TYPE: EUC_2D``.
        agent: As ``symbench run`` takes it, e.g. ``"two-opt"`` or ``"am.safetensors,decode=x8"``.
        trust: Whether code may be executed, see :func:`~symbench.runner.agents.resolve`.
        seed: Of what the agent draws.

    Raises:
        SymbenchError: The file cannot be read, there is no such agent, or it builds no tours.
    """
    instance = read_tsplib(path)
    task = f"symbench/TSP-v0?n={len(instance.cities)}"
    source = resolve([agent], "TSP20", trust)[0]  # whose bundled agents solve any number of cities
    with single_thread(), closing(get_task(task).make()) as env:
        player = load(source, env.observation_space, env.action_space)
        if reason := player.incompatibility(env.observation_space, env.action_space):
            raise SymbenchError(f"agent {source.name!r} cannot solve {path}: {reason}")
        tour = _played(env, player, unit_square(instance.cities), seed)
    length = float(tour_lengths(instance.cities, tour))
    return SolvedInstance(instance.name, instance.cities, tour, source.name, length, instance.length(tour))


def unit_square(cities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cities moved and scaled so that the larger of their extents is that of the unit square, (n, 2)."""
    low = cities.min(axis=0)
    extent = float((cities - low).max())
    moved: NDArray[np.float64] = (cities - low) / (extent or 1.0)
    return moved


def _played(env: gym.Env[Any, Any], agent: Agent, cities: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """The tour that an agent builds city by city."""
    seen, _ = env.reset(seed=seed, options={"cities": cities})
    agent.reset(1, seed=seed)
    tour: list[int] = []
    while len(tour) < len(cities):
        agent.allow(np.asarray(seen["action_mask"])[None].astype(bool))
        batch = {key: np.asarray(part)[None] for key, part in seen.items()}
        tour.append(int(agent.act(batch)[0]))
        seen, *_ = env.step(tour[-1])
    return np.array(tour, np.int64)
