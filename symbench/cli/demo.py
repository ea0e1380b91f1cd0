"""``symbench demo``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import Annotated

import typer

from symbench.cli.errors import Debug, directory, one_line_errors


@one_line_errors
def demo(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", parser=directory, help="Write the page as DIR/index.html and end."),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Where it is served; 0 takes a free one.")
    ] = 8765,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")] = True,
    debug: Debug = False,
) -> None:
    """Open a page where you shuffle the sensors of two agents while they play.

    Cart-pole swing-up, the bundled agents beside each other in the same
    episode: shuffle, drag or kill sensors, add channels of noise, flip the
    world. All of it runs in the browser; nothing leaves this machine. The file
    of --out needs no server.

    [bold]Examples[/bold]
      [cyan]symbench demo[/cyan]   [dim]# until Ctrl-C[/dim]
      [cyan]symbench demo --out page[/cyan]   [dim]# and open page/index.html[/dim]
    """
    from symbench.demo import PageServer, page, write_page

    if out:
        typer.echo(write_page(out))
        return
    with PageServer(page(), port) as server:
        typer.echo(f"{server.address} (Ctrl-C ends it)")
        if browser:
            typer.launch(server.address)
        server.serve_forever()
