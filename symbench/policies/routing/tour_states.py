"""Partial tours of a batch of instances, k of each: what may be visited next, and what a decoder is told.

* :class:`TspState` - a closed tour through all cities
* :class:`CvrpState` - tours of a vehicle of capacity 1 from a depot, node 0
* :func:`tour_lengths` - of closed tours
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    Instances = Mapping[str, Tensor]


class TourState(ABC):
    """Where k tours of each of B instances stand. :meth:`move` replaces tensors and never changes them in place.

    Attributes:
        slots: Number s of nodes that a decoder is told.
        numbers: Number f of further numbers that it is told.
        allowed: Nodes that may come next, (B, k, n), bool.
        context: The s nodes, (B, k, s), int64; n stands for "none yet".
        told: The f numbers, (B, k, f).
    """

    slots: ClassVar[int]
    numbers: ClassVar[int] = 0
    _of_tours: ClassVar[tuple[str, ...]] = ("allowed", "context", "told")
    allowed: Tensor
    context: Tensor
    told: Tensor

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether all tours are complete."""

    @abstractmethod
    def move(self, nodes: Tensor) -> None:
        """Go to these nodes, (B, k), int64."""

    def select(self, tours: Tensor) -> None:
        """Go on with these of the k tours of each instance, (B, K), int64."""
        for name in self._of_tours:
            setattr(self, name, getattr(self, name).take_along_dim(tours[..., None], dim=1))


class TspState(TourState):
    """Tours through n cities; a decoder is told the first and the current one."""

    slots = 2

    def __init__(self, instances: Instances, tours: int) -> None:
        """Begin ``tours`` of each instance nowhere."""
        cities = instances["cities"]
        batch, self._cities = cities.shape[0], cities.shape[1]
        self.allowed = torch.ones(batch, tours, self._cities, dtype=torch.bool, device=cities.device)
        self.context = torch.full((batch, tours, 2), self._cities, device=cities.device)
        self.told = cities.new_empty(batch, tours, 0)
        self._moves = 0

    @property
    def finished(self) -> bool:
        """Whether all cities have been visited."""
        return self._moves == self._cities

    def move(self, nodes: Tensor) -> None:
        """See :meth:`TourState.move`."""
        first = self.context[..., 0] if self._moves else nodes
        self.allowed = self.allowed.scatter(-1, nodes[..., None], False)
        self.context = torch.stack([first, nodes], dim=-1)
        self._moves += 1


class CvrpState(TourState):
    """Tours that begin at the depot and return when it pays; a decoder is told the node and the capacity left.

    A customer is out of reach when visited, or when its demand exceeds what is left; the depot right after itself
    while customers remain. Complete tours wait at the depot.
    """

    slots, numbers = 1, 1
    _of_tours = (*TourState._of_tours, "_left", "_used")

    def __init__(self, instances: Instances, tours: int) -> None:
        """Begin ``tours`` of each instance at the depot."""
        self._demands = instances["demands"][:, None].expand(-1, tours, -1)
        self._left = torch.ones_like(self._demands, dtype=torch.bool)  # customers to be visited
        self._left[..., 0] = False
        self._used = torch.zeros_like(self._demands[..., :1])
        self._see(torch.zeros_like(self._left[..., 0], dtype=torch.int64))

    @property
    def finished(self) -> bool:
        """Whether all customers have been visited and all vehicles are home."""
        return not bool(self._left.any())

    def move(self, nodes: Tensor) -> None:
        """See :meth:`TourState.move`."""
        places = nodes[..., None]
        self._left = self._left.scatter(-1, places, False)
        self._used = (self._used + self._demands.gather(-1, places)) * (places != 0)
        self._see(nodes)

    def _see(self, nodes: Tensor) -> None:
        self.context, self.told = nodes[..., None], 1 - self._used
        # As published, in this order and precision: a sum of demands that rounds to more than 1 is too much.
        self.allowed = self._left & (self._demands + self._used <= 1)
        self.allowed[..., 0] = (nodes != 0) | ~self._left.any(dim=-1)


PROBLEMS: Final[dict[str, type[TspState] | type[CvrpState]]] = {"tsp": TspState, "cvrp": CvrpState}


def tour_lengths(instances: Instances, tours: Tensor) -> Tensor:
    """Lengths of closed tours, float64; those of CVRP begin and end at the depot.

    Args:
        instances: B of them.
        tours: (B, k, T), int64; of CVRP padded with any number of 0.

    Returns:
        (B, k).
    """
    if "demands" in instances:
        tours = torch.nn.functional.pad(tours, (1, 0))
    flat = tours.flatten(1)[..., None].expand(-1, -1, 2)
    places = instances["cities"].double().gather(1, flat).reshape(*tours.shape, 2)
    lengths: Tensor = (places - places.roll(-1, dims=-2)).norm(dim=-1).sum(dim=-1)
    return lengths
