"""What the agents of :mod:`~symbench.envs.multi_agent.traffic` see, and what people do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.envs.multi_agent.traffic_rules import CELLS, DIRECTION, LIGHTS, SIZE, red_lights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pictures = NDArray[np.float32]

CELL: Final = 5  # pixels, height and width of a cell
SEEN: Final = SIZE // 2  # cells, height and width of what an agent sees
PIXELS: Final = SEEN * CELL
ROAD, BORDER = 0.5, 0.1
_SCALE = 8  # of pictures for people
_COLOURS = {"ground": (233, 237, 228), "road": (120, 120, 120), "car": (0, 114, 178), "red": (213, 94, 0)}
_QUADRANTS = [(row > SEEN, column > SEEN) for row, column in LIGHTS.tolist()]  # of each agent: whether below, right


def _car() -> Pictures:
    """A car that goes down."""
    tile = np.full((CELL, CELL), BORDER, np.float32)
    tile[1:-1, 1:-1] = tile[-1, CELL // 2] = 1
    return tile


def _red_light() -> Pictures:
    """Stops cars that go down."""
    tile = np.zeros((CELL, CELL), np.float32)
    tile[1, 2] = tile[2, 1:-1] = 1
    return tile


def _turned(tile: Pictures) -> Pictures:
    """For each direction of travel: down, right, up, left; quarter turns counter-clockwise."""
    return np.stack([np.rot90(tile, turns) for turns in range(4)])


CARS: Final = _turned(_car())[DIRECTION]
"""By lane, (8, 5, 5)."""
_RED_LIGHTS = _turned(_red_light())[DIRECTION]


def _whole(tiles: Pictures, present: NDArray[np.bool_]) -> Pictures:
    """One world with these tiles (8, 5, 5) where something is (8, 15): (75, 75)."""
    world = np.zeros((SIZE, SIZE, CELL, CELL), np.float32)
    for lane, cell in zip(*np.nonzero(present), strict=True):
        world[tuple(CELLS[lane, cell])] = tiles[lane]
    pixels: Pictures = world.transpose(0, 2, 1, 3).reshape(SIZE * CELL, SIZE * CELL)
    return pixels


def _quadrants(world: Pictures) -> Pictures:
    """(75, 75) -> (4, 35, 35)."""
    halves = {False: slice(PIXELS), True: slice(-PIXELS, None)}
    return np.stack([world[halves[below], halves[right]] for below, right in _QUADRANTS])


_ROADS = _whole(np.full((len(CELLS), CELL, CELL), ROAD, np.float32), np.ones(CELLS.shape[:2], dtype=bool))
# By light and action: all lights alike, of which each agent sees its own.
_LIGHTS = np.stack(
    [_quadrants(_whole(_RED_LIGHTS, red_lights(np.full((1, len(LIGHTS)), action))[0])) for action in (0, 1)], axis=1
)


def _seen_cells() -> tuple[NDArray[np.int64], ...]:
    """Agent, row and column in its picture of every cell of a lane, (8, 15) each; agent -1 where nobody looks."""
    below, right = (CELLS[..., axis] > SEEN for axis in (0, 1))
    agent = 2 * below + right
    inside = (CELLS != SEEN).all(axis=-1)
    return np.where(inside, agent, -1), CELLS[..., 0] - (SEEN + 1) * below, CELLS[..., 1] - (SEEN + 1) * right


_AGENT, _ROW, _COLUMN = _seen_cells()
_SEEN = _AGENT >= 0


def observed_images(present: NDArray[np.bool_], lights: NDArray[np.int64]) -> Pictures:
    """What every agent sees of its own junction: roads, red lights, cars.

    Args:
        present: Where cars are, (B, 8, 15).
        lights: 0 or 1, (B, 4).

    Returns:
        float32, (B, 4, 3, 35, 35).
    """
    images = np.empty((len(present), len(LIGHTS), 3, PIXELS, PIXELS), np.float32)
    images[:, :, 0] = _quadrants(_ROADS)
    images[:, :, 1] = _LIGHTS[np.arange(len(LIGHTS)), lights]
    images[:, :, 2] = 0
    tiles = images.reshape(len(present), len(LIGHTS), 3, SEEN, CELL, SEEN, CELL)
    world, lane, cell = np.nonzero(present & _SEEN)
    where = (world, _AGENT[lane, cell], 2, _ROW[lane, cell], slice(None), _COLUMN[lane, cell])
    tiles[where] = CARS[lane]
    return images


def draw_world(present: NDArray[np.bool_], lights: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Roads grey, red lights orange in front of junctions, cars blue with a white front, junctions outlined.

    Args:
        present: Where cars are, (8, 15).
        lights: 0 or 1, (4,).

    Returns:
        (600, 600, 3), uint8.
    """
    layers = {
        "road": _ROADS > 0,
        "red": _whole(_RED_LIGHTS, red_lights(lights[None])[0]) > 0,
        "car": _whole(CARS, present) > 0,
    }
    frame = np.full((*_ROADS.shape, 3), _COLOURS["ground"], np.uint8)
    for name, layer in layers.items():
        frame[layer] = _COLOURS[name]
    frame[_fronts(present)] = 255
    return frame.repeat(_SCALE, axis=0).repeat(_SCALE, axis=1)


def _fronts(present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    front = np.zeros((CELL, CELL), np.float32)
    front[-1, 1:-1] = 1
    return _whole(_turned(front)[DIRECTION], present) > 0
