"""What random play reaches in a task that has no constant: measured once, kept beside the run.

20 episodes where frames are shown, otherwise 100, and 900 more unless these took more than 50,000 steps. Which it is
depends on the task alone, as the numbers do: neither on the clock nor on the number of workers.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.runner.agents import RANDOM
from symbench.runner.cell import Cell
from symbench.runner.executors import execute
from symbench.runner.store import Store
from symbench.tasks import Metric, get_task

if TYPE_CHECKING:
    from pathlib import Path

    from symbench.runner.evaluate import Episodes

FRAMES: Final = range(20)  # seeds
FIRST: Final = range(100)
OTHERS: Final = range(100, 1000)
MOST_STEPS: Final = 50_000
_QUANTILE: Final = 1.96  # of the normal distribution, two sides, 95%


@dataclass(frozen=True)
class RandomReturn:
    """What random play reaches.

    Attributes:
        mean: Mean return.
        interval: 95% interval of it.
        episodes: How many were played.
    """

    mean: float
    interval: tuple[float, float]
    episodes: int

    def __str__(self) -> str:
        """For example ``18.3 [17.9, 18.7], measured over 1000 episodes``."""
        low, high = self.interval
        return f"{self.mean:.4g} [{low:.4g}, {high:.4g}], measured over {self.episodes} episodes"

    def within(self, metric: Metric) -> Metric:
        """A metric that lacks it, with it."""
        source = f"random: {self}"
        reference = metric.source.partition("reference: ")[2]
        source += f"; reference: {reference or 'none'}"
        return Metric(self.mean, metric.reference_return, source, self.interval)


def measure_random(task: str, run_dir: Path, workers: int = 1, trust: bool = False) -> RandomReturn:
    """Measure the random return of a task, or read it where it was measured before.

    Args:
        task: Name of the task.
        run_dir: Where the episodes are kept, under ``random-returns``.
        workers: Number of processes.
        trust: Whether the module of the task may be imported.

    Raises:
        SymbenchError: Random play fails in this task, or the directory cannot be written.
    """
    store = Store(run_dir / "random-returns")
    store.prepare()
    frames = get_task(task, trust).observes == "frames"
    first = _episodes(_cell(task, FRAMES if frames else FIRST, trust), store, workers)
    returns = first.returns
    if first.lengths.sum() <= MOST_STEPS and not frames:
        returns = np.concatenate([returns, _episodes(_cell(task, OTHERS, trust), store, workers).returns])
    mean = float(returns.mean())
    half = _QUANTILE * float(returns.std(ddof=1)) / len(returns) ** 0.5
    return RandomReturn(mean, (mean - half, mean + half), len(returns))


def _cell(task: str, seeds: range, trust: bool) -> Cell:
    return Cell(
        suite="random-return",
        version=1,
        task=task,
        perturbation="none",
        level=f"seeds-{seeds[0]}-{seeds[-1]}",
        apply=(),
        source=RANDOM,
        episodes=len(seeds),
        seed=seeds[0],
        trust=trust,
    )


def _episodes(cell: Cell, store: Store, workers: int) -> Episodes:
    if store.holds(cell, replacing=True):
        return store.read(store.path(cell.id)).episodes
    with closing(execute([cell], workers)) as outcomes:
        outcome = next(outcomes)
    if outcome.record is None:
        raise SymbenchError(f"the random return of {cell.task} cannot be measured: {outcome.error}")
    store.write(outcome.record)
    return outcome.record.episodes
