"""Executors on this machine: this process, or several others.

What may take its process down is never played in this one.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
import time
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

from symbench.errors import SymbenchError
from symbench.runner.executors import base, crashes, worker

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from multiprocessing.process import BaseProcess

    from symbench.runner.executors.base import Job, Outcome


def here(jobs: Iterator[Job]) -> Generator[tuple[Job, Outcome], None, None]:
    """The executor that plays in this process."""
    for job in jobs:
        yield job, base.attempt(job)


def check_guard() -> None:
    """Whether this script may start processes: they import it, and without a guard it would begin again in each.

    Raises:
        SymbenchError: It has no guard.
    """
    main = sys.modules["__main__"]
    file, spec = Path(getattr(main, "__file__", None) or ""), getattr(main, "__spec__", None)
    imported = file.is_file() and not (spec and spec.name.endswith("__main__"))  # that of a package is not
    unguarded = imported and "__main__" not in file.read_text(errors="replace")
    # The second is what multiprocessing asks itself: is this a worker that imports the script?
    if unguarded or getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SymbenchError(
            "agents that bring code of their own, and several workers, play in processes that import this script: "
            'call symbench under: if __name__ == "__main__":'
        )


class Processes:
    """The executor that plays in several processes."""

    def __init__(self, workers: int, timeout: float | None = None) -> None:
        """Play in ``workers`` processes, each job for at most ``timeout`` seconds."""
        self._workers, self._timeout = workers, timeout

    def __call__(self, jobs: Iterator[Job]) -> Generator[tuple[Job, Outcome], None, None]:
        """Play jobs."""
        return crashes.play(jobs, self._workers, ProcessLane, self._timeout)


class ProcessLane(crashes.Lane):
    """A lane whose processes are on this machine."""

    process: BaseProcess | None = None
    connection: Connection

    def begin(self, job: Job) -> None:
        """Send a job to the process."""
        if self.process is None:
            self._start()
        try:
            self.connection.send(job)
        except OSError:
            self.stop([self])
            self._start()
            self.connection.send(job)

    def receive(self) -> Outcome | None:
        """Read from the pipe."""
        try:
            message: Outcome | None = self.connection.recv()
        except (EOFError, OSError):
            assert self.process is not None
            self.process.join(worker.GRACE)
            raise crashes.WorkerDied(how_it_ended(self.process.exitcode)) from None
        return message

    def dismiss(self) -> None:
        """Close the pipe, at whose end the process ends by itself: closing an interpreter takes half a second."""
        self.connection.close()

    def _start(self) -> None:
        # A fresh interpreter: a forked one would inherit torch's threads in an undefined state.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        # A daemon is ended with this process; in its own eyes it is none, so that environments can start processes.
        process = context.Process(target=_work, args=(theirs,), daemon=True)
        with _ignoring_interrupts():
            process.start()
        self.process = process
        theirs.close()  # so that the end of the process is the end of the pipe

    @staticmethod
    def wait(lanes: Sequence[ProcessLane], seconds: float | None) -> list[ProcessLane]:  # type: ignore[override]
        """Wait for a message, or for the end of a process."""
        ready = wait([lane.connection for lane in lanes], seconds)
        return [lane for lane in lanes if lane.connection in ready]

    @staticmethod
    def stop(lanes: Sequence[ProcessLane]) -> None:  # type: ignore[override]
        """End processes, whatever they are doing: asked first, so that they can close what they opened, then killed."""
        running = [(lane, lane.process) for lane in lanes if lane.process is not None]
        deadline = time.monotonic() + worker.GRACE
        for lane, process in running:
            if not lane.connection.closed:  # otherwise it has been dismissed
                process.terminate()
        try:
            for _, process in running:
                wait([process.sentinel], max(0.0, deadline - time.monotonic()))
        finally:  # also if a second Ctrl-C asks for less patience
            for lane, process in running:
                worker.kill_group(process.pid)  # before it is joined: its number can belong to nobody else until then
                process.kill()
                process.join()
                lane.connection.close()
                lane.process = None


def how_it_ended(code: int | None) -> str:
    """The exit code of a process in words."""
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
    """The loop of a worker process: receive a job, say so, play it, send the outcome; end with the pipe."""
    worker.begin()
    base.import_all()
    while True:
        try:
            job = connection.recv()
            connection.send(None)
            connection.send(base.attempt(job))
        except (EOFError, OSError):
            return
