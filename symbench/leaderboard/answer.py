"""What a run says in one line: how much of its clean score each agent keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.leaderboard.bootstrap import UNDEFINED, Estimate, components, estimate, half_width, interval_over
from symbench.leaderboard.retention import retention_draws
from symbench.leaderboard.scores import Scores
from symbench.leaderboard.text import with_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.leaderboard.bootstrap import Draws
    from symbench.runner import Manifest, Record

_VAGUE: Final = 1.0  # width of an interval that says nothing
_WHY_VAGUE: Final = "too few episodes, or too low a clean score, to tell what is left of it"


def answer(manifest: Manifest, records: Sequence[Record], tasks: Sequence[str] = ()) -> str:
    """For example ``CartPole-v1: mine keeps 10% [9, 13] of its clean score, mlp 1%``.

    The mean over conditions, then over tasks, of the retention of docs/statistics.md, over the conditions that all
    agents have played; if they are not all, the line says so. Random play, which has nothing to keep, and agents that
    have not played at all are left out, and no share is told whose interval is wider than the clean score itself. If no
    agent plays all tasks, there is a line for each.

    Args:
        manifest: What was run.
        records: Its cells that have been evaluated.
        tasks: The tasks it is about; none takes all.

    Returns:
        Nothing if no agent has played both without and with a perturbation.
    """
    scores = Scores(manifest, records)
    chosen = [task for task in tasks if task in manifest.tasks] or list(manifest.tasks)
    played = [task for task in chosen if _agents(manifest, scores, [task])]
    together = played and _agents(manifest, scores, played)
    lines = (_line(manifest, scores, group) for group in ([played] if together else [[task] for task in played]))
    return "\n".join(filter(None, lines))


def _line(manifest: Manifest, scores: Scores, chosen: Sequence[str]) -> str:
    agents = _agents(manifest, scores, chosen)
    common = {task: _played(manifest, scores, task, agents) for task in chosen}
    if not all(common.values()):
        return ""
    estimates = {agent: _kept(manifest, scores, common, agent) for agent in agents}
    vague = [agent for agent, share in estimates.items() if share.high - share.low > _VAGUE]
    told = {agent: share for agent, share in estimates.items() if share is not UNDEFINED and agent not in vague}
    kept = {agent: with_interval(share, percent=True) for agent, share in told.items()}
    said = [f"{agent} {share}" for agent, share in kept.items()]
    if kept:
        first, share = next(iter(kept.items()))
        said[0] = f"{first} keeps {share} of its clean score"
    others = [agent for agent in agents if agent not in (*kept, *vague)]
    nothing = [f"{_why_none(manifest, chosen)}: {', '.join(others)}"] if others else []
    nothing += [f"{_WHY_VAGUE}: {', '.join(vague)}"] if vague else []
    where = chosen[0] if len(chosen) == 1 else f"{len(chosen)} tasks"
    return f"{where}: " + "; ".join([*([", ".join(said) + _which(manifest, common)] if kept else []), *nothing])


def _why_none(manifest: Manifest, tasks: Sequence[str]) -> str:
    if any(manifest.tasks[task].random_return is None for task in tasks):
        return "shares are counted from random play, which could not be measured"
    return "too low a clean score to keep any of it"


def _agents(manifest: Manifest, scores: Scores, tasks: Sequence[str]) -> list[str]:
    """The agents that have played all these tasks; the one that others are compared with comes last."""
    clean = manifest.suite.baseline.id
    everywhere = [name for name in scores.agents(tasks[0]) if all(scores.runs(task, clean, name) for task in tasks)]
    names = [name for name in everywhere if name != "random"]
    return sorted(names, key=lambda name: name == manifest.suite.compare_with)


def _perturbed(manifest: Manifest, task: str) -> list[str]:
    return [each.id for each in manifest.suite.distinct(manifest.tasks[task]) if not each.baseline]


def _played(manifest: Manifest, scores: Scores, task: str, agents: Sequence[str]) -> list[str]:
    """The conditions that all agents have played, with as many training runs and episodes as without perturbation."""
    clean = manifest.suite.baseline.id
    return [
        condition
        for condition in _perturbed(manifest, task)
        if all(
            scores.runs(task, condition, agent) == scores.runs(task, clean, agent) != set()
            and _shape(scores, task, condition, agent) == _shape(scores, task, clean, agent)
            for agent in agents
        )
    ]


def _shape(scores: Scores, task: str, condition: str, agent: str) -> tuple[int, ...]:
    found = scores.returns(task, condition, agent)
    return () if found is None else found.shape


def _kept(manifest: Manifest, scores: Scores, common: dict[str, list[str]], agent: str) -> Estimate:
    draws = [_draws(manifest, scores, task, conditions, agent) for task, conditions in common.items()]
    complete = [of_task for of_task in draws if of_task is not None]
    if len(complete) < len(draws):
        return UNDEFINED
    if len(complete) == 1:
        return estimate(complete[0])
    value = float(np.mean([each.value for each in complete]))
    if not all(interval_over(*each.shape) for each in complete):
        return Estimate(value, *UNDEFINED[1:])
    half = half_width(part for each in complete for part in components(each)) / len(complete)
    return Estimate(value, value - half, value + half)


def _draws(manifest: Manifest, scores: Scores, task: str, conditions: Sequence[str], agent: str) -> Draws | None:
    found = (scores.gains(task, name, agent) for name in (manifest.suite.baseline.id, *conditions))
    matrices = [matrix for matrix in found if matrix is not None]
    if not matrices:  # gains are counted from random play, which was not measured
        return None
    clean, *perturbed = matrices
    return retention_draws(np.stack(perturbed), clean, manifest.suite.seed, task)


def _which(manifest: Manifest, common: dict[str, list[str]]) -> str:
    """Of which conditions that is the mean, if there are several."""
    counts = [(len(conditions), len(_perturbed(manifest, task))) for task, conditions in common.items()]
    played, there = (sum(numbers) for numbers in zip(*counts, strict=True))
    if played < there:
        return f" (mean of {played} of {there} perturbations, which all of them played)"
    return f" (mean of {there} perturbations)" if there > len(common) else ""
