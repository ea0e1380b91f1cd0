"""Both routing environments as one would write them for one tour, step by step in plain Python: the oracle."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


class ScalarTSP:
    """Shows what ``symbench/TSP-v0`` shows, for given cities."""

    def __init__(self, cities: list[list[float]]) -> None:
        self.cities, self.tour = cities, list[int]()

    def allowed(self) -> list[bool]:
        return [city not in self.tour for city in range(len(self.cities))]

    def step(self, city: int) -> tuple[dict[str, Any], float, bool]:
        if not self.allowed()[city]:
            raise ValueError(f"city {city} has been visited")
        self.tour.append(city)
        ended = len(self.tour) == len(self.cities)
        return self.observe(), -self.length() if ended else 0.0, ended

    def length(self) -> float:
        total, previous = 0.0, self.tour[0]
        for city in [*self.tour[1:], self.tour[0]]:
            total += math.dist(self.cities[previous], self.cities[city])
            previous = city
        return total

    def observe(self) -> dict[str, Any]:
        count = len(self.cities)
        mask = self.allowed()
        return {
            "cities": np.array(self.cities, dtype=np.float32),
            "visited": np.array([not free for free in mask], dtype=np.int8),
            "first": np.int64(self.tour[0] if self.tour else count),
            "current": np.int64(self.tour[-1] if self.tour else count),
            "action_mask": np.array(mask if len(self.tour) < count else [True] * count, dtype=np.int8),
        }


class ScalarCVRP:
    """Shows what ``symbench/CVRP-v0`` shows, for a given instance with loads in whole units."""

    def __init__(self, cities: list[list[float]], units: list[int], capacity: int) -> None:
        self.cities, self.units, self.capacity = cities, units, capacity
        self.left, self.tour, self.waiting = capacity, list[int](), set(range(1, len(units)))

    def allowed(self) -> list[bool]:
        at_depot = not self.tour or self.tour[-1] == 0
        customers = [node in self.waiting and self.units[node] <= self.left for node in range(1, len(self.units))]
        return [not at_depot, *customers]

    def step(self, node: int) -> tuple[dict[str, Any], float, bool]:
        if not self.allowed()[node]:
            raise ValueError(f"node {node} is masked")
        self.tour.append(node)
        self.left = self.capacity if node == 0 else self.left - self.units[node]
        self.waiting.discard(node)
        ended = not self.waiting
        return self.observe(), -self.length() if ended else 0.0, ended

    def length(self) -> float:
        total, previous = 0.0, 0
        for node in [*self.tour, 0]:
            total += math.dist(self.cities[previous], self.cities[node])
            previous = node
        return total

    def observe(self) -> dict[str, Any]:
        count = len(self.units)
        mask = self.allowed() if self.waiting else [True] * count
        return {
            "cities": np.array(self.cities, dtype=np.float32),
            "demands": np.array([unit / self.capacity for unit in self.units], dtype=np.float32),
            "visited": np.array([node > 0 and node not in self.waiting for node in range(count)], dtype=np.int8),
            "current": np.int64(self.tour[-1] if self.tour else 0),
            "capacity": np.array([self.left / self.capacity], dtype=np.float32),
            "action_mask": np.array(mask, dtype=np.int8),
        }
