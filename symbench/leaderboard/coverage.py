"""How often 95% intervals hold the truth, by simulation: ``python -m symbench.leaderboard.coverage``.

A score is the sum of the effects of its training run, of its episode and of both together, each drawn from one shape.
The truth is the interquartile mean of all training runs that there could be, in all episodes that there could be. With
fewer than five training runs an interval claims less, and is held to that: the same of these runs only.
"""

from __future__ import annotations

import csv
import io
from functools import cache
from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import numpy as np
import typer

from symbench.leaderboard.bootstrap import RANKED_FROM, iqm
from symbench.leaderboard.retention import score

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Shape = Callable[[np.random.Generator, tuple[int, ...]], Array]

RUNS: Final = (3, 5, 10, 20)
EPISODES: Final = 100
RESAMPLES: Final = 400  # of each interval: their noise is small beside that of the trials
VARIATION: Final = {"runs": (1.0, 1.0), "runs and episodes": (3.0, 3.0)}
"""Standard deviations of the effects of episodes and of both together; that of training runs is 1."""


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.normal(size=shape)


def _skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Exponential: skewness 2."""
    return rng.exponential(size=shape) - 1


def _mixed(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Four of five training runs learn the task, one does not."""
    scores = np.where(rng.random(shape) < 0.8, 1.0, 0.0) + rng.normal(0, 0.1, shape)
    centred: Array = (scores - 0.8) / np.sqrt(0.17)
    return centred


SHAPES: Final[dict[str, Shape]] = {"normal": _normal, "skewed": _skewed, "mixed": _mixed}


class Coverage(NamedTuple):
    """How often intervals hold the truth.

    Attributes:
        returns: Name of the shape.
        variation: What varies most.
        runs: Training runs.
        of: What the interval claims to hold: ``"the method"`` or ``"these runs"``.
        coverage: Share of the intervals that hold it.
        version_1: The same of the intervals of version 1 of the statistics, which claimed ``"the method"``.
        trials: How many intervals.
    """

    returns: str
    variation: str
    runs: int
    of: str
    coverage: float
    version_1: float
    trials: int


def simulate(returns: str, variation: str, runs: int, trials: int, seed: int = 0) -> Coverage:
    """Make intervals of random scores and count those that hold the truth.

    Args:
        returns: One of :data:`SHAPES`.
        variation: One of :data:`VARIATION`.
        runs: Training runs.
        trials: Intervals.
        seed: Of everything.
    """
    rng, draw, hits, hits_1 = np.random.default_rng([seed, runs]), SHAPES[returns], 0, 0
    truth, few = _iqm_of_all(draw), runs < RANKED_FROM
    for trial in range(trials):
        of_runs = draw(rng, (runs, 1))
        of_episodes, of_both = (
            deviation * draw(rng, shape)
            for deviation, shape in zip(VARIATION[variation], ((1, EPISODES), (runs, EPISODES)), strict=True)
        )
        scores = of_runs + of_episodes + of_both
        made = score(scores, trial, resamples=RESAMPLES)
        hits += made.low <= (iqm(of_runs[:, 0]) if few else truth) <= made.high
        low, high = _interval_of_version_1(scores, rng)
        hits_1 += low <= truth <= high
    of = "these runs" if few else "the method"
    return Coverage(returns, variation, runs, of, hits / trials, hits_1 / trials, trials)


def table(rows: list[Coverage]) -> str:
    """A markdown table."""
    header = ("returns", "what varies most", "training runs", "interval is of", "coverage", "version 1")
    lines = [(*map(str, row[:4]), f"{row.coverage:.1%}", f"{row.version_1:.1%}") for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *lines))


def to_csv(rows: list[Coverage]) -> str:
    """The same as data."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([Coverage._fields, *rows])
    return text.getvalue()


@cache
def _iqm_of_all(draw: Shape) -> float:
    return float(iqm(draw(np.random.default_rng(0), (4_000_000,))))


def _interval_of_version_1(scores: Array, rng: np.random.Generator) -> tuple[float, float]:
    """Percentiles over drawn training runs, the episodes taken as they are."""
    drawn = scores.mean(axis=1)[rng.integers(len(scores), size=(RESAMPLES, len(scores)))]
    low, high = np.quantile(iqm(drawn), (0.025, 0.975))
    return float(low), float(high)


def main(
    trials: Annotated[int, typer.Option(help="Intervals a line.")] = 5000,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table as CSV, too.")] = None,
) -> None:
    """Simulate the coverage of all shapes and numbers of training runs, and print it as a table."""
    cases = [(shape, variation, runs) for shape in SHAPES for variation in VARIATION for runs in RUNS]
    rows = [simulate(*case, trials) for case in cases]
    typer.echo(table(rows))
    if out:
        out.write_text(to_csv(rows), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
