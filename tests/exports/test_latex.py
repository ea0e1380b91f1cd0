"""LaTeX that compiles whatever names a run has, and says what the tables say."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from symbench.exports import latex
from symbench.exports.latex import escape
from symbench.leaderboard.text import with_interval

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from symbench.leaderboard import Report

HOSTILE = "a&b%c$d#e_f{g}h~i^j\\k<l>m|n\"o`p'q[r]s*t--u\nv\\input{/etc/passwd}^^M"
# What is left when every escape is taken out: nothing that TeX reads as a command.
ESCAPES = re.compile(
    r"\\text(?:backslash|asciitilde|asciicircum|less|greater|bar|endash)\{\}|\\symbol\{\d+\}|\\dots\{\}|\\[&%$#_{}]|"
    r"\$\\pm\$|\$\\cdot\$|\$-\$|\{[\]\[*']\}|-\{\}"
)


@pytest.fixture
def report(report_of: Callable[..., Report]) -> Report:
    return report_of()


def body(text: str) -> list[str]:
    """The lines of the table that hold numbers."""
    return re.findall(r"\\midrule\n(.*?)\\bottomrule", text, re.DOTALL)[0].strip().splitlines()


def test_it_is_a_tabular_of_booktabs(report: Report) -> None:
    text = latex(report)
    assert text.startswith("% \\usepackage{booktabs}\n% symbench run")
    for command in ("toprule", "midrule", "bottomrule", "begin{tabular}", "end{tabular}"):
        assert text.count(f"\\{command}") == 1
    columns = len(re.search(r"@\{\}(l(r+))@\{\}", text)[1])  # type: ignore[index]
    assert {line.count("&") + 1 for line in body(text)} == {columns}
    assert all(line.endswith(r" \\") for line in body(text))


def test_the_numbers_are_those_of_the_report(report: Report) -> None:
    text = latex(report)
    for row in report.rows:
        if row.agent == "mlp" and not row.condition.baseline:
            line = next(line for line in body(text) if line.startswith(escape(row.condition.title) + " &"))
            assert escape(with_interval(row.retention, percent=True)) in line.replace("$-$", "-")


def test_names_are_escaped(report: Report) -> None:
    rows = [
        replace(row, agent=HOSTILE, task=HOSTILE, condition=row.condition.model_copy(update={"label": HOSTILE}))
        for row in report.rows
        if row.agent == "mlp"
    ]
    task = next(iter(report.manifest.tasks.values()))
    manifest = report.manifest.model_copy(update={"tasks": {HOSTILE: task}})
    text = latex(replace(report, rows=rows, manifest=manifest))
    read = [line for line in text.splitlines() if not line.startswith("%")]
    for line in body(text):
        left = ESCAPES.sub("", line.removesuffix(r" \\"))
        assert not re.search(r"[\\%$#_{}~^]|--", left), left
    assert "\\input" not in "\n".join(read)
    assert any(escape(HOSTILE) in line for line in read)


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        ("50% of A_1 & B", r"50\% of A\_1 \& B"),
        ("x--y---z", "x-{}-y-{}-{}-z"),
        ("1 – 2 ± 3", r"1 \textendash{} 2 $\pm$ 3"),  # noqa: RUF001
        ("[0, 1]", "{[}0, 1{]}"),
        ("a\nb\x00c", "a b c"),
        ("", ""),
    ],
)
def test_escape(words: str, printed: str) -> None:
    assert escape(words) == printed


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="there is no pdflatex")
def test_it_compiles(report: Report, tmp_path: Path) -> None:
    rows = [replace(row, agent=HOSTILE) if row.agent == "mlp" else row for row in report.rows]
    (tmp_path / "table.tex").write_text(latex(replace(report, rows=rows)))
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n\\input{table}\n\\end{document}\n"
    )
    command: Any = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
