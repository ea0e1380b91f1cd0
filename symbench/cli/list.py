"""``symbench list``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors

# The columns of a list and its lines.
Listing = tuple[Sequence[str], Iterable[Sequence[str]]]


class What(str, Enum):
    """What can be listed."""

    tasks = "tasks"
    suites = "suites"
    perturbations = "perturbations"
    agents = "agents"


@one_line_errors
def list_(
    what: Annotated[What, typer.Argument(metavar="WHAT", help="What to list.")],
    debug: Debug = False,
) -> None:
    """List what there is to choose from.

    The first column of each list is what the other commands and suite files
    take.

    [bold]Examples[/bold]
      [cyan]symbench list suites[/cyan]          [dim]# for symbench run --suite[/dim]
      [cyan]symbench list tasks[/cyan]           [dim]# for --task[/dim]
      [cyan]symbench list agents[/cyan]          [dim]# for --agent[/dim]
      [cyan]symbench list perturbations[/cyan]   [dim]# for a suite of one's own[/dim]
    """
    from symbench.cli.console import show_list

    show_list(*_LISTINGS[what]())


def _tasks() -> Listing:
    from symbench.tasks import tasks

    lines = (
        (task.name, task.description, *map(_constant, task.metric.constants), str(task.episodes))
        for task in tasks().values()
    )
    any_id = ("[MODULE:]ID[?K=V]", "any environment of Gymnasium, e.g. LunarLander-v3?continuous=true", *_MEASURED)
    return ("task", "description", "random", "reference", "episodes"), [*lines, (*any_id, "100")]


_MEASURED = ("measured", "none")


def _constant(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"


def _suites() -> Listing:
    from symbench.suites import bundled_suites, load_suite

    suites = map(load_suite, bundled_suites())
    lines = ((s.tag, s.description, "\n".join(p.id for p in s.perturbations), "\n".join(s.tasks)) for s in suites)
    return ("suite", "description", "perturbations", "tasks"), lines


def _perturbations() -> Listing:
    from symbench.wrappers.registry import PERTURBATIONS, load_installed

    problems = load_installed()
    lines = [
        (name, perturbation.explanation().split("\n")[0].replace("``", ""), _parameters(perturbation))
        for name, perturbation in sorted(PERTURBATIONS.items())
    ]
    broken = [(name, f"cannot be loaded: {problem}", "") for name, problem in problems.items()]
    return ("wrapper", "description", "parameters"), [*lines, *broken]


def _parameters(perturbation: type) -> str:
    import inspect

    return ", ".join(
        str(parameter.replace(annotation=inspect.Parameter.empty))
        for parameter in inspect.signature(perturbation).parameters.values()
    )


def _agents() -> Listing:
    from symbench.runner.tour_solvers import SOLVERS
    from symbench.tasks import TASKS
    from symbench.zoo import bundled, load_card, not_installed

    lines = [
        (agent, task, str(len(paths)), str(load_card(paths[0]).get("description", "")) + _when(agent, task))
        for task in TASKS
        for agent, paths in bundled(task).items()
    ]
    lines += [("not installed", task, "", missing) for task in TASKS if (missing := not_installed(task))]
    lines += [(name, "tours", "", f"without learning, {each.problem.upper()}") for name, each in SOLVERS.items()]
    return ("agent", "task", "training runs", "description"), [*lines, ("random", "every task", "", "uniform actions")]


def _when(agent: str, task: str) -> str:
    from symbench.tasks import TASKS

    return " (plays where it is named)" if agent in TASKS[task].on_request else ""


_LISTINGS: dict[What, Callable[[], Listing]] = {
    What.tasks: _tasks,
    What.suites: _suites,
    What.perturbations: _perturbations,
    What.agents: _agents,
}
