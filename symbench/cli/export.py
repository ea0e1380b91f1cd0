"""``symbench export``: results in the formats of others."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import Annotated

import typer

from symbench.cli.errors import Debug, directory, one_line_errors

export = typer.Typer(
    help="Results in the formats of others: a model card of the Hugging Face Hub, in-toto statements.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@export.command()
@one_line_errors
def hub(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN", help="What --out of [cyan]symbench run[/cyan] was.")],
    agent: Annotated[
        str | None, typer.Option("--agent", "-a", metavar="AGENT", help="Its name in the run. \\[the only one]")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", parser=directory, help="Where the files go. \\[hub/AGENT]"),
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", metavar="ID", help="As the Hub names it, e.g. mit. \\[none is named]")
    ] = None,
    benchmark: Annotated[
        str | None,
        typer.Option(metavar="OWNER/DATASET", help="A benchmark of the Hub: adds .eval_results/symbench.yaml for it."),
    ] = None,
    debug: Debug = False,
) -> None:
    r"""Write the model card of an agent, with its results as the Hub reads them.

    README.md holds them as model-index, and the tables, conditions and
    commands of the run for people. Nothing is uploaded. Needs
    pip install 'symbench\[hub]'.

    [bold]Examples[/bold]
      [cyan]symbench export hub runs/shuffle --agent mine[/cyan]
      [cyan]symbench export hub runs/shuffle --agent mine --licence mit --out card[/cyan]
      [cyan]hf upload me/mine hub/mine[/cyan]   [dim]# the client of the Hub[/dim]
    """
    from symbench.leaderboard.hub_card import export_run

    for path in export_run(run_dir, agent, out, licence=licence, benchmark=benchmark):
        typer.echo(path)


@export.command("in-toto")
@one_line_errors
def in_toto(
    submission: Annotated[Path, typer.Argument(metavar="SUBMISSION", help="Either of its files.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to. \\[printed]")] = None,
    debug: Debug = False,
) -> None:
    """Write a submission as in-toto statements, one a line for each task.

    Statement v1 with the predicate Test Result v0.1: the hashes of files and
    weights, suite, software, and the cells that a maintainer has played
    again. PASSED: it is verified and signed; WARNED: nobody has verified it.

    [bold]Examples[/bold]
      [cyan]symbench export in-toto leaderboards/submissions/mlp.csv[/cyan]
      [cyan]symbench export in-toto leaderboards/submissions/mlp.csv --out mlp.intoto.jsonl[/cyan]
    """
    from symbench.errors import SymbenchError
    from symbench.files import write_atomically
    from symbench.leaderboard.in_toto import bundle_of_submission

    content = bundle_of_submission(submission)
    if out is None:
        typer.echo(content, nl=False)
    else:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(out, content)
        except OSError as error:
            raise SymbenchError(f"cannot write {str(out)!r} ({error.strerror}); give another --out") from error
        typer.echo(out)
