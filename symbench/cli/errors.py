"""How commands end: one line for a mistake, a traceback only on request.

Exit codes: 0 done; 1 something failed; 2 the input is wrong; 130 interrupted.
"""

from __future__ import annotations

import functools
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Callable

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Print what a command raises as one line and turn it into an exit code; the command takes ``debug``."""

    @functools.wraps(command)
    def wrapped(*arguments: Any, debug: bool = False, **options: Any) -> None:
        try:
            command(*arguments, debug=debug, **options)
        except KeyboardInterrupt as interrupt:
            done = f"; {interrupt}" if str(interrupt) else ""
            typer.secho(f"interrupted{done}; what was computed is kept, the same command goes on from there", err=True)
            raise typer.Exit(130) from None
        except typer.Exit:
            raise
        except Exception as error:
            raise typer.Exit(_report(error, debug)) from None

    return wrapped


def directory(text: str | Path) -> Path:
    """The value of ``--out``; an empty one, e.g. of an unset shell variable, is not the current directory.

    Raises:
        typer.BadParameter: It is empty.
    """
    if not str(text):
        raise typer.BadParameter("a directory is expected, received ''; the current directory is '.'")
    return Path(text)


def usage_error(error: Any) -> int:
    """Print what click says about a command line as one line and return the exit code; help was printed already."""
    if message := " ".join(error.format_message().split()):
        typer.secho(f"error: {message}", err=True, fg="red")
    return int(error.exit_code)


def _is_mistake(error: Exception) -> bool:
    """Whether the user can have caused it: a wrong name, value or file. Anything else is a defect and says so."""
    gymnasium = sys.modules.get("gymnasium")  # what is not loaded has raised nothing
    return isinstance(error, (SymbenchError, OSError, *([gymnasium.error.Error] if gymnasium else [])))


def _report(error: Exception, debug: bool) -> int:
    mistake = _is_mistake(error)
    if debug:
        typer.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    message = " ".join(str(error).split()) or type(error).__name__
    name = "" if mistake else f"{type(error).__name__}: "
    hint = "" if mistake or debug else " (a defect in symbench or in the agent; --debug shows where)"
    typer.secho(f"error: {name}{message}{hint}", err=True, fg="red")
    return 2 if mistake else 1
