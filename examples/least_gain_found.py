"""How large a gain must be for ``symbench verify`` to find it where machines differ. Prints CSV; a minute of one core.

Who claims another processor asks for the looser comparison. Here an agent of 5 training runs and 6 perturbed conditions
takes another course in every episode, the worst case: scores have a deviation of 0.2, half of its variance is of the
seeds, and are drawn anew for the submission. A gain is added to a part of the cells; where ``compensated``, as much is
taken from the others, so that all cells together are right.

python examples/least_gain_found.py > docs/data/least-gain.csv
"""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.leaderboard.verify_differences import TOLERANCE, Comparison, shifts, too_far

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RUNS, CONDITIONS, DEVIATION, TRIALS, FOUND = 5, 6, 0.2, 100, 0.95
EPISODES: Final = (20, 60, 100, 200, 1000)
GAINS: Final = np.concatenate([[0.0], 0.004 * 1.25 ** np.arange(22)])


def gains_of(part: str) -> Array:
    """What is added to each cell for a gain of 1, (R, C)."""
    added = np.zeros((RUNS, CONDITIONS))
    if part == "all cells":
        added[:] = 1
    elif part == "one run":
        added[0] = 1
    elif part == "three runs, compensated":  # the worst run does not count in an interquartile mean
        added[:3], added[3:] = 1, -1.5
    elif part == "one condition":
        added[:, 0] = 1
    else:
        added[0, 0] = 1
    return added


PARTS: Final = ("all cells", "three runs, compensated", "one run", "one condition", "one cell")


def is_found(added: Array, episodes: int, rng: np.random.Generator) -> bool:
    """Whether one submission with these additions, (R, C), is refused."""
    shape, half = (RUNS, CONDITIONS, episodes), DEVIATION * 0.5**0.5
    seeds = 0.5 + half * rng.normal(size=episodes)
    submitted, again = (seeds + half * rng.normal(size=shape) for _ in range(2))
    pairs = np.stack([submitted + added[..., None], again], axis=2)  # (R, C, 2, E)
    cells = [
        Comparison(f"some@1/CartPole-v1/shuffle-sensors/every-{c}/mine/s{r}", 0, 0, 0, 0, "", False, pairs[r, c])
        for r in range(RUNS)
        for c in range(CONDITIONS)
    ]
    return any(too_far(each.scores, TOLERANCE) for each in cells) or bool(shifts(cells))


def share(part: str, gain: float, episodes: int) -> float:
    """Of the trials in which a gain is found."""
    added = gain * gains_of(part)
    return float(
        np.mean([is_found(added, episodes, np.random.default_rng([episodes, trial])) for trial in range(TRIALS)])
    )


def main() -> None:
    """For each part and number of episodes: the least gain on a grid that is found, and how often none is."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("part", "episodes", "trials", "refused_without_gain", "least_gain"))
    for part in PARTS:
        for episodes in EPISODES:
            shares = (share(part, float(gain), episodes) for gain in GAINS)
            none = next(shares)
            least = next(gain for gain, found in zip(GAINS[1:], shares, strict=True) if found >= FOUND)
            table.writerow((part, episodes, TRIALS, none, round(float(least), 4)))


if __name__ == "__main__":
    main()
