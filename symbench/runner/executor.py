"""Evaluates cells, in this process or in several; what goes wrong in one cell does not stop the others.

The unit of work is a batch of a cell's episodes, so that a single cell can keep several processes busy too.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import traceback
from collections import defaultdict, deque
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from symbench.errors import SymbenchError
from symbench.runner.evaluate import batches, play_batch, whole
from symbench.runner.measures import measure
from symbench.runner.pipeline import describe
from symbench.runner.provenance import machine
from symbench.runner.store import Record

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from multiprocessing.process import BaseProcess

    from symbench.runner.cell import Cell

    Job = tuple[Cell, list[int]]  # some episodes of a cell, by their seeds


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


def execute(cells: Sequence[Cell], workers: int = 1) -> Generator[Outcome, None, None]:
    """Evaluate cells and hand each out as soon as it is done.

    Args:
        cells: What to evaluate.
        workers: Number of processes; 1 evaluates in this one. Numbers do not depend on it, only their order does.

    Yields:
        One outcome for each cell. Closing the iterator early stops the workers.

    Raises:
        SymbenchError: ``workers`` is less than 1.
    """
    if workers < 1:
        raise SymbenchError(f"workers must be at least 1, received {workers}")
    jobs = [(cell, seeds) for cell in cells for seeds in batches(cell)]
    workers = min(workers, len(jobs))
    return _whole_cells(_in_processes(jobs, workers) if workers > 1 else ((job, _attempt(job)) for job in jobs))


def _whole_cells(played: Generator[tuple[Job, Outcome], None, None]) -> Generator[Outcome, None, None]:
    """The outcomes of cells from those of their batches, as soon as all are there."""
    parts: defaultdict[Cell, dict[int, Outcome]] = defaultdict(dict)
    with closing(played):
        for (cell, seeds), outcome in played:
            parts[cell][seeds[0]] = outcome
            if len(parts[cell]) == len(batches(cell)):
                yield _merged([part for _, part in sorted(parts.pop(cell).items())])


def _attempt(job: Job) -> Outcome:
    cell, seeds = job
    try:
        return Outcome(cell, Record(cell, describe(cell), play_batch(cell, seeds), measure(cell), machine()))
    except Exception as error:  # whatever an agent or an environment raises, the other cells go on
        line = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(cell, error=line, details=traceback.format_exc())


def _merged(parts: Sequence[Outcome]) -> Outcome:
    """All batches of a cell as one outcome: the first that failed, if one did."""
    records = [part.record for part in parts if part.record]
    if len(records) < len(parts):
        return next(part for part in parts if part.record is None)
    try:
        episodes = whole(parts[0].cell, [record.episodes for record in records])
    except SymbenchError as error:
        return Outcome(parts[0].cell, error=str(error))
    return Outcome(parts[0].cell, replace(records[0], episodes=episodes))


def _in_processes(jobs: Sequence[Job], workers: int) -> Generator[tuple[Job, Outcome], None, None]:
    waiting = deque(jobs)
    lanes = [_Lane() for _ in range(workers)]
    try:
        for lane in lanes:
            lane.give(waiting.popleft())
        busy = list(lanes)
        while busy:
            ready = wait([lane.connection for lane in busy])
            for lane in [lane for lane in busy if lane.connection in ready]:
                job, outcome = lane.job, lane.take()
                if waiting:
                    lane.give(waiting.popleft())
                else:
                    busy.remove(lane)
                yield job, outcome
    finally:
        for lane in lanes:
            lane.stop()


class _Lane:
    """One worker process and the job it is working on. A lane knows whose fault it is when its process dies."""

    connection: Connection
    job: Job
    _process: BaseProcess

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        # A fresh interpreter: a forked one would inherit torch's threads in an undefined state.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        with _ignoring_interrupts():
            self._process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    def give(self, job: Job) -> None:
        """Start a job, in a new process if the old one has died."""
        self.job = job
        try:
            self.connection.send(job)
        except OSError:
            self.stop()
            self._start()
            self.connection.send(job)

    def take(self) -> Outcome:
        """The outcome of the job, which must be ready."""
        try:
            outcome: Outcome = self.connection.recv()
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            return Outcome(self.job[0], error=f"the worker process died (exit code {code}); out of memory or a crash?")
        return outcome

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._process.terminate()
        self._process.join()
        self.connection.close()


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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent decides what it means
    while True:
        try:
            connection.send(_attempt(connection.recv()))
        except (EOFError, OSError):
            return
