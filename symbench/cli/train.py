"""``symbench train``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from symbench.cli.errors import Debug, directory, one_line_errors


@one_line_errors
def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE|ENV_ID", help="A bundled recipe, a TOML file, or an environment of known symmetry."
        ),
    ] = None,
    list_recipes: Annotated[bool, typer.Option("--list", help="List the bundled recipes and exit.")] = False,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="DIR", parser=directory, help="Everything goes into DIR/RECIPE/sSEED."),
    ] = Path("runs/train"),
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the training run.")] = 0,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint, or start again.")] = True,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a value of the recipe's algorithm; may be repeated."),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="cpu|cuda", help="Where gradients are computed; for frames a GPU is 5 times faster.")
    ] = "cpu",
    workers: Annotated[
        int, typer.Option("--workers", "-w", help="Processes of an evolution with frames; results do not change.")
    ] = 1,
    log: Annotated[
        str | None,
        typer.Option(metavar="tensorboard|wandb", help="Curves of return, loss and speed while it trains."),
    ] = None,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Train although files differ from the checkout's commit.")
    ] = False,
    trust: Annotated[
        bool, typer.Option("--trust", help="Import the module of an environment of your own (MODULE:ID).")
    ] = False,
    debug: Debug = False,
) -> None:
    """Train an agent by a recipe.

    Writes checkpoints and, at the end, an agent that
    [cyan]symbench run --agent[/cyan] takes, with its whole provenance.

    [bold]Examples[/bold]
      [cyan]symbench train --list[/cyan]
      [cyan]symbench train mlp --seed 1[/cyan]
      [cyan]symbench train attention-neuron --out runs/mine --set steps=1000000[/cyan]
      [cyan]symbench train pong-attention-neuron --device cuda[/cyan]
      [cyan]symbench train mlp --log tensorboard[/cyan]    [dim]# then: tensorboard --logdir runs/train[/dim]
      [cyan]symbench train mine.toml --trust[/cyan]    [dim]# with task = "my_envs:Walk-v0" in it[/dim]
      [cyan]symbench train Swimmer-v5[/cyan]    [dim]# equivariant to the symmetry in the catalogue[/dim]
    """
    from symbench import training
    from symbench.cli.console import console
    from symbench.errors import SymbenchError

    if list_recipes:
        _show_recipes()
        return
    if recipe is None:
        raise SymbenchError("which recipe? `symbench train --list` lists them")
    overrides = _overrides(set_ or [])
    options = partial(training.train, resume=resume, device=device, workers=workers, allow_dirty=allow_dirty, log=log)
    agent = options(recipe, out, seed, overrides=overrides, trust=trust)
    plan = training.load_recipe(recipe)
    name = "" if recipe in training.recipes() else f"{plan.agent}="  # a bundled agent has the name already
    advice = f"{agent}.safetensors\n{_advice(f'{name}{agent}.safetensors', plan.task, trust)}"
    console().print(advice, highlight=False, markup=False, soft_wrap=True)


def _advice(agent: str, task: str, trust: bool) -> str:
    """How to evaluate the agent: the first suite that names its task, or ``shuffle``, which plays any."""
    from symbench.suites import bundled_suites, load_suite

    names = sorted(bundled_suites(), key=lambda name: name != "shuffle")
    suite = next((name for name in names if task in load_suite(name).tasks), "shuffle")
    return f"evaluate it: symbench run --suite {suite} --task {task} --agent {agent}{' --trust' if trust else ''}"


def _show_recipes() -> None:
    from symbench import training
    from symbench.cli.console import show_list

    loaded = map(training.load_recipe, training.recipes())
    lines = ((each.name, each.task, each.algorithm.name, each.description) for each in loaded)
    show_list(("recipe", "task", "algorithm", "description"), lines)


def _overrides(assignments: list[str]) -> dict[str, str]:
    from symbench.errors import SymbenchError

    for assignment in assignments:
        if "=" not in assignment:
            raise SymbenchError(f"--set takes KEY=VALUE, received {assignment!r}")
    return dict(assignment.split("=", 1) for assignment in assignments)
