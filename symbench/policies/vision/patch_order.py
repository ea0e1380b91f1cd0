"""Which patch of a shuffled picture belongs where: the jigsaw, solved again at every frame with all that was seen.

Three things speak for an order: in the first frames of an episode, what pictures begin like; at all times, how well
patches that would be neighbours fit at their seam; and where the order has just changed, the picture before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import lgamma
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

FORGETTING: Final = 0.99  # of evidence, a step
SEAM: Final = 0.3  # weight of a step's seams: those of consecutive frames say nearly the same
MATCH: Final = 3.0  # weight of the one frame that follows a reshuffle
RARE: Final = 5.0  # minus the logarithm of how probable a reshuffle is in a step
ROUNDS: Final = 3  # in which a new order and the motion that it implies are found in turns
REACH: Final = 4  # pixels that something moves in a step at most
DEGREES: Final = 4.0  # of freedom of Student's t: errors of what is expected have heavy tails
_OFTEN: Final = 16  # an order of age a is looked at again every a/16 steps ...
_SELDOM: Final = 8  # ... and every 8 at least
_CLIPPED: Final = 60.0  # grey levels beyond which a pixel says no more of motion


@dataclass(frozen=True)
class Knowledge:
    """What was learned in order.

    Attributes:
        opening: Mean pictures of the first T steps, (T, H, W, C); ``spread``, their standard deviations.
        noise: Standard deviation of what a pixel shows next where nothing is near, in grey levels.
        blur: Its variance per variance of the pixels around it.
        step: Standard deviation of pixels across a seam of neighbours, in grey levels.
        patch: Side of a patch in pixels.
    """

    opening: Floats
    spread: Floats
    noise: float
    blur: float
    step: float
    patch: int

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of places."""
        height, width = self.opening.shape[1:3]
        return height // self.patch, width // self.patch


@dataclass(frozen=True)
class Order:
    """What is known of an order of N patches, all of one lane.

    Attributes:
        steps: Steps of the episode that were seen; ``age``, those since the last reshuffle.
        frames: The last k frames of each patch, as they come, (k, N, p, p, C).
        evidence: How much speaks for patch n at place m, (N, N).
        seams: How much speaks for patch n left of m, and above it, (2, N, N).
        places: The patch that belongs to each place, (N,).
    """

    steps: int
    age: int
    frames: NDArray[np.uint8]
    evidence: Floats
    seams: Floats
    places: NDArray[np.int64]

    @property
    def pictures(self) -> NDArray[np.uint8]:
        """The last k frames of each place, (k, N, p, p, C)."""
        return self.frames[:, self.places]


def begun(patches: NDArray[np.uint8], count: int, known: Knowledge, *, blank: bool = False) -> Order:
    """The order at the first frame of an episode, with copies of it before, or black ones: (N, p, p, C)."""
    frames = np.stack([patches] * count)
    if blank:
        frames[:-1] = 0
    evidence = _opening_fit(patches, 0, known)
    return _solved(Order(1, 0, frames, evidence, SEAM * _seams(patches, known.step**2), _assigned(evidence)), known)


def followed(order: Order, patches: NDArray[np.uint8], known: Knowledge) -> Order:
    """The order after one more frame, (N, p, p, C), or another that explains it better."""
    opening = _opening_fit(patches, order.steps, known) if order.steps < len(known.opening) else 0.0
    order = _reshuffled(order, patches, opening, known) if _looks_odd(order, patches, known) else order
    evidence = FORGETTING * order.evidence + opening
    seams = FORGETTING * order.seams + SEAM * _seams(patches, known.step**2)
    frames = np.concatenate([order.frames[1:], patches[None]])
    order = replace(order, steps=order.steps + 1, frames=frames, evidence=evidence, seams=seams)
    due = order.age % min(max(1, order.age // _OFTEN), _SELDOM) == 0
    return replace(_solved(order, known) if due else order, age=order.age + 1)


def _solved(order: Order, known: Knowledge) -> Order:
    """The order with the places that its evidence and the seams of the present neighbours speak for, twice."""
    for _ in range(2):
        places = _assigned(order.evidence + _neighbours(order, known.grid))
        if np.array_equal(places, order.places):
            break
        order = replace(order, places=places)
    return order


def _looks_odd(order: Order, patches: NDArray[np.uint8], known: Knowledge) -> bool:
    """Whether patches have changed so much that another order may explain it."""
    before = order.frames[-1]
    picture = _joined(before[order.places], known.grid)
    change = patches[order.places].astype(np.float32) - before[order.places]
    squares = change**2 / _cut(_variance(picture, known), known.patch)
    fit = _student(squares.reshape(len(patches), -1).mean(axis=1)).sum()
    return bool(fit < -0.5 * _price(len(patches)))


def _reshuffled(order: Order, patches: NDArray[np.uint8], opening: Floats | float, known: Knowledge) -> Order:
    """Another order, if it explains the patches so much better that it was worth drawing; otherwise the same."""
    before = _joined(order.pictures[-1], known.grid)
    earlier = _joined(order.pictures[-2], known.grid)
    here, moved, now = np.arange(len(patches)), motion(earlier, before, known.patch), order.places
    for _ in range(1 + ROUNDS):
        match = _match(patches, shifted(before, moved, known.patch), known)
        fit = match + opening
        places = _assigned(fit)
        moved = motion(before, _joined(patches[places], known.grid), known.patch)
    if fit[places, here].sum() - fit[now, here].sum() < _price(len(patches)):
        return order
    frames = order.frames.copy()
    frames[:, places] = order.pictures
    seams = np.zeros_like(order.seams)
    return Order(order.steps, 0, frames, MATCH * match, seams, places)


def _price(count: int) -> float:
    """Minus the logarithm of how probable one certain other order of N patches is."""
    return RARE + lgamma(count + 1)


def _opening_fit(patches: NDArray[np.uint8], step: int, known: Knowledge) -> Floats:
    mean, spread = (_cut(each[step], known.patch).astype(np.float32) for each in (known.opening, known.spread))
    return _fit(patches, mean, spread**2 + known.noise**2)


def _match(patches: NDArray[np.uint8], picture: Floats, known: Knowledge) -> Floats:
    return _fit(patches, _cut(picture, known.patch), _cut(_variance(picture, known), known.patch))


def _fit(patches: NDArray[Any], mean: Floats, variance: Floats) -> Floats:
    """How well patch n fits what is expected at place m, (N, N), 0 at most."""
    seen, mean = (part.reshape(len(part), -1).astype(np.float32) for part in (patches, mean))
    weights = 1.0 / variance.reshape(mean.shape).astype(np.float32)
    squares = seen**2 @ weights.T - 2.0 * seen @ (mean * weights).T + (mean**2 * weights).sum(axis=1)
    return _student(squares / seen.shape[1])


def _student(squares: Floats) -> Floats:
    """Logarithm of Student's density at mean squares of standardised errors, without its constant."""
    fit: Floats = -0.5 * (DEGREES + 1.0) * np.log1p(np.maximum(squares, 0.0) / DEGREES)
    return fit


def _seams(patches: NDArray[np.uint8], variance: float) -> Floats:
    """How well patch n fits left of patch m, and above it, (2, N, N), 0 at most."""
    seen = patches.astype(np.float32)
    pairs = ((seen[:, :, -1], seen[:, :, 0]), (seen[:, -1], seen[:, 0]))
    return np.stack([_fit(first, second, np.full_like(second, variance)) for first, second in pairs])


def _neighbours(order: Order, grid: tuple[int, int]) -> Floats:
    """How well patch n fits between the neighbours of place m, (N, N)."""
    beside, above = order.seams
    places, total = order.places.reshape(grid), np.zeros((*grid, len(beside)), np.float32)
    total[:, 1:] += beside[places[:, :-1]]
    total[:, :-1] += beside.T[places[:, 1:]]
    total[1:] += above[places[:-1]]
    total[:-1] += above.T[places[1:]]
    fits: Floats = total.reshape(len(beside), -1).T
    return fits


def _assigned(scores: Floats) -> NDArray[np.int64]:
    """The patch of each place so that the sum of scores, (N patches, N places), is greatest: (N,)."""
    from scipy.optimize import linear_sum_assignment  # late: it takes a fifth of a second to import

    places: NDArray[np.int64] = linear_sum_assignment(scores.T, maximize=True)[1].astype(np.int64)
    return places


def motion(before: Floats, after: Floats, patch: int) -> NDArray[np.int64]:
    """From where each patch has come, (rows, columns, 2) pixels, by block matching of it and the eight around it."""
    padded = np.pad(before, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="edge")
    height, width = after.shape[:2]
    shifts = np.indices((2 * REACH + 1, 2 * REACH + 1)).reshape(2, -1).T - REACH
    costs: list[Floats] = []
    for row, column in shifts + REACH:
        off = np.abs(padded[row : row + height, column : column + width] - after).clip(max=_CLIPPED).mean(axis=2)
        costs.append(_around(off.reshape(height // patch, patch, width // patch, patch).sum(axis=(1, 3))))
    total = np.stack(costs) + 5.0 * np.hypot(*shifts.T)[:, None, None]  # what does not matter stands still
    moved: NDArray[np.int64] = shifts[total.argmin(axis=0)]
    return moved


def shifted(picture: Floats, moved: NDArray[np.int64], patch: int) -> Floats:
    """The picture after one more step of the same motion, (H, W, C)."""
    height, width = picture.shape[:2]
    offsets = moved.repeat(patch, axis=0).repeat(patch, axis=1)
    rows, columns = np.mgrid[:height, :width]
    from_row = (rows + offsets[..., 0]).clip(0, height - 1)
    moving: Floats = picture[from_row, (columns + offsets[..., 1]).clip(0, width - 1)]
    return moving


def _variance(picture: Floats, known: Knowledge) -> Floats:
    """How far off each expected pixel may be: more where the picture is not uniform."""
    return known.noise**2 + known.blur * local_variance(picture)


def local_variance(picture: Floats) -> Floats:
    """Variance of each pixel and the eight around it, (H, W, C)."""
    variance: Floats = (_around(picture**2) / 9.0 - (_around(picture) / 9.0) ** 2).clip(min=0.0)
    return variance


def _around(values: Floats) -> Floats:
    """The sum of each entry and the eight around it, (H, W, ...)."""
    padded = np.pad(values, ((1, 1), (1, 1), *[(0, 0)] * (values.ndim - 2)), mode="edge")
    columns = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    total: Floats = columns[:-2] + columns[1:-1] + columns[2:]
    return total


def _cut(picture: Floats, patch: int) -> Floats:
    """The patches of a picture (H, W, C) in reading order, (N, p, p, C)."""
    height, width, channels = picture.shape
    grid = picture.reshape(height // patch, patch, width // patch, patch, channels).swapaxes(1, 2)
    patches: Floats = grid.reshape(-1, patch, patch, channels)
    return patches


def _joined(patches: NDArray[np.uint8], grid: tuple[int, int]) -> NDArray[np.float32]:
    """The picture (H, W, C) of patches in reading order, (N, p, p, C)."""
    _, patch, _, channels = patches.shape
    rows = patches.reshape(*grid, patch, patch, channels).swapaxes(1, 2)
    picture: NDArray[np.float32] = rows.reshape(grid[0] * patch, grid[1] * patch, channels).astype(np.float32)
    return picture
