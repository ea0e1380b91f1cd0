"""What a live page is about: a task, who may play it, and what there is to disturb."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from symbench.demo.choices import SHUFFLES, Choice, choices_of
from symbench.demo.lane import Lane
from symbench.errors import SymbenchError
from symbench.runner.agents import resolve
from symbench.runner.plan import cannot_play
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.runner import AgentSource
    from symbench.tasks import Task

_FIRST: Final = ("mlp", "cnn", "attention-neuron", "vision-attention-neuron")  # of the bundled ones these play at first


@dataclass(frozen=True)
class Setting:
    """See the module.

    Attributes:
        task: The task.
        agents: Who may play, by what the page calls them.
        playing: Who plays at first, on the left and on the right; the right may stay empty.
        choices: All perturbations, by name.
        renders: Whether the simulator can draw the scene.
    """

    task: Task
    agents: dict[str, AgentSource]
    playing: tuple[str, str | None]
    choices: dict[str, Choice]
    renders: bool

    @property
    def shuffle(self) -> str | None:
        """The perturbation that the button "Shuffle" applies; ``None`` if none fits."""
        return next((name for name in SHUFFLES if name in self.choices and not self.choices[name].reason), None)


def setting_of(
    task: str, agents: Sequence[str] = (), trust: bool = False, perturbations: Sequence[str] = ()
) -> Setting:
    """Find the task and its agents, and try which perturbations fit.

    Args:
        task: Name of the task, or a Gymnasium id.
        agents: As after ``--agent``; none takes the bundled ones. The first two play at first.
        trust: Whether code of the user's own may run.
        perturbations: ``"module:Name"`` of the user's own, beside the registered ones.

    Raises:
        SymbenchError: There is no such task, agent or perturbation, the environment cannot be made, or a named agent
            cannot begin an episode in it.
    """
    found = get_task(task, trust)
    sources = resolve(agents, found.name, trust)
    for source in sources if agents else []:  # bundled ones can
        _check(found.name, source)
    named = {source.name if source.run == 0 else f"{source.name}, run {source.run}": source for source in sources}
    first = [name for name, source in named.items() if source.run == 0]
    if not agents:
        first.sort(key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    playing = (first[0], first[1] if len(agents) != 1 and len(first) > 1 else None)
    with closing(found.make(disable_env_checker=True)) as env:
        renders = "rgb_array" in (env.metadata.get("render_modes") or ())
        choices = choices_of(found.name, env, perturbations, trust)
    return Setting(found, named, playing, choices, renders)


def _check(task: str, source: AgentSource) -> None:
    """Begin an episode, as a page does.

    Raises:
        SymbenchError: The agent cannot act, or the environment cannot begin.
    """
    with closing(Lane(task, source, render=False)) as lane:
        lane.begin(0, [])
        if lane.broken:
            raise SymbenchError(f"no episode of {task} can begin: {lane.problem}")
        if lane.problem:
            raise cannot_play(source, task, lane.problem)
