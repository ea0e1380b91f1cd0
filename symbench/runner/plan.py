"""Turns what was asked into the list of cells to evaluate, and finds what cannot work before anything is evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from symbench.errors import SymbenchError
from symbench.runner.agent_specs import RANDOM
from symbench.runner.agents import load
from symbench.runner.cell import AgentSource, Cell
from symbench.runner.pipeline import explicit, make_envs
from symbench.tasks import get_task
from symbench.tasks.own_environments import code_of

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


def plan(
    suite: Suite, agents: Mapping[str, Sequence[AgentSource]], episodes: int | None = None, trust: bool = False
) -> Plan:
    """Cross tasks, perturbations and agents.

    Args:
        suite: The suite.
        agents: For each task to be played, the agents that play it.
        episodes: Episodes a cell; ``None`` takes the suite's number, or the task's where the suite leaves it open.
        trust: Whether the modules that tasks name may be imported.

    Raises:
        SymbenchError: A perturbation cannot be applied to a task of the suite, the suite has nothing for another task,
            or an agent cannot act in a task even without perturbation.
    """
    cells: list[Cell] = []
    skipped: list[Skipped] = []
    redundant: dict[str, str] = {}
    for task, sources in agents.items():
        redundant |= {f"{task}/{id}": reason for id, reason in suite.redundant(get_task(task, trust)).items()}
        conditions, fit = _explicit_conditions(suite, task), _Fit(task, strict=task in suite.tasks)
        code = code_of(get_task(task, trust))
        for source in sources:
            if source.kind != RANDOM.kind and (reason := fit.incompatibility(source, suite.baseline)):
                raise cannot_play(source, task, reason)
        if task not in suite.tasks:
            _require_some(suite, task, conditions, fit)
        for perturbation, unfit in conditions:
            for source in sources:
                cell = _cell(suite, task, perturbation, source, episodes, code, trust)
                reason = unfit or fit.incompatibility(source, perturbation)
                if reason:
                    skipped.append(Skipped(cell.id, reason))
                else:
                    cells.append(cell)
    return Plan(tuple(cells), tuple(skipped), redundant)


def cannot_play(source: AgentSource, task: str, reason: str) -> SymbenchError:
    """What is said of an agent that cannot act in a task even without perturbation."""
    return SymbenchError(f"agent {source.name!r} cannot play {task}: {reason}; choose another --task")


def episodes_of(suite: Suite, task: str) -> int:
    """Episodes a cell in the published protocol."""
    return suite.episodes or get_task(task).episodes


def _explicit_conditions(suite: Suite, task: str) -> list[tuple[Perturbation, str | None]]:
    """The conditions of a task as cells record them: hashes must cover what a severity or a default stands for.

    Returns:
        Each with why it cannot be applied, which can only be in a task that the suite does not name.
    """
    facts = get_task(task)
    found: list[tuple[Perturbation, str | None]] = []
    for condition in suite.distinct(facts):
        try:
            apply = tuple(explicit(step, task) for step in condition.apply)
            found.append((condition.model_copy(update={"apply": apply}), None))
        except SymbenchError as error:
            if task in suite.tasks:
                raise
            found.append((condition, str(error)))
    if task not in suite.tasks and all(condition.baseline for condition, _ in found):
        symmetric = f" and {f'symmetry {facts.group}' if facts.group else 'no declared symmetry'}"
        raise SymbenchError(f"{suite.tag} has no condition for {task}, a task with {facts.observes}{symmetric}")
    return found


def _require_some(suite: Suite, task: str, conditions: Sequence[tuple[Perturbation, str | None]], fit: _Fit) -> None:
    """A suite of which no perturbation can be applied to a task would be played in order only."""
    reasons = [unfit or fit.unfit(condition) for condition, unfit in conditions if not condition.baseline]
    if all(reasons):
        raise SymbenchError(f"{suite.tag} has no condition for {task}: {reasons[0]}")


def _cell(
    suite: Suite,
    task: str,
    perturbation: Perturbation,
    source: AgentSource,
    episodes: int | None,
    code: str | None,
    trust: bool,
) -> Cell:
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
        code=code,
        trust=trust,
    )


class _Fit:
    """Answers whether agents can act in a task under perturbations; asks each agent once per kind of observation.

    If it is strict, a perturbation that cannot be applied to the task is an error, otherwise a reason.
    """

    def __init__(self, task: str, strict: bool) -> None:
        self._task, self._strict = task, strict
        self._spaces: dict[str, tuple[Space[Any], Space[Any]]] = {}
        self._answers: dict[tuple[AgentSource, str], str | None] = {}

    def unfit(self, perturbation: Perturbation) -> str | None:
        """Why the perturbation cannot be applied to the task, or ``None`` if it can."""
        try:
            self._of(perturbation)
        except SymbenchError as error:
            if self._strict or perturbation.baseline:
                raise
            return str(error)
        return None

    def incompatibility(self, source: AgentSource, perturbation: Perturbation) -> str | None:
        """Why not, or ``None`` if it can."""
        if reason := self.unfit(perturbation):
            return reason
        observation_space, action_space = self._of(perturbation)
        key = source, repr(observation_space)
        if key not in self._answers:
            self._answers[key] = _incompatibility(source, observation_space, action_space)
        return self._answers[key]

    def _of(self, perturbation: Perturbation) -> tuple[Space[Any], Space[Any]]:
        if perturbation.id not in self._spaces:
            envs = make_envs(self._task, perturbation.apply, 1)
            self._spaces[perturbation.id] = envs.single_observation_space, envs.single_action_space
            envs.close()
        return self._spaces[perturbation.id]


def _incompatibility(source: AgentSource, observation_space: Space[Any], action_space: Space[Any]) -> str | None:
    """Why an agent cannot act in these spaces. Random play, which nobody asked for, may be left out."""
    try:
        agent = load(source, observation_space, action_space)
    except SymbenchError as error:
        if source.kind != RANDOM.kind:
            raise
        return str(error)
    return agent.incompatibility(observation_space, action_space)
