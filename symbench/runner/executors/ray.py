"""The executor on a Ray cluster: https://docs.ray.io. Needs the extra ``[ray]``.

Each lane is an actor with one CPU, anywhere on the cluster. All machines need the same symbench and the agents' files
under the same paths.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from symbench.errors import SymbenchError, one_line
from symbench.extras import require
from symbench.runner.executors import base, crashes

ray = require("ray", "clusters (--executor ray)")

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from symbench.runner.executors.base import Job, Outcome


class Ray:
    """The executor that plays in actors of a Ray cluster."""

    def __init__(self, workers: int, timeout: float | None = None) -> None:
        """Play in at most ``workers`` actors, as many as the cluster has CPUs for, each job for at most ``timeout``."""
        self._workers, self._timeout = workers, timeout

    def __call__(self, jobs: Iterator[Job]) -> Generator[tuple[Job, Outcome], None, None]:
        """Play jobs, on the cluster of ``RAY_ADDRESS``, else on this machine's, else on one started for this."""
        with _connected():
            try:
                yield from crashes.play(jobs, self._workers, ActorLane, self._timeout)
            except ray.exceptions.RayError as error:  # not of an actor, which :class:`ActorLane` attributes to its job
                reason = one_line(str(error).partition("\n")[0])
                raise SymbenchError(f"the Ray cluster was lost ({reason}); the same command goes on") from error


class ActorLane(crashes.Lane):
    """A lane whose processes are actors."""

    actor: Any = None
    awaited: Any = None  # the answer that comes next

    def begin(self, job: Job) -> None:
        """Send a job to the actor; a new one may have to wait for a CPU, which is no part of the job."""
        if self.actor is None:
            self.actor = _actor_class().remote()
        self.awaited, self._outcome = self.actor.begin.remote(), self.actor.attempt.remote(job)

    def receive(self) -> Outcome | None:
        """Fetch the answer."""
        try:
            answer: Outcome | None = ray.get(self.awaited)
        except ray.exceptions.RayError as error:
            raise crashes.WorkerDied(one_line(str(error).partition("\n")[0])) from None
        self.awaited = self._outcome
        return answer

    @staticmethod
    def wait(lanes: Sequence[ActorLane], seconds: float | None) -> list[ActorLane]:  # type: ignore[override]
        """Wait for an answer, or for the end of an actor."""
        awaited = [lane.awaited for lane in lanes]
        ready, _ = ray.wait(awaited, timeout=seconds, fetch_local=False)
        return [lane for lane in lanes if lane.awaited in ready]

    @staticmethod
    def stop(lanes: Sequence[ActorLane]) -> None:  # type: ignore[override]
        """Kill actors."""
        for lane in lanes:
            if lane.actor is not None:
                ray.kill(lane.actor)
            lane.actor = lane.awaited = lane._outcome = None


class _Actor:
    """Plays jobs somewhere on the cluster."""

    def begin(self) -> None:
        """Say that there is a CPU to play on, and that all is ready."""
        base.import_all()

    def attempt(self, job: Job) -> Outcome:
        """Play a job."""
        return base.attempt(job)


@cache
def _actor_class() -> Any:
    # Who is tried again, and how often, is said by the lane, for all executors alike.
    return ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Actor)


@contextmanager
def _connected() -> Iterator[None]:
    """Connect to a cluster for the time of the block, unless the program has done so."""
    if ray.is_initialized():
        yield
        return
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise SymbenchError(f"cannot connect to a Ray cluster ({one_line(error)}); see RAY_ADDRESS") from error
    try:
        yield
    finally:
        ray.shutdown()
