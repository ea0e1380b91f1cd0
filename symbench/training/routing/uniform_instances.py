"""Instances to learn on: uniform in the unit square, drawn by seed (Kool et al. 2019, appendix B.1, C.1)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from symbench.envs.routing.instances import capacity_for
from symbench.errors import unknown
from symbench.policies.routing import PROBLEMS


def generator_of(*seed: int) -> torch.Generator:
    """A generator of its own for each sequence of numbers."""
    state = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> 1))


def uniform_instances(problem: str, batch: int, nodes: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Instances of uniformly drawn places, float32.

    Args:
        problem: ``"tsp"`` or ``"cvrp"``.
        batch: Number of instances B.
        nodes: Cities of a TSP, customers of a CVRP besides the depot.
        generator: Source of randomness.

    Returns:
        ``"cities"``, (B, n, 2); of CVRP (B, n + 1, 2), the depot first, and ``"demands"``, (B, n + 1), of a capacity 1.

    Raises:
        SymbenchError: The problem is unknown, or the capacity for so many customers.
    """
    if problem not in PROBLEMS:
        raise unknown("routing problem", problem, PROBLEMS)
    if problem == "tsp":
        return {"cities": torch.rand(batch, nodes, 2, generator=generator)}
    capacity = capacity_for(nodes)
    cities = torch.rand(batch, nodes + 1, 2, generator=generator)
    demands = torch.randint(1, 10, (batch, nodes + 1), generator=generator) / capacity
    demands[:, 0] = 0
    return {"cities": cities, "demands": demands}
