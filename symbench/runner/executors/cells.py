"""Cells to outcomes: splits cells into jobs, has an executor play them, and puts the parts together again."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from symbench.errors import SymbenchError, unknown
from symbench.extras import require
from symbench.runner.evaluate import batches, whole
from symbench.runner.executors import local
from symbench.runner.executors.base import Outcome

if TYPE_CHECKING:
    from collections.abc import Container, Generator, Sequence

    from symbench.runner.cell import Cell
    from symbench.runner.executors.base import Executor
    from symbench.runner.store import Record

EXECUTORS: Final = ("local", "ray")

_OURS = ("random", "zoo", "solver")  # kinds of agents that execute nothing but symbench's own code


def execute(
    cells: Sequence[Cell],
    workers: int = 1,
    failed: Container[str] = (),
    *,
    executor: str = "local",
    timeout: float | None = None,
) -> Generator[Outcome, None, None]:
    """Evaluate cells and hand each out as soon as it is done, or as soon as a part of it has failed.

    Args:
        cells: What to evaluate.
        workers: Number of processes; 1 evaluates in this one, or in a single other one if an agent brings code of its
            own, one of the cells failed before, or there is a timeout. Numbers do not depend on it, only their order
            does.
        failed: Ids of cells that failed before.
        executor: Where the processes are: ``"local"``, on this machine, or ``"ray"``, on a Ray cluster.
        timeout: Seconds that a batch of episodes may take before its process is killed and its cell has failed.

    Yields:
        One outcome for each cell. Closing the iterator early stops the workers.

    Raises:
        SymbenchError: ``workers`` is less than 1, ``timeout`` is not above 0, the executor is unknown or not installed;
            processes are needed and the script that asks for them would start itself again in each.
    """
    check(workers, executor, timeout)
    if executor == "ray":
        from symbench.runner.executors.ray import Ray

        return _whole_cells(cells, Ray(workers, timeout))
    held = [cell for cell in cells if cell.source.held is not None]  # objects do not leave this process
    others = [cell for cell in cells if cell.source.held is None]
    ours = all(cell.source.kind in _OURS and cell.id not in failed for cell in others)
    if not others or (workers == 1 and timeout is None and ours):
        return _whole_cells(cells, local.here)
    local.check_guard()
    return _in_turn(_whole_cells(held, local.here), _whole_cells(others, local.Processes(workers, timeout)))


def _in_turn(*parts: Generator[Outcome, None, None]) -> Generator[Outcome, None, None]:
    for part in parts:
        yield from part


def check(workers: int, executor: str, timeout: float | None) -> None:
    """Whether :func:`execute` can play so; the errors are the same."""
    if workers < 1:
        raise SymbenchError(f"workers must be at least 1, received {workers}")
    if timeout is not None and not 0 < timeout < math.inf:
        raise SymbenchError(f"timeout must be above 0 seconds, received {timeout:g}")
    if executor not in EXECUTORS:
        raise unknown("executor", executor, EXECUTORS)
    if executor == "ray":
        require("ray", "clusters (--executor ray)")


def _whole_cells(cells: Sequence[Cell], executor: Executor) -> Generator[Outcome, None, None]:
    """The outcomes of cells from those of their batches; of a cell that has failed, no other batch is begun."""
    failed: set[Cell] = set()
    jobs = ((cell, seeds) for cell in cells for seeds in batches(cell) if cell not in failed)
    parts: defaultdict[Cell, dict[int, Record]] = defaultdict(dict)
    done: Counter[Cell] = Counter()
    with closing(executor(jobs)) as played:
        for (cell, seeds), outcome in played:
            if cell in failed:
                continue
            if outcome.record is None:
                failed.add(cell)
                yield outcome
                continue
            parts[cell][seeds[0]] = outcome.record
            done[cell] += len(seeds)
            if done[cell] == cell.episodes:
                yield _merged([part for _, part in sorted(parts.pop(cell).items())])


def _merged(parts: list[Record]) -> Outcome:
    """All batches of a cell, in their order, as one outcome."""
    cell = parts[0].cell
    try:
        return Outcome(cell, replace(parts[0], episodes=whole(cell, [part.episodes for part in parts])))
    except SymbenchError as error:
        return Outcome(cell, error=str(error))
