"""Carries out a study: stacks of training runs, in one process or several, one file for each run.

A stack is always trained as a whole, so a run's numbers depend neither on the number of workers nor on a resume.
"""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from symbench.errors import SymbenchError
from symbench.reading import brief
from symbench.runner.evaluate import single_thread
from symbench.runner.provenance import environment
from symbench.tasks import get_task
from symbench.training.progress import Meter
from symbench.training.session import writing
from symbench.training.side_by_side import train_side_by_side
from symbench.training.study.actor_critic_networks import make_actor_critic
from symbench.training.study.learner import Learner, Measurement, check_arm
from symbench.training.study.orientations import check_orientations, returns_in_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from symbench.training.study.study_schema import Arm, Study

    Progress = Callable[[int, int, float], None]


class Point(NamedTuple):
    """One measurement of a run: environment steps so far, mean return."""

    step: int
    value: float


@dataclass(frozen=True)
class Job:
    """One stack: training runs of one arm."""

    study: Study
    arm: Arm
    seeds: tuple[int, ...]
    out: Path
    trust: bool = False

    def path(self, seed: int) -> Path:
        """The file of one run."""
        return self.out / self.arm.name / f"s{seed}.json"

    @property
    def name(self) -> str:
        """What progress shows."""
        return f"{self.study.name}/{self.arm.name}/s{self.seeds[0]}-{self.seeds[-1]}"


def run_study(
    study: Study,
    out: Path,
    arms: Sequence[str] = (),
    *,
    workers: int = 1,
    resume: bool = True,
    trust: bool = False,
) -> list[Path]:
    """Train and measure all runs that are not there yet.

    Args:
        study: What to do.
        out: The study's folder; run k of an arm becomes ``out/<arm>/s<k>.json``.
        arms: Names of the arms; all by default.
        workers: Processes, of one thread each; numbers do not depend on it.
        resume: Whether to keep the runs that are there.
        trust: Whether the module of the task may be imported.

    Returns:
        The files of all asked runs.

    Raises:
        SymbenchError: An arm is unknown, or its network does not fit the task; ``workers`` is below 1, the folder holds
            runs of other settings or cannot be written, or a process is gone.
    """
    if workers < 1:
        raise SymbenchError(f"workers must be at least 1, received {workers}")
    get_task(study.task, trust)
    chosen = [study.arm(name) for name in arms] or list(study.arms)
    if study.orientation_episodes:
        check_orientations(study)  # now rather than after the training
    for arm in chosen:
        check_arm(study, arm)
    jobs = plan(study, out, chosen, trust)
    todo = [job for job in jobs if not (resume and _is_done(job))]
    if min(workers, len(todo)) <= 1:
        for job in todo:
            _carry_out_visibly(job)
    else:
        train_side_by_side(study.name, [partial(_carry_out, job) for job in todo], workers)
    return [job.path(seed) for job in jobs for seed in job.seeds if seed < study.seeds]


def plan(study: Study, out: Path, arms: Sequence[Arm], trust: bool = False) -> list[Job]:
    """The stacks of these arms; the last is filled up to its full size."""
    firsts = range(0, study.seeds, study.stack)
    return [Job(study, arm, tuple(range(first, first + study.stack)), out, trust) for arm in arms for first in firsts]


class Trained(NamedTuple):
    """What became of the runs of a stack.

    Attributes:
        curves: The learning curve of each run, from before the first update on.
        by_orientation: Returns of each run in each orientation in each episode, (R, 4, E); ``None`` if not asked for.
    """

    curves: list[list[Point]]
    by_orientation: NDArray[np.float64] | None


def train(job: Job, progress: Progress = lambda *_: None) -> Trained:
    """Train the runs of a stack.

    Args:
        job: Which.
        progress: Told after every measurement: updates so far, of how many, the mean return of all runs.
    """
    study, curves = job.study, [list[Point]() for _ in job.seeds]
    get_task(study.task, job.trust)  # another process has not imported its module
    with single_thread():
        learner, measure = Learner(study, job.arm, job.seeds), Measurement(study, job.seeds)
        with closing(learner.envs), closing(measure.envs):
            for update in range(study.updates + 1):
                if update:
                    learner.update()
                if update % study.eval_updates == 0:
                    means = measure(learner.stack, update)
                    for curve, value in zip(curves, means.tolist(), strict=True):
                        curve.append(Point(update * study.algorithm.batch, value))
                    progress(update, study.updates, float(means.mean()))
    asked = study.orientation_episodes
    return Trained(curves, returns_in_all(study, job.arm, job.seeds, learner.stack) if asked else None)


def _carry_out_visibly(job: Job) -> None:
    start = time.perf_counter()
    with Meter(job.name) as meter:
        _carry_out(job, lambda done, total, value: meter.show(done, total, value, time.perf_counter() - start))


def _carry_out(job: Job, progress: Progress = lambda *_: None) -> float:
    """Train a stack and write its files; the mean of the last returns."""
    start = time.perf_counter()
    trained = train(job, progress)
    seconds = round(time.perf_counter() - start, 1)
    for i in range(len(job.seeds)):
        _write(job, i, trained, seconds)
    return sum(curve[-1].value for curve in trained.curves) / len(trained.curves)


def _write(job: Job, i: int, trained: Trained, seconds: float) -> None:
    seed, turned = job.seeds[i], trained.by_orientation
    path = job.path(seed)
    steps, returns = zip(*trained.curves[i], strict=True)
    network = make_actor_critic(job.arm.network, seed)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    data = {
        **{"study": job.study.name, "task": job.study.task, "arm": job.arm.name, "seed": seed},
        **{"digest": job.study.digest(job.arm), "parameters": parameters},
        **{"stack": len(job.seeds), "stack_seconds": seconds},
        **{
            "settings": job.study.model_dump(mode="json", exclude={"arms"}),
            "arm_settings": job.arm.model_dump(mode="json"),
        },
        **{"steps": list(steps), "returns": list(returns)},
        **({} if turned is None else {"returns_by_orientation": turned[i].tolist()}),
        "made_with": environment(workers=1),
    }
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"partial-{path.name}")
        partial.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)


def _is_done(job: Job) -> bool:
    """Whether all runs of the stack are there.

    Raises:
        SymbenchError: One of them was made with other settings.
    """
    found = [job.path(seed) for seed in job.seeds if job.path(seed).exists()]
    for path in found:
        if read_run(path).get("digest") != job.study.digest(job.arm):
            raise SymbenchError(
                f"{path} was made with other settings of study {job.study.name}; "
                "choose another --out, or --no-resume to replace it"
            )
    return len(found) == len(job.seeds)


def read_run(path: Path) -> dict[str, Any]:
    """The data of one run.

    Raises:
        SymbenchError: The file is not that of a run.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {**data, "points": list(map(Point, data["steps"], data["returns"]))}
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise SymbenchError(f"{path} is not the file of a training run ({brief(error)}); delete it") from error
