"""``symbench analyse``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, directory, one_line_errors

if TYPE_CHECKING:
    from symbench.runner import AgentSource


@one_line_errors
def analyse(
    agent: Annotated[str | None, typer.Argument(metavar="AGENT", help="An agent, as for [cyan]run[/cyan].")] = None,
    task: Annotated[str | None, typer.Option("--task", "-t", metavar="TASK", help="What it plays.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", parser=directory, help="\\[runs/analyses/TASK/AGENT]"),
    ] = None,
    which: Annotated[
        str,
        typer.Option(
            metavar="NAME,NAME",
            help="Of code, regression, tsne, attention; of teams orientations, distributed. \\[all that fit]",
        ),
    ] = "",
    episodes: Annotated[int, typer.Option(help="Episodes of the regression, or of a team.")] = 10,
    steps: Annotated[int, typer.Option(help="Steps of an episode at most.")] = 500,
    training_run: Annotated[int, typer.Option(help="Which training run of a bundled agent.")] = 0,
    occlusion: Annotated[
        Path | None, typer.Option(metavar="RUN_DIR", help="Draw the occlusion heat map of a run instead.")
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run the code in SB3 zips and in modules of your own.")
    ] = False,
    debug: Debug = False,
) -> None:
    r"""Draw the paper's analyses of an agent: figures and their data.

    The code over time, in order and shuffled; what of the true state can be
    read off it; which moments are alike to it; where the agent looks. These
    need [cyan]pip install 'symbench\[pictures]'[/cyan]. Of a team: its returns in a world
    that is turned, and whether agents on their own act as one network does.

    [bold]Examples[/bold]
      [cyan]symbench analyse attention-neuron --task CartPoleSwingUp[/cyan]
      [cyan]symbench analyse mine.safetensors --task Pong --which code,attention[/cyan]
      [cyan]symbench analyse ppo:mine.zip --task CartPole-v1 --trust[/cyan]
      [cyan]symbench analyse marl-equivariant --task Wildlife --episodes 100[/cyan]
      [cyan]symbench analyse --occlusion runs/occlusion[/cyan]
    """
    from symbench.cli.console import console
    from symbench.errors import SymbenchError

    if occlusion is not None:
        from symbench.viz.occlusion import occlusion as draw

        where, found = out or occlusion, {}
        found["occlusion"] = draw(occlusion, where, task)
    elif agent is None or task is None:
        raise SymbenchError("which agent in which task? symbench analyse AGENT --task TASK, or --occlusion RUN_DIR")
    else:
        from symbench.viz.analyse import analyse as make

        source = _source(agent, task, training_run, trust)
        where = out or Path("runs", "analyses", task, source.name)
        names = [name.strip() for name in which.split(",") if name.strip()]
        found = make(source, task, where, names, episodes, steps)
    lines = [f"{name}: {line}" for name, line in found.items()]
    console().print("\n".join([*lines, str(where)]), highlight=False, markup=False, soft_wrap=True)


def _source(agent: str, task: str, training_run: int, trust: bool) -> AgentSource:
    from symbench.errors import SymbenchError
    from symbench.runner.agents import resolve
    from symbench.tasks import get_task

    get_task(task, trust)
    found = {
        source.run: source for source in resolve([agent], task, trust) if source.kind != "random" or agent == "random"
    }
    if training_run not in found:
        raise SymbenchError(f"{agent!r} has training runs {', '.join(map(str, found))}, received {training_run}")
    return found[training_run]
