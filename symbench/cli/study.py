"""``symbench study``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbench.cli.errors import Debug, directory, one_line_errors

if TYPE_CHECKING:
    from symbench.leaderboard.bootstrap import Estimate
    from symbench.training.study import Study
    from symbench.training.study.learning_curves import Curves, Summary

NBODY = "nbody"  # trains predictors, not policies
_WORKERS = min(2, os.cpu_count() or 1)


@one_line_errors
def study(
    name: Annotated[str | None, typer.Argument(metavar="STUDY", help="A bundled study or a TOML file.")] = None,
    list_studies: Annotated[bool, typer.Option("--list", help="List the bundled studies and exit.")] = False,
    arm: Annotated[
        list[str] | None, typer.Option("--arm", "-a", metavar="ARM", help="An arm; may be repeated. \\[all]")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Training runs of each arm. \\[as the study says]")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of a training run. \\[as the study says]")] = None,
    task: Annotated[
        str | None, typer.Option(metavar="TASK", help="Another task of the same spaces. \\[as the study says]")
    ] = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="DIR", parser=directory, help="Everything goes into DIR/STUDY."),
    ] = Path("runs/study"),
    workers: Annotated[
        int,
        typer.Option("--workers", "-w", help="Processes; numbers do not change. nbody compares seconds in one."),
    ] = _WORKERS,
    resume: Annotated[bool, typer.Option(help="Keep runs that exist, or train them again.")] = True,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Train agents although files differ from the checkout's commit.")
    ] = False,
    trust: Annotated[
        bool, typer.Option("--trust", help="Import the module of an environment of your own (MODULE:ID).")
    ] = False,
    debug: Debug = False,
) -> None:
    """Compare how fast networks learn.

    Trains several runs of each arm the same way, measures them on fixed
    episodes as they learn, and writes the curves, a table and a figure.
    Stop at any time: runs that are done are not trained again.

    [bold]Examples[/bold]
      [cyan]symbench study --list[/cyan]
      [cyan]symbench study cartpole[/cyan]
      [cyan]symbench study cartpole --arm equivariant --arm mlp --seeds 25[/cyan]
      [cyan]symbench study grid-world --workers 2 --steps 200000[/cyan]
      [cyan]symbench study nbody --arm egnn --arm gnn --seeds 3[/cyan] (steps are epochs)
      [cyan]symbench study wildlife-zero-shot[/cyan] (trained in one orientation, tested in all)
      [cyan]symbench study pong-occlusion --arm memoryless-50 --task Pong --out runs/pong[/cyan]
      [cyan]symbench study symmetry-breaking --task "symbench/ParticleSpread-v0?wind=5" --out runs/wind-5[/cyan]
    """
    from symbench.errors import SymbenchError, unknown
    from symbench.extras import require
    from symbench.tasks import get_task
    from symbench.training.imitation_study import imitation_studies
    from symbench.training.study import load_study, studies
    from symbench.training.study.run_study import run_study

    if list_studies:
        _show_studies()
        return
    if name is None:
        raise SymbenchError("which study? `symbench study --list` lists them")
    if name == NBODY and task:
        raise SymbenchError(f"--task: {name} has data of its own; leave it out")
    if task:
        get_task(task, trust)  # its module is imported from here on
    if name in imitation_studies():
        how = {"workers": workers, "resume": resume, "allow_dirty": allow_dirty, "trust": trust}
        _imitation(name, out, arm, (seeds, steps, task), how)
        return
    if name == NBODY:
        _nbody(out / NBODY, arm, seeds or 3, steps or 300, resume)
        return
    if Path(name).suffix != ".toml" and name not in studies():
        raise unknown("study", name, [*studies(), *imitation_studies(), NBODY])
    given = {"seeds": seeds, "steps": steps, "task": task}
    loaded = load_study(name, {key: value for key, value in given.items() if value is not None})
    folder = out / loaded.name
    require("matplotlib", "the curves of a study")  # now rather than after the training
    run_study(loaded, folder, arm or (), workers=workers, resume=resume, trust=trust)
    _report(loaded, folder)


def _imitation(
    name: str,
    out: Path,
    arms: list[str] | None,
    given: tuple[int | None, int | None, str | None],
    how: dict[str, Any],
) -> None:
    """Train students, and show what each scores under every condition."""
    from symbench.extras import require
    from symbench.training.imitation_study import load_imitation_study, read_conditions, run_imitation_study

    require("matplotlib", "the curves of a study")
    loaded, folder = load_imitation_study(name, *given), out / name
    run_imitation_study(loaded, folder, arms or (), **how)
    _show_curves(read_conditions(loaded, folder), folder, loaded.threshold, f"{loaded.task}, privileged imitation")


def _report(loaded: Study, folder: Path) -> None:
    from symbench.training.study.learning_curves import read_curves

    title = f"{loaded.task}, {loaded.algorithm.name.upper()}"
    _show_curves(read_curves(loaded, folder), folder, loaded.threshold, title)
    if loaded.orientation_episodes:
        _report_orientations(loaded, folder)


def _show_curves(curves: list[Curves], folder: Path, threshold: float, title: str) -> None:
    from symbench.cli.console import console, show_list
    from symbench.training.study.learning_curves import summarise
    from symbench.viz.draw_curves import draw_curves, write_curves, write_summary

    summaries = [summarise(each, threshold) for each in curves]
    write_curves(folder / "curves.csv", curves)
    write_summary(folder / "summary.csv", summaries)
    columns = ("arm", "runs", "parameters", "mean return over training", "last return")
    show_list((*columns, f"steps to {threshold:g}", "reached by"), map(_line, summaries))
    console().print(
        "mean return over training, last return: interquartile mean over runs; steps: median over runs, a run that "
        f"never gets there counts with all its steps. [ ]: 95% interval over runs, from 5 on (6 for steps).\n{folder}",
        highlight=False,
        markup=False,
    )
    draw_curves(folder / "curves.png", curves, title, threshold)


def _report_orientations(loaded: Study, folder: Path) -> None:
    from symbench.cli.console import console, show_list
    from symbench.training.study.orientation_loss import read_orientations
    from symbench.viz.draw_curves import write_orientations

    arms = read_orientations(loaded, folder)
    write_orientations(folder / "orientations.csv", arms)
    lines = [
        (
            arm.arm,
            *(_with_interval(each, "{:.2f}") for each in (arm.trained, arm.turned, arm.loss)),
            f"{arm.changed[:, 1:].mean():.0%}",
            f"{arm.changes.max():.2g}",
        )
        for arm in arms
    ]
    show_list(("arm", "as trained", "turned", "loss", "episodes that change", "largest change"), lines)
    console().print(
        f"turned: the same {loaded.orientation_episodes} episodes in the world turned by 90, 180 and 270 degrees, "
        "without noise, in float64. Means over runs. [ ]: 95% interval over runs, from 5 on.",
        highlight=False,
        markup=False,
    )


def _nbody(folder: Path, arms: list[str] | None, seeds: int, epochs: int, resume: bool) -> None:
    """Train predictors of N-body systems, and show what they reached beside what was published."""
    import shlex
    import sys

    from symbench.cli.console import console, show_list
    from symbench.training.nbody.nbody_study import TABLE, run_nbody_study, summary
    from symbench.training.nbody.predictors import PREDICTORS
    from symbench.training.nbody.systems import published_splits

    command = shlex.join(["symbench", *sys.argv[1:]])
    names = arms or list(PREDICTORS)
    run_nbody_study(published_splits(), folder, names, seeds, epochs, resume=resume, command=command)
    show_list(TABLE, summary(folder))
    console().print(
        "test MSE: mean over runs, each at the epoch of its best validation. published: after 10,000 epochs, steerable "
        f"ones 1000; tfn and se3-transformer are smaller here and read charges at edges.\n{folder / 'results.csv'}",
        highlight=False,
        markup=False,
    )


def _line(summary: Summary) -> tuple[str, ...]:
    area, last = (_with_interval(each, "{:.2f}") for each in (summary.area, summary.last))
    steps = _with_interval(summary.steps, "{:,.0f}")
    share = f"{summary.reached * summary.runs:.0f} of {summary.runs}"
    return summary.arm, str(summary.runs), f"{summary.parameters:,}", area, last, steps, share


def _with_interval(estimate: Estimate, form: str) -> str:
    value, low, high = map(form.format, estimate)
    return value if estimate.low != estimate.low else f"{value} [{low}, {high}]"  # not a number: few runs


def _show_studies() -> None:
    from symbench.cli.console import show_list
    from symbench.training.imitation_study import imitation_studies, load_imitation_study
    from symbench.training.study import load_study, studies

    loaded = map(load_study, studies())
    nbody = (NBODY, "N-body systems", "symbench study nbody --arm ...", "300 epochs", "predictors of charged particles")
    taught = [load_imitation_study(each) for each in imitation_studies()]
    lines = (
        *((s.name, s.task, ", ".join(arm.name for arm in s.arms), f"{s.steps:,}", s.description) for s in loaded),
        *((s.name, s.task, ", ".join(arm.name for arm in s.arms), f"{s.steps:,}", s.description) for s in taught),
        nbody,
    )
    show_list(("study", "task", "arms", "steps", "description"), lines)
