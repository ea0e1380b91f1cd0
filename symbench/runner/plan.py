"""Turns what was asked into the list of cells to evaluate, and finds what cannot work before anything is evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from symbench.envs.tasks import get_task
from symbench.errors import SymbenchError, unknown
from symbench.runner.agents import load
from symbench.runner.cell import AgentSource, Cell
from symbench.runner.pipeline import explicit, make_envs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gymnasium.spaces import Space

    from symbench.suites import Perturbation, Suite

# Episodes a cell of `--quick`: enough to see the shape of a table, too few to quote a number.
QUICK_EPISODES = 50


@dataclass(frozen=True)
class Skipped:
    """A cell that makes no sense, e.g. noise channels for an agent with a fixed number of inputs."""

    id: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """What a run consists of.

    Attributes:
        cells: To be evaluated, in the order task, perturbation, agent, training run.
        skipped: Left out, with reasons; tables show a dash.
        redundant: ``TASK/PERTURBATION/LEVEL`` -> why it would give the numbers of another condition again; tables do
            not show it.
    """

    cells: tuple[Cell, ...]
    skipped: tuple[Skipped, ...]
    redundant: Mapping[str, str] = field(default_factory=dict)


def plan(suite: Suite, agents: Mapping[str, Sequence[AgentSource]], episodes: int | None = None) -> Plan:
    """Cross tasks, perturbations and agents.

    Args:
        suite: The suite.
        agents: For each task to be played, the agents that play it.
        episodes: Episodes a cell; ``None`` takes the suite's number, or the task's where the suite leaves it open.

    Raises:
        SymbenchError: A task is not one of the suite's, a perturbation cannot be applied to a task, or an agent cannot
            act in a task even without perturbation.
    """
    cells: list[Cell] = []
    skipped: list[Skipped] = []
    redundant: dict[str, str] = {}
    for task, sources in agents.items():
        if task not in suite.tasks:
            raise unknown("task", task, suite.tasks, f"of suite {suite.tag}")
        redundant |= {f"{task}/{id}": reason for id, reason in suite.redundant(get_task(task)).items()}
        fit = _Fit(task)
        for source in sources:
            if reason := fit.incompatibility(source, suite.baseline):
                raise SymbenchError(f"agent {source.name!r} cannot play {task}: {reason}; choose another --task")
        for perturbation in _explicit_conditions(suite, task):
            for source in sources:
                cell = _cell(suite, task, perturbation, source, episodes)
                reason = fit.incompatibility(source, perturbation)
                if reason:
                    skipped.append(Skipped(cell.id, reason))
                else:
                    cells.append(cell)
    return Plan(tuple(cells), tuple(skipped), redundant)


def episodes_of(suite: Suite, task: str) -> int:
    """Episodes a cell in the published protocol."""
    return suite.episodes or get_task(task).episodes


def _explicit_conditions(suite: Suite, task: str) -> list[Perturbation]:
    """The conditions of a task as cells record them: hashes must cover what a severity or a default stands for."""
    return [
        condition.model_copy(update={"apply": tuple(explicit(step, task) for step in condition.apply)})
        for condition in suite.distinct(get_task(task))
    ]


def _cell(suite: Suite, task: str, perturbation: Perturbation, source: AgentSource, episodes: int | None) -> Cell:
    return Cell(
        suite=suite.name,
        version=suite.version,
        task=task,
        perturbation=perturbation.name,
        level=perturbation.level,
        apply=perturbation.apply,
        source=source,
        episodes=episodes or episodes_of(suite, task),
        seed=suite.seed,
    )


class _Fit:
    """Answers whether agents can act in a task under perturbations; asks each agent once per kind of observation."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._spaces: dict[str, tuple[Space[Any], Space[Any]]] = {}
        self._answers: dict[tuple[AgentSource, str], str | None] = {}

    def incompatibility(self, source: AgentSource, perturbation: Perturbation) -> str | None:
        """Why not, or ``None`` if it can."""
        if perturbation.id not in self._spaces:
            envs = make_envs(self._task, perturbation.apply, 1)
            self._spaces[perturbation.id] = envs.single_observation_space, envs.single_action_space
            envs.close()
        observation_space, action_space = self._spaces[perturbation.id]
        key = source, repr(observation_space)
        if key not in self._answers:
            self._answers[key] = load(source, observation_space, action_space).incompatibility(
                observation_space, action_space
            )
        return self._answers[key]
