"""The tables of a run as markdown, with everything needed to repeat them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from symbench.leaderboard import text
from symbench.leaderboard.run_tables import run_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from symbench.leaderboard.run_tables import RunTable
    from symbench.leaderboard.tables import Report
    from symbench.runner import Manifest, Record
    from symbench.runner.manifest import Invocation


def render(report: Report, records: Sequence[Record]) -> str:
    """The content of ``leaderboard.md``."""
    manifest, suite = report.manifest, report.manifest.suite
    parts = [f"# {suite.tag}", suite.description[:1].upper() + suite.description[1:] + "."]
    for task, group in groupby(report.rows, key=lambda row: row.task):
        of_task = list(group)
        parts += [f"## {task}", *map(_run_table, run_tables(manifest, task, of_task))]
        parts += ["\n".join(f"* {notice}" for notice in text.notices(manifest, task, of_task))]
        parts += _pipeline(task, records)
    if report.summary:
        parts += ["## All tasks", f"Normalised score, {text.summary_legend(report.summary)}."]
        parts += [_table(*text.summary_table(report.summary))]
    return "\n\n".join([*parts, "## How it was made", _provenance(manifest)]) + "\n"


def _run_table(table: RunTable) -> str:
    """The table; what was not measured here in italics."""

    def marked(line: Sequence[str]) -> list[str]:
        return [f"*{cell}*" if place in table.quoted and cell else cell for place, cell in enumerate(line)]

    return _table(marked(table.header), map(marked, table.lines))


def _pipeline(task: str, records: Sequence[Record]) -> list[str]:
    of_task = [record for record in records if record.cell.task == task]
    if not of_task:
        return []
    # One with perturbations, so that one sees where they are.
    record = next((record for record in of_task if record.cell.apply), of_task[0])
    steps = [f"{i}. {role}: {what}" for i, (role, what) in enumerate(record.pipeline, 1)]
    return [f"Pipeline of `{record.cell.id}`:\n\n" + "\n".join(steps)]


def _provenance(manifest: Manifest) -> str:
    return "\n\n".join(map(_call, text.calls(manifest)))


def _call(call: Invocation) -> str:
    return f"```sh\n{call.command}\n```\n\n{text.made_with(call)}"


def _table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A markdown table with aligned source; text columns to the left, numbers to the right."""
    rows = [[cell.replace("|", "\\|") for cell in line] for line in (header, *lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    left = [column == 0 or header[column] == "perturbation" for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = [c.ljust(w) if is_left else c.rjust(w) for c, w, is_left in zip(cells, widths, left, strict=True)]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * width if is_left else "-" * (width - 1) + ":" for width, is_left in zip(widths, left, strict=True)]
    return "\n".join([line(rows[0]), f"| {' | '.join(rule)} |", *map(line, rows[1:])])
