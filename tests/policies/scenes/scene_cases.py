"""Networks of scenes, what they see, and how motions of space and other orders of like bodies change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from symbench.policies import NETWORKS
from symbench.policies.sb3.bridge import Latent
from symbench.symmetry import euclidean

AGENTS, BODIES, ATTRIBUTES = 3, 5, 2
EQUIVARIANT, PLAIN, MLP = "equivariant-graph", "plain-graph", "scene-mlp"
KINDS = (EQUIVARIANT, PLAIN, MLP)

Scene = dict[str, Tensor]


def forces(dim: int = 2, radius: float = 1.0) -> spaces.Box:
    return spaces.Box(-radius, radius, (AGENTS, dim))


def network(kind: str = EQUIVARIANT, action_space: Any = None, dim: int = 2, seed: int = 0, **options: Any) -> Any:
    """A small network in float64, with weights that let it do something."""
    torch.manual_seed(seed)
    sizes = {"hidden": [16, 16]} if kind == MLP else {"hidden": 16}
    given: dict[str, Any] = {"bodies": BODIES, "dim": dim, "attributes": ATTRIBUTES, **sizes, **options}
    made = NETWORKS[kind](action_space=forces(dim) if action_space is None else action_space, **given).double()
    return rough(made)


def rough(module: Any) -> Any:
    """The module, with its weights moved at random."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module.double()


def scene(dim: int = 2, batch: int = 7, seed: int = 0) -> Scene:
    generator = torch.Generator().manual_seed(seed)
    sizes = {"positions": dim, "velocities": dim, "attributes": ATTRIBUTES}
    return {
        key: torch.randn(batch, BODIES, size, generator=generator, dtype=torch.float64) for key, size in sizes.items()
    }


@dataclass(frozen=True)
class Motion:
    """A rotation or reflection, a shift, and a new order of bodies; agents stay among themselves."""

    turn: Tensor
    shift: Tensor
    order: Tensor

    def scene(self, before: Scene) -> Scene:
        """Bodies elsewhere; velocities do not change by shifts."""
        turned = {key: part[:, self.order] for key, part in before.items()}
        turned["positions"] = turned["positions"] @ self.turn.T + self.shift
        turned["velocities"] = turned["velocities"] @ self.turn.T
        return turned

    def vectors(self, rows: Tensor) -> Tensor:
        """Of vectors of the agents in a row, (B, n * d)."""
        return (self._of_agents(rows) @ self.turn.T).flatten(1)

    def numbers(self, rows: Tensor) -> Tensor:
        """Of k numbers of each agent in a row, (B, n * k)."""
        return self._of_agents(rows).flatten(1)

    def _of_agents(self, rows: Tensor) -> Tensor:
        return rows.reshape(len(rows), AGENTS, -1)[:, self.order[:AGENTS]]


IN_ORDER = torch.arange(BODIES)
AGENTS_CHANGE_PLACE = torch.tensor([2, 0, 1, 3, 4])
OTHERS_CHANGE_PLACE = torch.tensor([0, 1, 2, 4, 3])


def motions(dim: int = 2, count: int = 6) -> list[Motion]:
    """Drawn from E(d), reflections among them, and from exchanges of like bodies."""
    rng = np.random.default_rng(dim)
    drawn = []
    for element in torch.from_numpy(euclidean(dim).sample(rng, count)):
        exchanged = np.concatenate([rng.permutation(AGENTS), AGENTS + rng.permutation(BODIES - AGENTS)])
        drawn.append(Motion(element[:-1, :-1], element[:-1, -1], torch.from_numpy(exchanged)))
    assert {round(float(torch.linalg.det(motion.turn))) for motion in drawn} == {-1, 1}
    return drawn


def exchange(order: Tensor, dim: int = 2) -> Motion:
    """Another order alone."""
    return Motion(torch.eye(dim, dtype=torch.float64), torch.zeros(dim, dtype=torch.float64), order)


def logits(net: Any, seen: Scene) -> Tensor:
    with torch.no_grad():
        return net.logits(seen, ())[0]  # type: ignore[no-any-return]


def latent(net: Any, seen: Scene) -> Tensor:
    with torch.no_grad():
        return Latent(net)(seen)  # type: ignore[no-any-return]


def features(net: Any, seen: Scene) -> Tensor:
    return net.features(*net.remembered(seen))  # type: ignore[no-any-return]


def error(found: Tensor, expected: Tensor) -> float:
    """Largest difference, beside the largest number."""
    return float(((found - expected).abs().max() / expected.abs().max()).detach())
