"""Processes that play one job at a time each, here or on other machines: who died, who hangs, who is tried again."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from itertools import islice
from typing import TYPE_CHECKING, Final

from symbench.runner.executors.base import Outcome

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from symbench.runner.executors.base import Job

ATTEMPTS: Final = 2  # a process may be killed for what others have done, e.g. taken all memory


class WorkerDied(Exception):
    """A process is gone; the message says how it ended."""


class Lane(ABC):
    """One worker process after another, and the job that it plays. It attributes a crash to its current job.

    Attributes:
        job: What is played.
        expires: When it will have taken too long, on the clock of ``time.monotonic``.
    """

    job: Job
    expires: float = math.inf

    def __init__(self, timeout: float | None = None) -> None:
        """Play jobs for at most ``timeout`` seconds each; nothing is started yet."""
        self.timeout = timeout
        self._deaths: list[str] = []

    @abstractmethod
    def begin(self, job: Job) -> None:
        """Have a process play a job; start one if there is none, or if it died while it had nothing to do."""

    @abstractmethod
    def receive(self) -> Outcome | None:
        """What the process has to say: ``None`` when it begins the job, the outcome when that is done.

        Raises:
            WorkerDied: Nothing any more.
        """

    @staticmethod
    @abstractmethod
    def wait(lanes: Sequence[Lane], seconds: float | None) -> Sequence[Lane]:
        """Wait until some of these can :meth:`take`, or for so many seconds, and return them."""

    @staticmethod
    @abstractmethod
    def stop(lanes: Sequence[Lane]) -> None:
        """End the processes of these lanes that there are, with all that they have started."""

    def dismiss(self) -> None:
        """No job follows: the process may end, and nobody waits for it here."""
        self.stop([self])

    def give(self, job: Job) -> None:
        """Play another job."""
        self.job, self._deaths, self.expires = job, [], math.inf
        self.begin(job)

    def take(self) -> Outcome | None:
        """What became of the job; ``None`` if it has only begun, or begins again because its process died."""
        try:
            outcome = self.receive()
        except WorkerDied as death:
            return self._again(str(death))
        if outcome is None and self.timeout is not None:
            self.expires = time.monotonic() + self.timeout
        return outcome

    def expire(self) -> Outcome:
        """Kill what takes too long."""
        self.stop([self])
        cell, seeds = self.job
        return Outcome(
            cell,
            error=f"the episodes with seeds {seeds[0]} to {seeds[-1]} took longer than {self.timeout:g} seconds and "
            "were stopped; give a longer --timeout if they do not hang",
        )

    def _again(self, how: str) -> Outcome | None:
        self.stop([self])
        self._deaths.append(how)
        self.expires = math.inf
        if len(self._deaths) < ATTEMPTS:
            self.begin(self.job)
            return None
        ends = " and ".join(dict.fromkeys(self._deaths))
        error = f"the worker process died ({ends}), also when it was tried a second time; out of memory or a crash?"
        return Outcome(self.job[0], error=error)


def play(
    jobs: Iterator[Job], workers: int, kind: type[Lane], timeout: float | None
) -> Generator[tuple[Job, Outcome], None, None]:
    """Play jobs in lanes.

    Args:
        jobs: See :class:`~symbench.runner.executors.base.Executor`.
        workers: The number of lanes, if there are so many jobs.
        kind: What kind of lanes.
        timeout: Seconds that a job may take; ``None`` waits for ever.

    Yields:
        Each job with its outcome. All processes have ended when the generator is closed.
    """
    lanes: list[Lane] = []
    try:
        for job in islice(jobs, workers):
            lanes.append(kind(timeout))
            lanes[-1].give(job)
        busy = list(lanes)
        while busy:
            for lane, outcome in _outcomes(busy, kind):
                job = lane.job
                if following := next(jobs, None):
                    lane.give(following)
                else:
                    busy.remove(lane)
                    lane.dismiss()  # what waits for a place on a cluster can have this one
                yield job, outcome
    finally:
        kind.stop(lanes)


def _outcomes(busy: Sequence[Lane], kind: type[Lane]) -> list[tuple[Lane, Outcome]]:
    """What is done, perhaps nothing yet; waits for it until the first lane has taken too long."""
    first = min(lane.expires for lane in busy)
    ready = kind.wait(busy, None if first == math.inf else max(0.0, first - time.monotonic()))
    taken = [(lane, outcome) for lane in ready if (outcome := lane.take())]
    late = [lane for lane in busy if lane not in ready and lane.expires <= time.monotonic()]
    return taken + [(lane, lane.expire()) for lane in late]
