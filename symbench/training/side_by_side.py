"""Trainings side by side, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from symbench.errors import SymbenchError
from symbench.runner.executors import worker
from symbench.training.progress import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def train_side_by_side(label: str, trainings: Sequence[Callable[[], float]], workers: int) -> None:
    """Carry out all trainings, as many at once as there are workers, and show how many are done.

    Args:
        label: What progress calls them.
        trainings: Functions that can be pickled; each returns the number that progress shows when it is done.
        workers: Processes.

    Raises:
        SymbenchError: One of the trainings did, or a process is gone.
    """
    context, start = multiprocessing.get_context("spawn"), time.perf_counter()  # forked, torch's threads would hang
    others = multiprocessing.active_children()
    workers = min(workers, len(trainings))
    with ProcessPoolExecutor(workers, context, worker.begin) as pool, Meter(label) as meter:
        futures = [pool.submit(training) for training in trainings]
        try:
            for count, future in enumerate(as_completed(futures), 1):
                meter.show(count, len(trainings), future.result(), time.perf_counter() - start)
        except BrokenProcessPool:
            raise SymbenchError(
                "a process that trained is gone; out of memory? Repeat the command to go on from the runs that are done"
            ) from None
        except BaseException:  # leaving would otherwise wait for all jobs
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - set(others):
                process.terminate()
            raise
