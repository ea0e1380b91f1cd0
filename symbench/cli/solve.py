"""``symbench solve``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors
from symbench.errors import SymbenchError


@one_line_errors
def solve(
    file: Annotated[Path, typer.Argument(metavar="FILE.tsp", help="TSPLIB instance, EDGE_WEIGHT_TYPE EUC_2D.")],
    agent: Annotated[
        str,
        typer.Option(
            "--agent",
            "-a",
            metavar="AGENT",
            help="[cyan]nearest-neighbour[/cyan], [cyan]farthest-insertion[/cyan], [cyan]two-opt[/cyan], "
            "[cyan]lkh[/cyan], a bundled agent of TSP20, the file of a model or of an edge scorer, or whatever "
            "[cyan]run[/cyan] takes; behind a model [cyan],decode=[/cyan]greedy, "
            "sample:N, starts, x8, x8-starts, frames, beam:N.",
        ),
    ],
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Also draw the tour.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of what the agent draws.")] = 0,
    trust: Annotated[bool, typer.Option("--trust", help="Run code: in SB3 zips, TorchScript, module:Name.")] = False,
    debug: Debug = False,
) -> None:
    r"""Find a short tour through the cities of a file.

    Agents see the cities moved and scaled into the unit square. Prints the
    length, the length by TSPLIB's rule (every edge rounded), and the tour:
    numbers of cities in the order of the file, from 1 as TSPLIB counts.

    [bold]Examples[/bold]
      [cyan]symbench solve berlin52.tsp --agent two-opt[/cyan]
      [cyan]symbench solve berlin52.tsp --agent edge-scorer --svg tour.svg[/cyan]
      [cyan]symbench solve berlin52.tsp --agent am.safetensors,decode=x8 --svg tour.svg[/cyan]
      [cyan]symbench solve berlin52.tsp --agent scorer.safetensors,decode=beam:10000[/cyan]
    """
    from symbench.runner.solve import solve_file
    from symbench.viz.tour_svg import tour_svg

    found = solve_file(file, agent, trust, seed)
    title = f"{found.name}, {found.agent}: length {found.length:.6g}"
    if svg:
        _write(svg, tour_svg(found.cities, found.tour, title))
    typer.echo(f"{title} (TSPLIB: {found.rounded_length})")
    typer.echo(" ".join(map(str, (found.tour + 1).tolist())))


def _write(svg: Path, picture: str) -> None:
    try:
        svg.parent.mkdir(parents=True, exist_ok=True)
        svg.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise SymbenchError(f"cannot write {svg}: {error.strerror}") from None
