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
    cell_ids: Annotated[
        list[str],
        typer.Argument(
            metavar="CELL_ID...", help="SUITE@VERSION/TASK/PERTURBATION/LEVEL/AGENT/sRUN; several are shown together."
        ),
    ],
    run_dir: Annotated[
        Path | None, typer.Option("--run", metavar="RUN_DIR", help="Look cells up in a run: suites of one's own.")
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(
            "--agent",
            "-a",
            metavar="AGENT",
            help="Where the cells' agents are, if not all are bundled; may be repeated.",
        ),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run the code in SB3 zips and in modules of your own.")
    ] = False,
    episode: Annotated[int, typer.Option("--episode", "-e", help="Which of the cell's episodes, from 0.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help=".mp4 or .gif \\[named after the cells]")
    ] = None,
    gif: Annotated[
        bool, typer.Option("--gif", help="A GIF of fewer and smaller frames, as few as it takes to fit --megabytes.")
    ] = False,
    megabytes: Annotated[float, typer.Option(help="What the file of --gif may have.")] = 3.0,
    steps: Annotated[int | None, typer.Option(help="Stop after so many steps. \\[to the end]")] = None,
    fps: Annotated[int | None, typer.Option(help="Frames per second. \\[as the task says]")] = None,
    zoom: Annotated[int, typer.Option(help="Pixels of the video for a pixel that the agent sees.")] = 4,
    debug: Debug = False,
) -> None:
    r"""Show an episode of a cell: the scene, what is there, what the agent sees.

    Patches that the agent looks at are highlighted, where they are and where
    they came from; beside sensors stands what each code of the agent's
    attention takes of them. Several cells are shown one below the other, on
    the same episode. Needs [cyan]pip install 'symbench\[pictures]'[/cyan].

    [bold]Examples[/bold]
      [cyan]symbench video shuffle@3/CartPoleSwingUp/shuffle-sensors/every-200/attention-neuron/s0[/cyan]
      [cyan]symbench video --gif --zoom 2 --steps 400 \
          shuffle@3/CartPoleSwingUp/shuffle-sensors/every-200/mlp/s0 \
          shuffle@3/CartPoleSwingUp/shuffle-sensors/every-200/attention-neuron/s0[/cyan]
      [cyan]symbench video --run runs/mine --agent mine.safetensors --steps 300 --out mine.gif \
          mine@1/Pong/shuffle-patches/per-episode/mine/s0[/cyan]
    """
    from symbench.cli.console import console
    from symbench.runner.find import planned_cell, stored_cell
    from symbench.viz.gif_files import MEGABYTE
    from symbench.viz.video import default_name, make_video

    agents = agent or []
    cells = [
        stored_cell(run_dir, each, agents, trust) if run_dir else planned_cell(each, agents, trust) for each in cell_ids
    ]
    where = out or Path(default_name(cells, episode, ".gif" if gif else ".mp4"))
    limit = _limit(where, megabytes * MEGABYTE) if gif else None
    with _progress(steps) as progress:
        totals = make_video(
            cells, where, episode=episode, steps=steps, fps=fps, zoom=zoom, limit=limit, progress=progress
        )
    lines = [f"{where} ({where.stat().st_size / MEGABYTE:.2f} MB)"]
    for cell, total in zip(cells, totals, strict=True):
        who = f"{cell.key.agent}, " if len(cells) > 1 else ""
        lines.append(f"{who}episode {episode} (seed {cell.seed + episode}), return {total:.6g}")
    console().print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _limit(out: Path, size: float) -> int:
    """Bytes that a GIF may have."""
    from symbench.errors import SymbenchError

    if out.suffix.lower() != ".gif":
        raise SymbenchError(f"--gif writes a .gif file, received --out {str(out)!r}")
    if not size > 0:
        raise SymbenchError("--megabytes must be more than 0")
    return int(min(size, 2**62))


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
