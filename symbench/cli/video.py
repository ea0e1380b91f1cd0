"""``symbench video``."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@one_line_errors
def video(
    cell_id: Annotated[str, typer.Argument(metavar="CELL_ID", help="SUITE@VERSION/TASK/PERTURBATION/LEVEL/AGENT/sRUN")],
    run_dir: Annotated[
        Path | None, typer.Option("--run", metavar="RUN_DIR", help="Look the cell up in a run: suites of one's own.")
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option("--agent", "-a", metavar="AGENT", help="Where the agent is, if it is not a bundled one."),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run the code in SB3 zips and in modules of your own.")
    ] = False,
    episode: Annotated[int, typer.Option("--episode", "-e", help="Which of the cell's episodes, from 0.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help=".mp4 or .gif \\[named after the cell]")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Stop after so many steps. \\[to the end]")] = None,
    fps: Annotated[int | None, typer.Option(help="Frames per second. \\[as the task says]")] = None,
    zoom: Annotated[int, typer.Option(help="Pixels of the video for a pixel that the agent sees.")] = 4,
    debug: Debug = False,
) -> None:
    r"""Show an episode of a cell: the scene, what is there, what the agent sees.

    Patches that the agent looks at are highlighted, where they are and where
    they came from. Needs [cyan]pip install 'symbench\[pictures]'[/cyan].

    [bold]Examples[/bold]
      [cyan]symbench video shuffle@1/CartPoleSwingUp/shuffle-sensors/every-100/attention-neuron/s0[/cyan]
      [cyan]symbench video --run runs/mine --agent mine.safetensors --steps 300 --out mine.gif \
          mine@1/Pong/shuffle-patches/per-episode/mine/s0[/cyan]
    """
    from symbench.cli.console import console
    from symbench.runner.find import planned_cell, stored_cell
    from symbench.viz.video import default_name, make_video

    agents = [agent] if agent else []
    cell = stored_cell(run_dir, cell_id, agents, trust) if run_dir else planned_cell(cell_id, agents, trust)
    where = out or Path(default_name(cell_id, episode))
    with _progress(steps) as progress:
        total = make_video(cell, where, episode=episode, steps=steps, fps=fps, zoom=zoom, progress=progress)
    text = f"{where}\nepisode {episode} (seed {cell.seed + episode}), return {total:.6g}"
    console().print(text, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def _progress(steps: int | None) -> Iterator[Callable[[int], None]]:
    """A bar over steps on standard error; nothing when that is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    screen = Console(stderr=True)
    columns = (TextColumn("playing"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"), TimeElapsedColumn())
    with Progress(*columns, console=screen, disable=not screen.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=steps)
        yield lambda step: bar.update(task, completed=step + 1)
