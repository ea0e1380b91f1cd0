"""How commands end: one line for a mistake, a traceback only on request.

Exit codes: 0 done; 1 something failed; 2 the input is wrong; 130 interrupted.
"""

from __future__ import annotations

import functools
import traceback
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Callable

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

# What the user can cause: a wrong name, value or file. Anything else is a defect and says so.
_MISTAKES = (SymbenchError, ValueError, TypeError, OSError)


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Print what a command raises as one line and turn it into an exit code; the command takes ``debug``."""

    @functools.wraps(command)
    def wrapped(*arguments: Any, debug: bool = False, **options: Any) -> None:
        try:
            command(*arguments, debug=debug, **options)
        except KeyboardInterrupt:
            typer.secho("interrupted; what was computed is kept, the same command goes on from there", err=True)
            raise typer.Exit(130) from None
        except BrokenPipeError:  # the reader, e.g. `head`, has seen enough
            raise typer.Exit(0) from None
        except typer.Exit:
            raise
        except Exception as error:
            raise typer.Exit(_report(error, debug)) from None

    return wrapped


def _report(error: Exception, debug: bool) -> int:
    mistake = isinstance(error, _MISTAKES)
    if debug:
        typer.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    message = " ".join(str(error).split()) or type(error).__name__
    name = "" if mistake else f"{type(error).__name__}: "
    hint = "" if mistake or debug else " (a defect in symbench or in the agent; --debug shows where)"
    typer.secho(f"error: {name}{message}{hint}", err=True, fg="red")
    return 2 if mistake else 1
