r"""The tables of a run as LaTeX with booktabs, ready for ``\input``."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from symbench.leaderboard import text
from symbench.leaderboard.published import published

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from symbench.leaderboard.rows import Row
    from symbench.leaderboard.tables import Report

# Brackets and asterisks are arguments of a \\ before them; two hyphens would be one dash.
_ESCAPED: Final = {
    **{"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{character: f"\\{character}" for character in "&%$#_"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\symbol{34}", "`": r"\symbol{96}"},
    **{"[": "{[}", "]": "{]}", "*": "{*}", "'": "{'}"},
    **{"±": r"$\pm$", "–": r"\textendash{}", "…": r"\dots{}", "·": r"$\cdot$", "−": "$-$"},  # noqa: RUF001
}
_NEGATIVE: Final = re.compile(r"(?<![\w-])-(?=\d)")
_INVISIBLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def escape(words: str) -> str:
    r"""Text as LaTeX prints it, whatever characters it has.

    Example:
        >>> print(escape("50% of A_1 & B"))
        50\% of A\_1 \& B
    """
    printed = "".join(_ESCAPED.get(character, character) for character in _INVISIBLE.sub(" ", words))
    return re.sub("-(?=-)", "-{}", printed)


def latex(report: Report) -> str:
    r"""A tabular for each task: conditions in lines, and of each agent the return, and what it retains or its gap.

    Names are escaped. What the numbers are and what made them is in comments.

    Args:
        report: The tables of a run, see :func:`symbench.leaderboard.report.read_report`.

    Returns:
        LaTeX for ``\input`` within a ``table``; it needs ``\usepackage{booktabs}``.
    """
    parts = [r"% \usepackage{booktabs}"]
    parts += [_comment(command) for command in dict.fromkeys(call.command for call in text.calls(report.manifest))]
    for task, group in groupby(report.rows, key=lambda row: row.task):
        rows = list(group)
        parts += ["", _comment(f"{task}, {report.manifest.suite.tag}"), _tabular(report, rows)]
        parts += [_comment(notice) for notice in _notices(report, task, rows)]
    return "\n".join(parts) + "\n"


def _notices(report: Report, task: str, rows: Sequence[Row]) -> list[str]:
    """What a caption may say; papers are not quoted in this table."""
    quoted = {f"(paper): {entry.source}" for entry in published(task, report.manifest.suite)}
    return [notice for notice in text.notices(report.manifest, task, rows) if notice not in quoted]


def _comment(words: str) -> str:
    """One line that LaTeX does not read: a line break would end it."""
    return f"% {_INVISIBLE.sub(' ', words)}"


def _tabular(report: Report, rows: Sequence[Row]) -> str:
    by_agent = {
        agent: [row for row in rows if row.agent == agent] for agent in dict.fromkeys(row.agent for row in rows)
    }
    columns = {agent: _columns(mine) for agent, mine in by_agent.items()}
    lines = [
        [row.condition.title, *(show(mine[place]) for agent, mine in by_agent.items() for _, show in columns[agent])]
        for place, row in enumerate(next(iter(by_agent.values())))
    ]
    counts = [len(own) for own in columns.values()]
    heads = [
        rf"\multicolumn{{{count}}}{{c}}{{{escape(text.agent_with_runs(_longest(mine)))}}}"
        for mine, count in zip(by_agent.values(), counts, strict=True)
    ]
    titles = [escape(title) for own in columns.values() for title, _ in own]
    return "\n".join(
        [
            rf"\begin{{tabular}}{{@{{}}l{'r' * sum(counts)}@{{}}}}",
            r"\toprule",
            " & ".join(["", *heads]) + r" \\",
            " ".join(_rules(counts)),
            " & ".join(["Perturbation", *titles]) + r" \\",
            r"\midrule",
            *(" & ".join(map(_cell, line)) + r" \\" for line in lines),
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _columns(mine: Sequence[Row]) -> list[tuple[str, Callable[[Row], str]]]:
    """What is shown of an agent: heading, and cell of a row."""
    shown: list[tuple[str, Callable[[Row], str]]] = [("return", text.return_of)]
    if text.has_references(mine):
        shown.append(("gap in %", text.excess_of))
    if any(row.retention.value == row.retention.value and not row.condition.baseline for row in mine):
        shown.append((text.marked("retention", (row.retention for row in mine if not row.condition.baseline)), _kept))
    return shown


def _kept(row: Row) -> str:
    return "" if row.condition.baseline else text.with_interval(row.retention, percent=True)


def _longest(mine: Sequence[Row]) -> Row:
    return max(mine, key=lambda row: row.runs)


def _rules(counts: Sequence[int]) -> list[str]:
    """Lines below the names of agents."""
    ends = [1 + sum(counts[: place + 1]) for place in range(len(counts))]
    return [rf"\cmidrule(lr){{{end - count + 1}-{end}}}" for end, count in zip(ends, counts, strict=True)]


def _cell(words: str) -> str:
    """An escaped cell, with a minus sign for a number below zero."""
    return _NEGATIVE.sub("$-$", escape(words))
