"""Wildlife written down rule by rule for one game, with plain Python: what the array program is compared with."""

from __future__ import annotations

import numpy as np

MOVES = {0: (0, 0), 1: (1, 0), 2: (0, 1), 3: (-1, 0), 4: (0, -1)}


class ScalarWildlife:
    """One game from given cells, with given moves of the poacher."""

    def __init__(self, height: int, width: int, cells: list[tuple[int, int]], reward_type: int = 0) -> None:
        self.height, self.width, self.reward_type = height, width, reward_type
        self.drones, self.poacher = [tuple(cell) for cell in cells[:-1]], tuple(cells[-1])

    def moved(self, cell: tuple[int, int], action: int) -> tuple[int, int]:
        down, right = MOVES[action]
        return (cell[0] + down) % self.height, (cell[1] + right) % self.width

    def step(self, actions: list[int], poacher_action: int) -> tuple[float, bool, tuple[int, int, int]]:
        """Team reward, end, (captures, failed captures, collisions)."""
        targets = [self.moved(cell, action) for cell, action in zip(self.drones, actions, strict=True)]
        collided = [targets.count(target) > 1 for target in targets]
        self.drones = [
            drone if stays else target for drone, target, stays in zip(self.drones, targets, collided, strict=True)
        ]
        landers = [i for i, drone in enumerate(self.drones) if drone == self.poacher]
        beside = [
            i
            for i, (row, column) in enumerate(self.drones)
            if not collided[i] and abs(row - self.poacher[0]) + abs(column - self.poacher[1]) == 1
        ]
        captured = len(landers) == 1 and bool(beside)
        failed = len(landers) == 1 and not beside
        rewards = [-0.05 / len(self.drones) for _ in self.drones]
        for i in [*landers, *beside] if captured else []:
            rewards[i] += 1
        if self.reward_type == 1:
            for i in landers if failed else []:
                rewards[i] -= 0.5
            for i, has in enumerate(collided):
                rewards[i] -= 0.25 * has
        self.poacher = self.moved(self.poacher, poacher_action)
        return sum(rewards), captured, (int(captured), int(failed), sum(collided))

    def images(self) -> np.ndarray:
        """(n, 1, 3 h, 3 w)."""
        seen = np.zeros((len(self.drones), 1, 3 * self.height, 3 * self.width), np.float32)
        for i, (row, column) in enumerate(self.drones):
            middle = 3 * (self.height // 2), 3 * (self.width // 2)
            draw(seen[i, 0], middle, ["010", "111", "010"])
            down = (self.poacher[0] - row + self.height // 2) % self.height
            right = (self.poacher[1] - column + self.width // 2) % self.width
            draw(seen[i, 0], (3 * down, 3 * right), ["101", "010", "101"])
        return seen


def draw(picture: np.ndarray, corner: tuple[int, int], glyph: list[str]) -> None:
    for i, line in enumerate(glyph):
        for j, pixel in enumerate(line):
            picture[corner[0] + i, corner[1] + j] = int(pixel)
