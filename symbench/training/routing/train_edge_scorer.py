"""``python -m symbench.training.routing.train_edge_scorer``: train an edge scorer, and measure the gap of its beams."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from symbench.errors import SymbenchError
from symbench.training.routing.edge_scorer_training import EdgeScorerSettings, train_edge_scorer

PARTS = "Number of cities : instances"


def main(
    train: Annotated[list[str], typer.Option(metavar="N:COUNT", help=f"{PARTS} to learn from.")] = [  # noqa: B006
        "20:40000",
        "50:20000",
    ],
    test: Annotated[list[str], typer.Option(metavar="N:COUNT", help=f"{PARTS} to measure the gap on.")] = [  # noqa: B006
        "20:1000",
        "50:300",
        "100:50",
    ],
    steps: Annotated[int, typer.Option(min=1, help="Steps of Adam, of 2000 cities each.")] = 4000,
    learning_rate: Annotated[float, typer.Option(help="The greatest.")] = 2e-3,
    beam_size: Annotated[int, typer.Option(min=1, help="Of the beams that measure the gap.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Training seed.")] = 0,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR")] = Path("runs/routing"),
    resume: Annotated[bool, typer.Option(help="Go on with what exists, or train it again.")] = True,
) -> None:
    """Write weights and the story of their training into DIR/edge-scorer/sSEED."""
    command = shlex.join(["python", "-m", "symbench.training.routing.train_edge_scorer", *sys.argv[1:]])
    try:
        settings = EdgeScorerSettings(parsed(train), steps=steps, learning_rate=learning_rate)
        story = train_edge_scorer(
            settings, out, seed, test=parsed(test), beam_size=beam_size, resume=resume, command=command
        )
    except SymbenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    for n, gap in story["gaps"].items():
        typer.echo(f"TSP{n}: gap {gap:.3f} % with beams of {story['beam_size']}")


def parsed(parts: list[str]) -> dict[int, int]:
    """``["20:40000"]`` to ``{20: 40000}``.

    Raises:
        SymbenchError: A part is not of this form.
    """
    try:
        pairs = [part.split(":") for part in parts]
        return {int(n): int(count) for n, count in pairs}
    except ValueError:
        raise SymbenchError(f"instances are N:COUNT, like 20:40000, received {' '.join(parts)}") from None


if __name__ == "__main__":
    typer.run(main)
