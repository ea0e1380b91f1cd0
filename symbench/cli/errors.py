"""How commands end: one line for a mistake, a traceback only on request.

Exit codes: 0 done; 1 something failed; 2 the input is wrong; 130 interrupted by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""

from __future__ import annotations

import difflib
import functools
import signal
import sys
import threading
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbench.errors import NOTHING_KEPT, SymbenchError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Print what a command raises as one line and turn it into an exit code; the command takes ``debug``."""

    @functools.wraps(command)
    def wrapped(*arguments: Any, debug: bool = False, **options: Any) -> None:
        with _signals_interrupt() as received:
            try:
                command(*arguments, debug=debug, **options)
            except KeyboardInterrupt as interrupt:
                by = received[0] if received else signal.SIGINT
                typer.secho("; ".join([_INTERRUPTED[by], *_progress(interrupt, options.get("resume"))]), err=True)
                raise typer.Exit(128 + by) from None
            except typer.Exit:
                raise
            except Exception as error:
                raise typer.Exit(_report(error, debug)) from None

    return wrapped


_INTERRUPTED = {signal.SIGINT: "interrupted", signal.SIGTERM: "interrupted by SIGTERM"}
if sys.platform != "win32":
    _INTERRUPTED[signal.SIGHUP] = "interrupted by SIGHUP"


@contextmanager
def _signals_interrupt() -> Iterator[list[signal.Signals]]:
    """Let what asks a process to end (Slurm, docker stop, a closed terminal) end a command as Ctrl-C does.

    Yields:
        Receives the signal that came.
    """
    received: list[signal.Signals] = []

    def interrupt(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)  # some send it twice; the first is being obeyed
        received.append(signal.Signals(number))
        raise KeyboardInterrupt

    # Who has set a handler, as nohup does, wants it; only the main thread may set one.
    main = threading.current_thread() is threading.main_thread()
    asked = [number for number in _INTERRUPTED if main and signal.getsignal(number) == signal.SIG_DFL]
    for number in asked:
        signal.signal(number, interrupt)
    try:
        yield received
    finally:
        for number in asked:
            signal.signal(number, signal.SIG_DFL)


def _progress(interrupt: KeyboardInterrupt, resume: bool | None) -> Iterator[str]:
    """What an interrupted command has done, and how to go on if it is one that can: ``resume`` is not ``None``."""
    message = str(interrupt)
    if message:
        yield message
    if not message or NOTHING_KEPT in message:  # it had hardly begun
        return
    if resume:
        yield "what was computed is kept, the same command goes on from there"
    elif resume is not None:
        yield "what was computed is kept; the same command begins again, without --no-resume it goes on from there"


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
    known = _options(error.ctx) if hasattr(error, "option_name") and getattr(error, "ctx", None) else []
    said = _no_such_option(error.option_name, known) if known else error.format_message()
    if message := " ".join(said.split()):
        typer.secho(f"error: {message}", err=True, fg="red")
    return int(error.exit_code)


def _options(context: Any) -> list[str]:
    """The long options of a command."""
    return [name for each in context.command.params for name in each.opts if name.startswith("--")]


def _no_such_option(name: str, known: list[str]) -> str:
    """Which options there are, first those that look like it; the dashes in front, which all have, do not count."""
    near = difflib.get_close_matches(name.lstrip("-"), [each[2:] for each in known])
    meant = f"did you mean {' or '.join(f'--{each}' for each in near)}? " if near else ""
    return f"No such option: {name}; {meant}known: {', '.join(known)}"


def _is_mistake(error: Exception) -> bool:
    """Whether the user can have caused it: a wrong name, value or file. Anything else is a defect and says so."""
    gymnasium = sys.modules.get("gymnasium")  # what is not loaded has raised nothing
    return isinstance(error, (SymbenchError, OSError, *([gymnasium.error.Error] if gymnasium else [])))


def _report(error: Exception, debug: bool) -> int:
    mistake = _is_mistake(error)
    if debug:
        typer.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    message = one_line(error) or type(error).__name__
    name = "" if mistake else f"{type(error).__name__}: "
    hint = "" if mistake or debug else " (a defect in symbench or in the agent; --debug shows where)"
    typer.secho(f"error: {name}{message}{hint}", err=True, fg="red")
    return 2 if mistake else 1
