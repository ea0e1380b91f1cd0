"""Traffic written down car by car for one world, with plain Python: what the array program is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Of each lane: the direction it goes, and its column or row.
LANES = [
    ((1, 0), 12),
    ((0, 1), 10),
    ((1, 0), 4),
    ((0, 1), 2),
    ((0, -1), 12),
    ((0, -1), 4),
    ((-1, 0), 10),
    ((-1, 0), 2),
]
LIGHTS = [(3, 3), (3, 11), (11, 3), (11, 11)]
OFFSETS = {(0, 1): (-1, -1), (1, 0): (-1, 1), (-1, 0): (1, -1), (0, -1): (1, 1)}  # where each direction is stopped
FRONTS = {(1, 0): (4, 2), (-1, 0): (0, 2), (0, 1): (2, 4), (0, -1): (2, 0)}
ARROWS = {
    (1, 0): ["010", "111", "000"],
    (-1, 0): ["000", "111", "010"],
    (0, 1): ["010", "110", "010"],
    (0, -1): ["010", "011", "010"],
}


@dataclass(eq=False)
class Car:
    lane: int
    born: int
    place: int = 0
    wait: int = 0
    stands: bool = False

    @property
    def heading(self) -> tuple[int, int]:
        return LANES[self.lane][0]

    def cell(self, place: int | None = None) -> tuple[int, int]:
        (down, right), across = LANES[self.lane]
        along = self.place if place is None else place
        along = along if down + right > 0 else 14 - along
        return (along, across) if down else (across, along)


class ScalarTraffic:
    """One world with given lights and arrivals (step, lane), which moves cars in order or all at once."""

    def __init__(self, lights: list[int], arrivals: list[tuple[int, int]], in_order: bool) -> None:
        self.lights, self.in_order, self.time = list(lights), in_order, 0
        self.cars: list[Car] = []
        self.coming: dict[int, list[int]] = {}
        for step, lane in sorted(arrivals):
            self.coming.setdefault(step, []).append(lane)

    def step(self, actions: list[int]) -> tuple[float, bool, float, float]:
        """Reward, end, mean wait and mean age of the cars on the road."""
        self.lights = list(actions)
        self._release()
        (self._move_in_order if self.in_order else self._move_at_once)()
        self.time += 1
        waits, ages = [car.wait for car in self.cars], [self.time - car.born for car in self.cars]
        count = max(len(self.cars), 1)
        mean = sum(waits) / count
        return -mean / 1000, not self.cars and not self.coming, mean, sum(ages) / count

    def _release(self) -> None:
        taken = {car.cell() for car in self.cars}
        for lane in self.coming.pop(self.time, []):
            car = Car(lane, self.time)
            if car.cell() in taken:
                self.coming.setdefault(self.time + 1, []).append(lane)
            else:
                self.cars.append(car)
                taken.add(car.cell())

    def _red(self, car: Car) -> bool:
        """Whether the car's light forbids its next cell."""
        row, column = car.cell(car.place + 1)
        for (i, j), light in zip(LIGHTS, self.lights, strict=True):
            down, right = OFFSETS[car.heading]
            if (row, column) == (i + down, j + right):
                return light == (0 if car.heading[1] else 1)
        return False

    def _move_in_order(self) -> None:
        taken, gone = {car.cell() for car in self.cars}, []
        for car in self.cars:
            if car.place == 14:
                gone.append(car)
            elif car.cell(car.place + 1) in taken or self._red(car):
                car.wait += 1
                car.stands = True
            elif car.stands:
                car.wait += 1
                car.stands = False
            else:
                taken.remove(car.cell())
                car.place += 1
                taken.add(car.cell())
        self.cars = [car for car in self.cars if car not in gone]

    def _move_at_once(self) -> None:
        there = {car.cell(): car for car in self.cars}
        inside = [car for car in self.cars if car.place < 14]
        open_way = [car for car in inside if not self._red(car) and not self._yields(car, there)]
        going = [car for car in open_way if not car.stands]
        while behind := [car for car in going if self._behind(car, there, going)]:
            going = [car for car in going if car not in behind]
        free = [car for car in open_way if not self._behind(car, there, going)]
        for car in inside:
            if car not in going:
                car.wait += 1
                car.stands = car not in free
        for car in going:
            car.place += 1
        self.cars = inside

    def _behind(self, car: Car, there: dict[tuple[int, int], Car], going: list[Car]) -> bool:
        """Whether the car in the next cell stays where it is."""
        ahead = there.get(car.cell(car.place + 1))
        return ahead is not None and ahead not in going

    def _yields(self, car: Car, there: dict[tuple[int, int], Car]) -> bool:
        """Whether it would enter a junction where another that is about to leave the junction wants the same cell."""
        target, (down, right) = car.cell(car.place + 1), OFFSETS[car.heading]
        if (target[0] - down, target[1] - right) not in LIGHTS:
            return False
        others = [other for other in there.values() if other.lane != car.lane and other.place < 14]
        return any(not other.stands and other.cell(other.place + 1) == target for other in others)

    def images(self) -> np.ndarray:
        """What each light's agent sees, in the order of the lights, (4, 3, 35, 35)."""
        world = np.zeros((3, 75, 75), np.float32)
        for lane in range(8):
            for place in range(15):
                i, j = Car(lane, 0).cell(place)
                world[0, 5 * i : 5 * i + 5, 5 * j : 5 * j + 5] = 0.5
        for (i, j), light in zip(LIGHTS, self.lights, strict=True):
            for heading, (down, right) in OFFSETS.items():
                if light == (0 if heading[1] else 1):
                    self._draw_arrow(world[1], (i + down, j + right), heading)
        for car in self.cars:
            self._draw_car(world[2], car)
        corners = [(0, 0), (0, 40), (40, 0), (40, 40)]
        return np.stack([world[:, i : i + 35, j : j + 35] for i, j in corners])

    def _draw_arrow(self, plane: np.ndarray, cell: tuple[int, int], heading: tuple[int, int]) -> None:
        for i, line in enumerate(ARROWS[heading]):
            for j, pixel in enumerate(line):
                plane[5 * cell[0] + 1 + i, 5 * cell[1] + 1 + j] = int(pixel)

    def _draw_car(self, plane: np.ndarray, car: Car) -> None:
        row, column = (5 * number for number in car.cell())
        for i in range(5):
            for j in range(5):
                inside = 0 < i < 4 and 0 < j < 4
                plane[row + i, column + j] = 1 if inside or (i, j) == FRONTS[car.heading] else 0.1
