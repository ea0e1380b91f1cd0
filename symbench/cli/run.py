"""``symbench run``."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, directory, one_line_errors

if TYPE_CHECKING:
    from symbench.runner import Manifest

_WORKERS = min(2, os.cpu_count() or 1)


@one_line_errors
def run(
    suite: Annotated[
        str, typer.Option("--suite", "-s", metavar="NAME|FILE.toml", help="A bundled suite or one's own.")
    ],
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task", "-t", metavar="TASK", help="A task of the suite; may be repeated. \\[those with bundled agents]"
        ),
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(
            "--agent",
            "-a",
            metavar="AGENT",
            help="A bundled agent, [cyan]random[/cyan], [cyan]ALGO:FILE.zip[/cyan] (SB3), [cyan]zoo:FOLDER[/cyan] "
            "(rl_zoo3), [cyan]hub:OWNER/ALGO-ENV[/cyan], [cyan]torchscript:FILE.pt[/cyan], "
            "[cyan]onnx:FILE.onnx[/cyan], [cyan]module:Name[/cyan] (code) or a zoo file; [cyan]NAME=[/cyan] in front "
            "names it, options follow, e.g. [cyan],rescale[/cyan]; may be repeated; random always plays "
            "too. \\[the bundled ones; [cyan]symbench list agents[/cyan] says which play only where they are named]",
        ),
    ] = None,
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Run code: in SB3 zips, TorchScript, module:Name of agent, task, perturbation."),
    ] = False,
    only: Annotated[bool, typer.Option("--only", help="Add no bundled agent beside one's own.")] = False,
    stochastic: Annotated[
        bool, typer.Option("--stochastic", help="SB3 agents draw their actions; as the option ,stochastic of each.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", parser=directory, help="Where everything goes. \\[runs/SUITE]"),
    ] = None,
    episodes: Annotated[int | None, typer.Option(help="Episodes a cell. \\[as the task says]")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="50 episodes a cell; the table says so.")] = False,
    workers: Annotated[int, typer.Option("--workers", "-w", help="Processes; numbers do not change.")] = _WORKERS,
    executor: Annotated[
        str, typer.Option(metavar="local|ray", help="Where they are: on this machine, or on a Ray cluster.")
    ] = "local",
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="A batch of episodes that takes longer fails its cell. \\[no limit]"),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="N/COUNT", help="Only this part of the cells, e.g. 3/16; see [cyan]merge[/cyan]."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Keep cells that exist, or evaluate them again.")] = True,
    debug: Debug = False,
) -> None:
    r"""Evaluate agents under the perturbations of a suite and print the tables.

    Every cell (task, perturbation, level, agent, training run) becomes a
    file in DIR as soon as it is done. Stop at any time: the same command goes
    on where it stopped. Tables show all that DIR holds: add agents later.

    [bold]Examples[/bold]
      [cyan]symbench run --suite shuffle[/cyan]                           [dim]# bundled agents[/dim]
      [cyan]symbench run --suite shuffle --quick[/cyan]                   [dim]# a first look[/dim]
      [cyan]symbench run --suite noise --agent attention-neuron --workers 8[/cyan]
      [cyan]symbench run --suite my.toml --task CartPole-v1 --agent random[/cyan]
      [cyan]symbench run --suite shuffle --task CartPole-v1 --agent ppo:mine.zip --trust[/cyan]
      [cyan]symbench run --suite noise --task CartPole-v1 --agent my_nets:Tiny --trust[/cyan]

    [bold]Observations normalised in training, actions of other bounds[/bold]
      [cyan]symbench run --suite shuffle -t Pendulum-v1 --trust \
          -a ppo:mine.zip,vecnormalize=stats.pkl,rescale[/cyan]

    [bold]On many machines[/bold]
      [cyan]symbench run --suite shuffle --workers 64 --executor ray[/cyan]
      [cyan]symbench run --suite shuffle --shard 3/16[/cyan]              [dim]# and 1/16, 2/16, ...[/dim]
      [cyan]symbench merge runs/shuffle runs/shuffle-*-of-16[/cyan]

    [bold]Three training runs of one agent[/bold]
      [cyan]symbench run --suite shuffle -t CartPole-v1 --trust \
          -a mine=ppo:s0.zip -a mine=ppo:s1.zip -a mine=ppo:s2.zip[/cyan]
    """
    from symbench import leaderboard, runner
    from symbench.cli.console import cell_progress
    from symbench.cli.merge import show_part
    from symbench.cli.report import show
    from symbench.runner.agent_options import drawing
    from symbench.suites import load_suite

    loaded = load_suite(suite)
    part = None if shard is None else runner.Shard.parse(shard)
    of = "" if part is None else f"-{part.number}-of-{part.count}"
    where = out or Path("runs") / (loaded.name + ("-quick" if quick else "") + of)
    with cell_progress(debug) as progress:
        manifest = runner.run(
            loaded,
            where,
            tasks=task or (),
            agents=[drawing(each) for each in agent or ()] if stochastic else agent or (),
            trust=trust,
            baseline=not only,
            episodes=episodes,
            quick=quick,
            workers=workers,
            executor=executor,
            timeout=timeout,
            shard=part,
            resume=resume,
            command=shlex.join(["symbench", *sys.argv[1:]]),
            progress=progress,
        )
    if part is None:
        show(leaderboard.write_report(where, manifest.invocations[-1].tasks), where)
    else:
        show_part(manifest, where)
    _exit_if_failed(manifest, where, resume)


def _exit_if_failed(manifest: Manifest, where: Path, resume: bool) -> None:
    """An error for failed cells of the tasks of this call; a line for those that an earlier one left in others."""
    from symbench.runner.cell_id import CellId

    asked = manifest.invocations[-1].tasks
    failed = sum(CellId.parse(id).task in asked for id in manifest.failed)
    if earlier := len(manifest.failed) - failed:
        typer.echo(f"{where} holds {earlier} cells of other tasks that failed before; use another --out", err=True)
    if failed:
        again = "the same command" if resume else "without --no-resume, the same command"
        typer.secho(f"error: {failed} cells failed; {again} tries them again", err=True, fg="red")
        raise typer.Exit(1)
