"""What an executor is: something that turns jobs into outcomes. A job is a batch of a cell's episodes.

A batch, not a cell, so that a single cell can keep several processes busy too.
"""

from __future__ import annotations

import gc
import traceback
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from symbench.errors import SymbenchError, one_line
from symbench.runner.evaluate import play_batch
from symbench.runner.measures import measure
from symbench.runner.pipeline import describe
from symbench.runner.provenance import machine
from symbench.runner.store import Record

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from symbench.runner.cell import Cell

    Job = tuple[Cell, range]  # some episodes of a cell, by the seeds that they have in the suite


@dataclass(frozen=True)
class Outcome:
    """What became of a cell, or of a batch of it.

    Attributes:
        cell: Which.
        record: What came out, with the episodes of the batch, or ``None`` if it failed.
        error: What went wrong, in one line.
        details: The traceback.
    """

    cell: Cell
    record: Record | None = None
    error: str = ""
    details: str = ""


class Executor(Protocol):
    """Turns jobs into outcomes, in any order. What goes wrong in one job does not stop the others."""

    def __call__(self, jobs: Iterator[Job], /) -> Generator[tuple[Job, Outcome], None, None]:
        """Play jobs.

        Args:
            jobs: Asked for the next job only when there is something to play it, so that they may be endless and may
                depend on earlier outcomes.

        Yields:
            Each job with its outcome. A process that dies makes the job fail that it was playing, and no other.
            Closing the generator early ends every process.
        """


@cache
def import_all() -> None:
    """Import what every job needs, which takes seconds, before the time of the first one is taken."""
    import torch  # noqa: F401

    import symbench.envs
    import symbench.runner.agents
    import symbench.zoo  # noqa: F401

    # What has been imported stays: looking through it for garbage takes time, half a second when the process ends.
    gc.freeze()


def attempt(job: Job) -> Outcome:
    """Play a job in this process."""
    cell, seeds = job
    first = seeds[0] == cell.seed  # the other batches have the same pipeline and measures
    try:
        pipeline, measures = (describe(cell), measure(cell)) if first else ((), {})
        return Outcome(cell, Record(cell, pipeline, play_batch(cell, seeds), measures, machine()))
    except Exception as error:  # whatever an agent or an environment raises, the other cells go on
        kind = "" if isinstance(error, SymbenchError) else f"{type(error).__name__}: "
        return Outcome(cell, error=kind + one_line(error), details=traceback.format_exc())
