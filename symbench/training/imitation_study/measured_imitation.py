"""Trains the students of a study and measures each as it learns, under conditions that it is not told of."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from symbench.errors import SymbenchError
from symbench.policies import NetworkAgent, PolicyNetwork
from symbench.runner.evaluate import play, single_thread
from symbench.suites.loader import load_suite
from symbench.tasks import get_task
from symbench.training.imitation import imitate
from symbench.training.imitation_settings import Imitation
from symbench.training.recipe_parts import check, make_network, teacher_of
from symbench.training.session import Session, require_commit
from symbench.training.side_by_side import train_side_by_side
from symbench.training.train_recipe import write_agent
from symbench.training.training_envs import perturbed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from symbench.training.imitation_study.imitation_arms import ImitationStudy
    from symbench.training.recipe import Recipe


class MeasuredSession(Session):
    """A training run whose learning curve says what the student scores under each condition of the study.

    Its rows are ``{"done", "seconds", "return", LEVEL: mean return, ...}``.
    """

    def __init__(self, study: ImitationStudy, folder: Path, seed: int, student: PolicyNetwork, **options: Any) -> None:
        """Open ``folder``; ``options`` are those of :class:`Session`."""
        super().__init__(folder, seed, **options)
        self._study, self._student, self._conditions = study, student, study.conditions()
        self._first_seed = load_suite(study.suite).seed

    def report(self, done: int, total: int, returns: float, **others: float) -> None:
        """Show progress, and measure where a measurement is due."""
        self.show(done, total, returns)
        before = self.curve[-1]["done"] if self.curve else 0
        point = self._study.points * min(done, total) // total
        if point > self._study.points * before // total:
            scores = {level: self._score(level, last=point == self._study.points) for level in self._conditions}
            self.note(min(done, total), {"return": round(returns, 2), **scores}, **others)

    def _score(self, level: str, *, last: bool) -> float:
        """Mean return under one condition; all measurements play the same episodes."""
        count = self._study.last_episodes if last else self._study.episodes
        task, seeds = self._study.task, range(self._first_seed, self._first_seed + count)
        with closing(perturbed(get_task(task).make_vec(count), self._conditions[level].apply, task)) as envs:
            returns = play(envs, NetworkAgent(self._student, "student"), list(seeds)).returns
        return round(float(returns.mean()), 2)


def run_imitation_study(
    study: ImitationStudy,
    out: Path,
    arms: Sequence[str] = (),
    *,
    workers: int = 1,
    resume: bool = True,
    allow_dirty: bool = False,
    trust: bool = False,
) -> list[Path]:
    """Train and measure all runs that are not there yet, the first run of every arm first.

    Args:
        study: What to do.
        out: The study's folder; run k of an arm goes into ``out/<arm>/s<k>``.
        arms: Names of the arms; all by default.
        workers: Processes, of one thread each; numbers do not depend on it.
        resume: Whether to go on with what is there; otherwise it is deleted.
        allow_dirty: Whether to train although files of the source checkout differ from its commit.
        trust: Whether the module of the task may be imported.

    Returns:
        The agents, paths without suffix.

    Raises:
        SymbenchError: An arm is unknown or cannot be trained, ``workers`` is below 1, the folder holds runs of other
            settings or cannot be written, files of the checkout differ from its commit, or a process is gone.
    """
    if workers < 1:
        raise SymbenchError(f"workers must be at least 1, received {workers}")
    get_task(study.task, trust)
    plans = [study.recipe(name) for name in arms or [arm.name for arm in study.arms]]
    for plan in plans:
        check(plan, seed=0)
    folders = {out / plan.name / f"s{seed}": (plan, seed) for seed in range(study.seeds) for plan in plans}
    for folder in folders:
        require_commit(folder, resume=resume, allow_dirty=allow_dirty)
    runs = [partial(_run, study, *run, folder, resume, trust) for folder, run in folders.items()]
    if min(workers, len(runs)) > 1:
        train_side_by_side(study.name, runs, workers)
    else:
        for run in runs:
            run()
    return [folder / "agent" for folder in folders]


def _run(study: ImitationStudy, plan: Recipe, seed: int, folder: Path, resume: bool, trust: bool) -> float:
    """Train and measure a run, and say its last return under the first condition; NaN if it was there."""
    settings = plan.algorithm
    assert isinstance(settings, Imitation)
    get_task(study.task, trust)  # in this process
    torch.manual_seed(seed)
    student = make_network(plan, seed)
    session = MeasuredSession(study, folder, seed, student, digest=study.digest(plan.name), resume=resume)
    if not session.finished:
        with single_thread(), session:
            imitate(plan, settings, student, teacher_of(plan.task, settings, seed), session)
            write_agent(plan, student, session)
    return float(session.curve[-1][study.levels[0]]) if session.curve else float("nan")
