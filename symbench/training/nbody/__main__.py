"""``python -m symbench.training.nbody egnn gnn --seeds 5``: train predictors, and write what they reached."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from symbench.errors import SymbenchError
from symbench.training.nbody.nbody_study import write_results
from symbench.training.nbody.predictor_training import train_predictor
from symbench.training.nbody.predictors import PREDICTORS
from symbench.training.nbody.systems import SIZES, published_splits, splits_in


def main(
    names: Annotated[list[str], typer.Argument(metavar="PREDICTOR...", help=", ".join(PREDICTORS))],
    seeds: Annotated[int, typer.Option(min=1, help="Training runs of each predictor.")] = 1,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first run.")] = 0,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the systems.")] = 300,
    learning_rate: Annotated[float | None, typer.Option(help="Adam's. \\[as published]")] = None,
    anneal: Annotated[bool, typer.Option(help="Whether the learning rate falls to 0; published: it stays.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Holds train.npz, valid.npz and test.npz. \\[the published systems]"),
    ] = None,
    train_size: Annotated[int, typer.Option(min=1, max=10_000, help="Published systems.")] = SIZES["train"],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR")] = Path("runs/nbody"),
    resume: Annotated[bool, typer.Option(help="Go on with runs that exist, or train them again.")] = True,
) -> None:
    """Train predictors one after the other, and write DIR/results.csv with all runs that are there."""
    command = shlex.join(["python", "-m", "symbench.training.nbody", *sys.argv[1:]])
    try:
        splits = published_splits({**SIZES, "train": train_size}) if data is None else splits_in(data)
        for name in names:
            for seed in range(first_seed, first_seed + seeds):
                options: dict[str, Any] = {"epochs": epochs, "learning_rate": learning_rate, "resume": resume}
                options |= {"anneal": anneal}
                story = train_predictor(name, splits, out, seed, command=command, **options)
                typer.echo(f"{name} s{seed}: test MSE {story['test_mse']:.5f} at epoch {story['best_epoch']}")
                write_results(out)
    except SymbenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
