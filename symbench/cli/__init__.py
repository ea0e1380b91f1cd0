"""The command line. Importing it loads neither torch nor gymnasium: every command imports what it needs."""

from __future__ import annotations

import atexit
import gc
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from symbench.cli.analyse import analyse
from symbench.cli.check_pull_request import check_pull_request
from symbench.cli.check_symmetry import check_symmetry
from symbench.cli.compare import compare
from symbench.cli.demo import demo
from symbench.cli.describe import describe
from symbench.cli.errors import usage_error
from symbench.cli.export import export
from symbench.cli.leaderboard import leaderboard
from symbench.cli.list import list_
from symbench.cli.merge import merge
from symbench.cli.plot import plot
from symbench.cli.report import report
from symbench.cli.run import run
from symbench.cli.sign_verified import sign_verified
from symbench.cli.solve import solve
from symbench.cli.study import study
from symbench.cli.submit import submit
from symbench.cli.train import train
from symbench.cli.validate import validate
from symbench.cli.verify import verify
from symbench.cli.video import video


class _Group(TyperGroup):
    """Says in one line what is wrong with a command line, as the commands do with their input."""

    def main(self, *arguments: Any, **options: Any) -> NoReturn:
        """Run the command and exit; see :meth:`typer.core.TyperGroup.main`."""
        try:
            code = super().main(*arguments, **{**options, "standalone_mode": False})
        except Exception as error:
            if not hasattr(error, "format_message"):  # click's own, wherever this version of typer keeps click
                raise
            code = usage_error(error)
        sys.exit(code)


app = typer.Typer(
    name="symbench",
    cls=_Group,
    help="What happens to a reinforcement-learning agent when its sensors are shuffled, noised or occluded?",
    epilog="Start with: [cyan]symbench run --suite shuffle --quick[/cyan]",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        import symbench

        typer.echo(f"symbench {symbench.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", help="Show the version and exit.", callback=_version, is_eager=True
    ),
) -> None:
    pass


for _name, _command in (
    *(("run", run), ("list", list_), ("train", train), ("report", report), ("merge", merge)),
    ("plot", plot),
    *(("describe", describe), ("video", video), ("analyse", analyse)),
    *(("check-symmetry", check_symmetry), ("study", study)),
    *(("solve", solve), ("demo", demo)),
    *(("submit", submit), ("validate", validate), ("verify", verify), ("sign-verified", sign_verified)),
    *(("leaderboard", leaderboard), ("compare", compare)),
    ("check-pull-request", check_pull_request),
):
    app.command(_name)(_command)
app.add_typer(export, name="export")


def main() -> None:
    """The ``symbench`` command."""
    atexit.register(gc.freeze)  # looking for garbage in what torch has made takes half a second, for nothing
    app()
