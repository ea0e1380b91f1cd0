"""``symbench submit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symbench.cli.errors import Debug, directory, one_line_errors


@one_line_errors
def submit(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="What --out of [cyan]symbench run[/cyan] was.")],
    name: Annotated[str, typer.Option("--name", "-n", metavar="NAME", help="Of the submission and its files.")],
    author: Annotated[list[str], typer.Option("--author", metavar="WHO", help="Who trained it; may be repeated.")],
    licence: Annotated[str, typer.Option("--licence", help="Of weights and code, e.g. MIT.")],
    training_data: Annotated[str, typer.Option("--training-data", metavar="TEXT", help="What it learned from.")],
    description: Annotated[str, typer.Option("--description", metavar="TEXT", help="One line.")],
    agent: Annotated[
        str | None, typer.Option("--agent", "-a", metavar="AGENT", help="Its name in the run. \\[the only one]")
    ] = None,
    training_seed: Annotated[
        list[int] | None,
        typer.Option("--training-seed", metavar="N", help="One a training run, in order. \\[not known]"),
    ] = None,
    parameters: Annotated[int | None, typer.Option(metavar="N", help="How many. \\[of a bundled agent's card]")] = None,
    paper: Annotated[str | None, typer.Option(metavar="LINK")] = None,
    code: Annotated[str | None, typer.Option(metavar="LINK")] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", parser=directory, help="Where the two files go.")
    ] = Path("leaderboards/submissions"),
    debug: Debug = False,
) -> None:
    r"""Make a submission to the leaderboard of a run: NAME.csv and NAME.json.

    The run must hold the whole protocol of a bundled suite, no --quick and
    no --episodes. Weights are named by their hash; they do not leave your
    machine. See docs/submit.md.

    [bold]Example[/bold]
      [cyan]symbench submit runs/shuffle --name my-agent --agent mine \
          --author "A. Name" --licence MIT --parameters 4609 \
          --description "a 64-64 MLP by PPO" --training-seed 0 \
          --training-data "CartPole-v1 in order, 1e6 steps"[/cyan]
    """
    from symbench.leaderboard.submission import About, submit

    about = About(
        description=description,
        authors=author,
        licence=licence,
        training_data=training_data,
        training_seeds=training_seed or (),
        parameters=parameters,
        paper=paper,
        code=code,
    )
    made = submit(run_dir, name, out, about, agent)
    episodes = sum(cell.episodes for cell in made.cells.values())
    what = f"{len(made.cells)} cells, {episodes} episodes of {made.card.suite}"
    typer.echo(f"{out / name}.csv, {out / name}.json: {what}")
