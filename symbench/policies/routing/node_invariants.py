"""What stays the same of an instance's nodes however it is turned, mirrored, moved and scaled.

* :func:`unit_scale` - cities about their centre, in units of how far they lie from it
* :func:`node_invariants` - distances of every node to the centre and to a few landmarks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from symbench.policies.routing.tour_states import Instances


def unit_scale(cities: Tensor) -> Tensor:
    """Cities (B, n, 2) about their mean, divided by the root of sum |x - mean|^2 / (n - 1).

    Cities that all lie in one place, up to rounding, become zeros.
    """
    offsets = cities - cities.mean(dim=1, keepdim=True)
    square = offsets.square().sum(dim=(1, 2), keepdim=True) / max(1, cities.shape[1] - 1)
    rounding = 8 * torch.finfo(cities.dtype).eps * cities.detach().abs().amax(dim=(1, 2), keepdim=True)
    apart = square > rounding**2
    return torch.where(apart, offsets / square.where(apart, 1.0).sqrt(), 0.0)


def node_invariants(instances: Instances, landmarks: int) -> Tensor:
    """Numbers of every node, (B, n, f) with f of :func:`count_invariants`.

    The distance to the centre and those to landmarks, of cities at unit scale; of CVRP also the demand, and 1 for the
    depot. The first landmark is the depot, or the city furthest from the centre, and each further one the node furthest
    from all before it. Where two are equally far, rounding decides between them; nodes equal by symmetry give tours of
    equal length. Near such an instance the choice jumps, and so do the numbers.

    Args:
        instances: B of them.
        landmarks: How many; three that do not lie on a line say where a node is. Those that an instance is too small
            to have are at distance 0 from all.
    """
    offsets = unit_scale(instances["cities"])
    numbers = [offsets.norm(dim=-1), *_from_landmarks(offsets, landmarks, depot="demands" in instances)]
    if "demands" in instances:
        depot = torch.zeros_like(instances["demands"])
        depot[:, 0] = 1
        numbers += [instances["demands"], depot]
    return torch.stack(numbers, dim=-1)


def count_invariants(problem: str, landmarks: int) -> int:
    """The number f of :func:`node_invariants`."""
    return 1 + landmarks + (2 if problem == "cvrp" else 0)


def _from_landmarks(offsets: Tensor, landmarks: int, depot: bool) -> list[Tensor]:
    """Distances to each landmark, (B, n)."""
    found: list[Tensor] = []
    left = offsets.norm(dim=-1)  # how far a node is from what was chosen; at first, from the centre
    for i in range(landmarks):
        furthest, places = left.max(dim=1)
        if depot and i == 0:
            places = torch.zeros_like(places)
        chosen = offsets.take_along_dim(places[:, None, None], dim=1)
        distances = (offsets - chosen).norm(dim=-1)
        # None is left where all nodes lie at landmarks: any of them could be chosen, so none is.
        found.append(torch.where(furthest[:, None] > 0, distances, 0.0))
        left = torch.minimum(left, distances) if i else distances
    return found
