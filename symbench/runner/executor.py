"""Evaluates cells, in this process or in several; what goes wrong in one cell does not stop the others.

The unit of work is a batch of a cell's episodes, so that a single cell can keep several processes busy too. What may
take its process down is never played in this one.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
import traceback
from collections import Counter, defaultdict
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from symbench.errors import SymbenchError, one_line
from symbench.runner import worker
from symbench.runner.evaluate import batches, play_batch, whole
from symbench.runner.measures import measure
from symbench.runner.pipeline import describe
from symbench.runner.provenance import machine
from symbench.runner.store import Record

if TYPE_CHECKING:
    from collections.abc import Container, Generator, Iterator, Sequence
    from multiprocessing.process import BaseProcess

    from symbench.runner.cell import Cell

    Job = tuple[Cell, range]  # some episodes of a cell, by their seeds

_OURS = ("random", "zoo")  # kinds of agents that execute nothing but symbench's own code


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


def execute(cells: Sequence[Cell], workers: int = 1, failed: Container[str] = ()) -> Generator[Outcome, None, None]:
    """Evaluate cells and hand each out as soon as it is done, or as soon as a part of it has failed.

    Args:
        cells: What to evaluate.
        workers: Number of processes; 1 evaluates in this one, or in a single other one if an agent brings code of its
            own or one of the cells failed before. Numbers do not depend on it, only their order does.
        failed: Ids of cells that failed before.

    Yields:
        One outcome for each cell. Closing the iterator early stops the workers.

    Raises:
        SymbenchError: ``workers`` is less than 1.
    """
    if workers < 1:
        raise SymbenchError(f"workers must be at least 1, received {workers}")
    here = workers == 1 and all(
        cell.source.held is not None or (cell.source.kind in _OURS and cell.id not in failed) for cell in cells
    )
    return _whole_cells(cells, None if here else workers)


def _whole_cells(cells: Sequence[Cell], workers: int | None) -> Generator[Outcome, None, None]:
    """The outcomes of cells from those of their batches; of a cell that has failed, no other batch is begun."""
    failed: set[Cell] = set()
    jobs = ((cell, seeds) for cell in cells for seeds in batches(cell) if cell not in failed)
    played = _in_processes(jobs, workers) if workers else ((job, _attempt(job)) for job in jobs)
    parts: defaultdict[Cell, list[Record]] = defaultdict(list)
    done: Counter[Cell] = Counter()
    with closing(played):
        for (cell, seeds), outcome in played:
            if cell in failed:
                continue
            if outcome.record is None:
                failed.add(cell)
                yield outcome
                continue
            parts[cell].append(outcome.record)
            done[cell] += len(seeds)
            if done[cell] == cell.episodes:
                yield _merged(parts.pop(cell))


def _attempt(job: Job) -> Outcome:
    cell, seeds = job
    first = seeds[0] == cell.seed  # the other batches have the same pipeline and measures
    try:
        pipeline, measures = (describe(cell), measure(cell)) if first else ((), {})
        return Outcome(cell, Record(cell, pipeline, play_batch(cell, seeds), measures, machine()))
    except Exception as error:  # whatever an agent or an environment raises, the other cells go on
        return Outcome(cell, error=f"{type(error).__name__}: {one_line(error)}", details=traceback.format_exc())


def _merged(parts: list[Record]) -> Outcome:
    """All batches of a cell as one outcome."""
    parts.sort(key=lambda part: int(part.episodes.seeds[0]))
    cell = parts[0].cell
    try:
        return Outcome(cell, replace(parts[0], episodes=whole(cell, [part.episodes for part in parts])))
    except SymbenchError as error:
        return Outcome(cell, error=str(error))


def _in_processes(jobs: Iterator[Job], workers: int) -> Generator[tuple[Job, Outcome], None, None]:
    lanes: list[_Lane] = []
    try:
        for job in islice(jobs, workers):
            lanes.append(_Lane())
            lanes[-1].give(job)
        busy = list(lanes)
        while busy:
            ready = wait([lane.connection for lane in busy])
            for lane in [lane for lane in busy if lane.connection in ready]:
                job, outcome = lane.job, lane.take()
                if following := next(jobs, None):
                    lane.give(following)
                else:
                    busy.remove(lane)
                yield job, outcome
    finally:
        _stop(lanes)


def _stop(lanes: Sequence[_Lane]) -> None:
    """End processes, whatever they are doing: asked first, so that they can close what they opened, then killed."""
    deadline = time.monotonic() + worker.GRACE
    for lane in lanes:
        lane.process.terminate()
    try:
        for lane in lanes:
            lane.process.join(max(0.0, deadline - time.monotonic()))
    finally:  # also if a second Ctrl-C asks for less patience
        for lane in lanes:
            lane.process.kill()
            lane.process.join()
            lane.connection.close()


class _Lane:
    """One worker process and the job it is working on. A lane knows whose fault it is when its process dies."""

    connection: Connection
    job: Job
    process: BaseProcess

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        # A fresh interpreter: a forked one would inherit torch's threads in an undefined state.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,), daemon=True)
        with _ignoring_interrupts():
            self.process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    def give(self, job: Job) -> None:
        """Start a job, in a new process if the old one has died."""
        self.job = job
        try:
            self.connection.send(job)
        except OSError:
            _stop([self])
            self._start()
            self.connection.send(job)

    def take(self) -> Outcome:
        """The outcome of the job, which must be ready."""
        try:
            outcome: Outcome = self.connection.recv()
        except (EOFError, OSError):
            self.process.join(worker.GRACE)
            return Outcome(self.job[0], error=f"the worker process died ({self._end()}); out of memory or a crash?")
        return outcome

    def _end(self) -> str:
        """How the process ended."""
        code = self.process.exitcode
        return f"exit code {code}" + (f", {signal.strsignal(-code)}" if code and code < 0 else "")


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """A process started in here ignores Ctrl-C from its first instruction on, not only once it has imported us."""
    if threading.current_thread() is not threading.main_thread():  # the only one that may change what signals do
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(connection: Connection) -> None:
    """The loop of a worker process: receive a job, do it, send the outcome; end with the pipe."""
    worker.begin()
    while True:
        try:
            connection.send(_attempt(connection.recv()))
        except (EOFError, OSError):
            return
