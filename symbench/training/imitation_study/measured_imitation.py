"""Trains the students of a study and measures each as it learns, under conditions that it is not told of."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import torch

from symbench.policies import NetworkAgent, PolicyNetwork
from symbench.runner.evaluate import play, single_thread
from symbench.suites.loader import load_suite
from symbench.tasks import get_task
from symbench.training.imitation import imitate
from symbench.training.imitation_settings import Imitation
from symbench.training.recipe_parts import check, make_network, teacher_of
from symbench.training.session import Session, require_commit
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
    study: ImitationStudy, out: Path, arms: Sequence[str] = (), *, resume: bool = True, allow_dirty: bool = False
) -> list[Path]:
    """Train and measure all runs that are not there yet, the first run of every arm first.

    Args:
        study: What to do.
        out: The study's folder; run k of an arm goes into ``out/<arm>/s<k>``.
        arms: Names of the arms; all by default.
        resume: Whether to go on with what is there; otherwise it is deleted.
        allow_dirty: Whether to train although files of the source checkout differ from its commit.

    Returns:
        The agents, paths without suffix.

    Raises:
        SymbenchError: An arm is unknown or cannot be trained, the folder holds runs of other settings or cannot be
            written, or files of the checkout differ from its commit.
    """
    plans = [study.recipe(name) for name in arms or [arm.name for arm in study.arms]]
    for plan in plans:
        check(plan, seed=0)
    runs = [(plan, seed) for seed in range(study.seeds) for plan in plans]
    return [_run(study, plan, out, seed, resume, allow_dirty) for plan, seed in runs]


def _run(study: ImitationStudy, plan: Recipe, out: Path, seed: int, resume: bool, allow_dirty: bool) -> Path:
    folder, settings = out / plan.name / f"s{seed}", plan.algorithm
    assert isinstance(settings, Imitation)
    require_commit(folder, resume=resume, allow_dirty=allow_dirty)
    torch.manual_seed(seed)
    student = make_network(plan, seed)
    session = MeasuredSession(study, folder, seed, student, digest=study.digest(plan.name), resume=resume)
    if not session.finished:
        with single_thread(), session:
            imitate(plan, settings, student, teacher_of(plan.task, settings, seed), session)
            write_agent(plan, student, session)
    return folder / "agent"
