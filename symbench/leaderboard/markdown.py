"""The tables of a run as markdown, with everything needed to repeat them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from symbench.leaderboard import text
from symbench.leaderboard.published import published

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from symbench.leaderboard.rows import Row
    from symbench.leaderboard.tables import Report
    from symbench.runner import Manifest, Record
    from symbench.runner.manifest import Invocation


def render(report: Report, records: Sequence[Record]) -> str:
    """The content of ``leaderboard.md``."""
    manifest, suite = report.manifest, report.manifest.suite
    parts = [f"# {suite.tag}", suite.description[:1].upper() + suite.description[1:] + "."]
    for task, group in groupby(report.rows, key=lambda row: row.task):
        of_task = list(group)
        parts += [f"## {task}", _returns(manifest, task, of_task)]
        parts += [_excess(of_task)] if text.has_references(of_task) else []
        parts += [_scores(manifest, of_task)]
        parts += ["\n".join(f"* {notice}" for notice in text.notices(manifest, task, of_task))]
        parts += _pipeline(task, records)
    if report.summary:
        parts += ["## All tasks", f"Normalised score, {text.summary_legend(report.summary)}."]
        parts += [_table(*text.summary_table(report.summary))]
    return "\n\n".join([*parts, "## How it was made", _provenance(manifest)]) + "\n"


def _returns(manifest: Manifest, task: str, rows: Sequence[Row]) -> str:
    quoted = published(task, manifest.suite)
    agents = [row.agent for row in rows if row.condition == rows[0].condition]
    header = ["return", *agents, *(f"*{entry.agent}*" for entry in quoted)]
    lines = []
    for condition, group in groupby(rows, key=lambda row: row.condition):
        papers = [entry.returns.get(condition.id) for entry in quoted]
        cells = [f"*{text.mean_and_std(*paper)}*" if paper else "" for paper in papers]
        lines.append([condition.title, *(text.return_of(row) for row in group), *cells])
    return _table(header, lines)


def _excess(rows: Sequence[Row]) -> str:
    header = ["gap in %", *(row.agent for row in rows if row.condition == rows[0].condition)]
    by_condition = groupby(rows, key=lambda row: row.condition)
    return _table(header, [[condition.title, *map(text.excess_of, group)] for condition, group in by_condition])


def _scores(manifest: Manifest, rows: Sequence[Row]) -> str:
    header = ["agent", "perturbation", *text.score_headings(manifest, rows)]
    lines = [
        [
            text.agent_with_runs(row) if row is mine[0] else "",
            row.condition.title,
            text.with_interval(row.iqm),
            "" if row.condition.baseline else text.with_interval(row.retention, percent=True),
            text.with_interval(row.improvement),
        ]
        for mine in text.scored(rows)
        for row in mine
    ]
    columns = len(header) if header[-1] else len(header) - 1
    return _table(header[:columns], [line[:columns] for line in lines])


def _pipeline(task: str, records: Sequence[Record]) -> list[str]:
    of_task = [record for record in records if record.cell.task == task]
    if not of_task:
        return []
    # One with perturbations, so that one sees where they are.
    record = next((record for record in of_task if record.cell.apply), of_task[0])
    steps = [f"{i}. {role}: {what}" for i, (role, what) in enumerate(record.pipeline, 1)]
    return [f"Pipeline of `{record.cell.id}`:\n\n" + "\n".join(steps)]


def _provenance(manifest: Manifest) -> str:
    # Calls that found everything there only printed the tables again; one that was killed may have written a cell
    # that it could not count any more.
    return "\n\n".join(_call(call) for call in manifest.invocations if call.evaluated or call.seconds is None)


def _call(call: Invocation) -> str:
    facts = call.environment
    versions = {"symbench": facts["symbench"], "Python": facts["python"], **facts["packages"]}
    return (
        f"```sh\n{call.command}\n```\n\n"
        f"{call.started}: {call.evaluated} cells in "
        f"{'unknown time (it was stopped)' if call.seconds is None else f'{call.seconds:.0f} s'}, "
        f"{facts['workers']} worker(s) of one thread, {facts['cpu']}. "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + (f", commit {facts['commit']}." if facts["commit"] else ".")
    )


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
