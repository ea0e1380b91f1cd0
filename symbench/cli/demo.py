"""``symbench demo``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import Annotated

import typer

from symbench.cli.errors import Debug, directory, one_line_errors
from symbench.errors import SymbenchError


@one_line_errors
def demo(
    task: Annotated[
        str | None,
        typer.Option("--task", "-t", metavar="TASK", help="Any task, played by a server. \\[cart-pole in the browser]"),
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(
            "--agent",
            "-a",
            metavar="AGENT",
            help="Who can play, as for [cyan]run[/cyan]; the first two begin; may be repeated. \\[all bundled ones]",
        ),
    ] = None,
    perturbation: Annotated[
        list[str] | None,
        typer.Option("--perturbation", metavar="MODULE:NAME", help="One of your own, beside all registered ones."),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run code: in SB3 zips, module:Name of agents, tasks, perturbations.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", parser=directory, help="Write the cart-pole page as DIR/index.html, end."),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Where it is served; 0 takes a free one.")
    ] = 8765,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")] = True,
    debug: Debug = False,
) -> None:
    r"""Open a page where you disturb two agents while they play.

    Without --task it is cart-pole swing-up: shuffle, drag or kill sensors, add
    channels of noise, flip the world. All of it runs in the browser; the file
    of --out needs no server. With --task any task is played by any agents on
    this machine, under all perturbations that fit; it needs
    [cyan]pip install 'symbench\[demo]'[/cyan]. Only browsers here are answered.

    [bold]Examples[/bold]
      [cyan]symbench demo[/cyan]   [dim]# until Ctrl-C[/dim]
      [cyan]symbench demo --out page[/cyan]   [dim]# and open page/index.html[/dim]
      [cyan]symbench demo --task Pong[/cyan]   [dim]# the bundled agents[/dim]
      [cyan]symbench demo --task CartPole-v1 --agent mine=ppo:mine.zip --agent random[/cyan]
    """
    if task is not None:
        if out:
            raise SymbenchError("--out writes the page that plays cart-pole by itself; that of --task needs its server")
        _live(task, agent or [], perturbation or [], trust, port, browser)
        return
    if agent or perturbation:
        raise SymbenchError(f"{'--agent' if agent else '--perturbation'} needs --task: in which task?")
    from symbench.demo import PageServer, page, write_page

    if out:
        typer.echo(write_page(out))
        return
    with PageServer(page(), port) as server:
        _announce(server.address, browser)
        server.serve_forever()


def _live(task: str, agents: list[str], perturbations: list[str], trust: bool, port: int, browser: bool) -> None:
    from symbench.demo.listening import address_of, listen
    from symbench.demo.live_server import require_packages, serve
    from symbench.demo.setting import setting_of

    require_packages()
    setting = setting_of(task, agents, trust, perturbations)
    listening = listen(port)
    _announce(address_of(listening), browser)
    serve(setting, listening, lambda line: typer.secho(f"error: {line}", err=True, fg="red"))


def _announce(address: str, browser: bool) -> None:
    typer.echo(f"{address} (Ctrl-C ends it)")
    if browser:
        typer.launch(address)
