"""What random play reaches in a task that has no constant: measured once, kept beside the run.

20 episodes where frames are shown, otherwise 100, and 900 more unless these took more than 50,000 steps. Which it is
depends on the task alone, as the numbers do: neither on the clock nor on the number of workers.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.runner.agents import RANDOM
from symbench.runner.cell import Cell
from symbench.runner.evaluate import ENDLESS, batches
from symbench.runner.executors import Outcome, execute
from symbench.runner.store import Store
from symbench.tasks import Metric, get_task
from symbench.tasks.own_environments import code_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Play = Callable[[Sequence[Cell]], Generator[Outcome, None, None]]

# Called with each outcome and the number of those to come. They are announced by a text that says what is played, or
# by ``None``: the cells of the suite.
Progress = Callable[["Outcome | str | None", int], None]

FRAMES: Final = range(20)  # seeds
FIRST: Final = range(100)
OTHERS: Final = range(100, 1000)
MOST_STEPS: Final = 50_000
_QUANTILE: Final = 1.96  # of the normal distribution, two sides, 95%


class NoTimeLimit(SymbenchError):
    """Random play has not ended: neither would anything else."""


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


def measure_random(
    task: str,
    run_dir: Path,
    trust: bool = False,
    *,
    play: Play = execute,
    progress: Progress = lambda outcome, total: None,
) -> RandomReturn:
    """Measure the random return of a task, or read it where it was measured before.

    Args:
        task: Name of the task.
        run_dir: Where the episodes are kept, under ``random-returns``.
        trust: Whether the module of the task may be imported.
        play: Plays cells, :func:`~symbench.runner.executors.execute` with some number of workers.
        progress: Called with each batch of episodes as it is done.

    Raises:
        NoTimeLimit: An episode of random play does not end.
        SymbenchError: Random play fails in this task, or the directory cannot be written.
    """
    store = Store(run_dir / "random-returns")
    store.prepare()
    frames = get_task(task, trust).observes == "frames"
    returns, steps = _play(task, FRAMES if frames else FIRST, store, trust, play, progress)
    if steps <= MOST_STEPS and not frames:
        returns = np.concatenate([returns, _play(task, OTHERS, store, trust, play, progress)[0]])
    mean = float(returns.mean())
    half = _QUANTILE * float(returns.std(ddof=1)) / len(returns) ** 0.5
    return RandomReturn(mean, (mean - half, mean + half), len(returns))


def _play(
    task: str, seeds: range, store: Store, trust: bool, play: Play, progress: Progress
) -> tuple[NDArray[np.float64], int]:
    """The returns of random play, (E,), and how many steps that took."""
    # A cell for each batch: they can be counted as they are done, and played side by side.
    cells = [_cell(task, batch, trust) for batch in batches(_cell(task, seeds, trust))]
    missing = [cell for cell in cells if not store.holds(cell, replacing=True)]
    unlimited = get_task(task, trust).max_episode_steps is None
    if missing and unlimited:
        missing.insert(0, _cell(task, seeds[:1], trust))  # does an episode end at all? One alone says so in seconds
    if missing:
        progress(f"random play in {task}", len(missing))
    with closing(play(missing)) as outcomes:
        for outcome in outcomes:
            if outcome.record is None and unlimited and ENDLESS in outcome.error:
                limited = f"{task}{'&' if '?' in task else '?'}max_episode_steps=N"
                way_out = f"register it with gym.register(..., max_episode_steps=N), or give {limited}"
                raise NoTimeLimit(f"{outcome.error}, and {task} has no time limit: {way_out}")
            if outcome.record is None:
                raise SymbenchError(f"the random return of {task} cannot be measured: {outcome.error}")
            store.write(outcome.record)
            progress(outcome, len(missing))
    episodes = [store.read(store.path(cell.id)).episodes for cell in cells]
    return np.concatenate([each.returns for each in episodes]), sum(int(each.lengths.sum()) for each in episodes)


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
        code=code_of(get_task(task, trust)),
        trust=trust,
    )
