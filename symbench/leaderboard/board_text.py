"""Boards as markdown and as CSV. Text of submissions is escaped; it was checked for formulas when it was read."""

from __future__ import annotations

import csv as csv_format
import io
import math
import re
from typing import TYPE_CHECKING, Any

from symbench.leaderboard.bootstrap import RANKED_FROM, UNDEFINED
from symbench.leaderboard.plain_text import FORMULA_STARTS
from symbench.leaderboard.retention import LEAST_CLEAN_SCORE, STATISTICS
from symbench.leaderboard.text import NOTHING, with_interval
from symbench.suites.suite import NEAR_THE_BEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from symbench.leaderboard.board import Board, Line
    from symbench.leaderboard.bootstrap import Estimate

_HEADER = ("rank", "agent", "perturbed score [95%]", "worst condition", "retention [95%]")
_HEADER_BY_GAP = ("rank", "agent", "gap in % [95%]", "worst condition")
_HEADER_ABOUT = ("clean score [95%]", "clean return", "runs x episodes", "parameters", "licence", "links", "what it is")

_BELOW = "†"

_INTRODUCTION = f"""# Leaderboard

Made by `symbench leaderboard` from the files in `submissions/`; never edited by hand. How to add a line:
[docs/submit.md](../docs/submit.md). Statistics: version {STATISTICS} ([docs/statistics.md](../docs/statistics.md));
tables of earlier versions are in `archive/`.

* **perturbed score**: 0 is random play, 1 the task's reference; for each perturbed condition of the suite the
  interquartile mean over training runs, then the mean over conditions, which count equally. A condition under which the
  agent cannot act counts 0.
* **worst condition**: the one of the lowest score
* **retention**: the share of its own clean score that each training run keeps, 100% at most, averaged in the same way.
  Empty where the clean score is below {LEAST_CLEAN_SCORE}: nothing could be lost. Marked {_BELOW} where it is below the
  bar, {NEAR_THE_BEST:.0%} of the best one known: the less there is to lose, the easier it is to keep.
* **clean score**: without perturbation; interquartile mean over training runs
* **[95%]**: interval over training runs and episodes; with fewer than {RANKED_FROM} training runs (\\*) over the
  episodes of these runs only, which says nothing about training again
* **rank**: by perturbed score, so that nobody gains one by playing worse anywhere; one more than the number of agents
  whose lead could not be chance. Fewer than {RANKED_FROM} training runs: shown, not ranked.
* **verified**: a maintainer has played random cells again and got the same numbers."""

_BY_GAP = """Ranked by the **gap in %**, less is better: how much longer tours are than the stored ones of the same
instances; for each condition the interquartile mean over training runs, then the mean over conditions, which count
equally, that without perturbation among them. The worst condition is that of the largest gap. Under a condition under
which the agent cannot act, tours are as long as random ones."""


def markdown(boards: Sequence[Board]) -> str:
    """The content of ``LEADERBOARD.md``."""
    parts = [_INTRODUCTION]
    for board in boards:
        parts.append(f"## {board.suite}, {board.task}")
        parts.append(_BY_GAP if board.by_gap else _bar(board))
        for verified, title in ((True, "Verified"), (False, "Not verified")):
            lines = [line for line in board.lines if line.verified == verified]
            header = _HEADER_BY_GAP if board.by_gap else _HEADER
            parts += [f"### {title}", _table(header, map(_row, lines))] if lines else []
    return "\n\n".join(parts if boards else [*parts, "No submissions yet."]) + "\n"


def csv(boards: Sequence[Board]) -> str:
    """The content of ``leaderboard.csv``: one line per suite, task and submission."""
    lines = [_values(board, line) for board in boards for line in board.lines]
    text = io.StringIO()
    columns = list(dict.fromkeys(column for line in lines for column in line)) or ["suite"]
    writer = csv_format.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def escaped(text: str) -> str:
    """Text of a stranger as markdown that shows it letter by letter; ``example.com`` becomes no link."""
    return re.sub(r"([\\`*_{}\[\]<>()#|!~&:@^$]|(?<=\w)\.(?=[^\W\d_]))", r"\\\1", text)


def _bar(board: Board) -> str:
    return f"Bar: a clean score of {board.lines[0].bar:.2f}."


def _row(line: Line) -> list[str]:
    links = ((name, getattr(line.card, name)) for name in ("paper", "code"))
    return [
        str(line.rank or NOTHING),
        f"**{line.card.name}**",
        _interval(line, line.gap if line.gaps else line.score),
        f"{with_interval(UNDEFINED._replace(value=(line.gaps or line.scores)[line.worst]))} {line.worst}",
        *([] if line.gaps else [_kept(line)]),
        _interval(line, line.clean),
        f"{line.clean_return:.1f}",
        f"{line.runs} x {line.episodes}",
        f"{line.entry.parameters:,}",
        escaped(line.card.licence),
        " ".join(f"[{name}]({link})" for name, link in links if link) or NOTHING,
        escaped(line.card.description),
    ]


def _kept(line: Line) -> str:
    return _interval(line, line.retention, percent=True) + (f" {_BELOW}" if line.below_the_bar else "")


def _interval(line: Line, of: Estimate, *, percent: bool = False) -> str:
    """With a mark if it is not over training runs."""
    few = line.interval_over == "episodes" and not math.isnan(of.low)
    return with_interval(of, percent=percent) + (r" \*" if few else "")


def _values(board: Board, line: Line) -> dict[str, Any]:
    return {
        "suite": board.suite,
        "task": board.task,
        "verified": int(line.verified),
        "rank": line.rank or "",
        "name": line.card.name,
        **_estimate("perturbed", line.score),
        "worst_condition": line.worst,
        "worst_perturbed": _number(line.scores.get(line.worst, math.nan)),
        **_estimate("retention", line.retention),
        "worst_retention": _number(line.kept.get(line.worst, math.nan)),
        **_estimate("clean", line.clean),
        "bar": _number(line.bar),
        "clean_return": _number(line.clean_return),
        "interval_over": line.interval_over,
        "training_runs": line.runs,
        "episodes": line.episodes,
        "parameters": line.entry.parameters,
        "licence": line.card.licence,
        "authors": "; ".join(map(_no_formula, line.card.authors)),
        "paper": line.card.paper or "",
        "code": line.card.code or "",
        "description": _no_formula(line.card.description),
        "statistics": STATISTICS,
        **(_estimate("gap", line.gap) | {"worst_gap": _number(line.gaps[line.worst])} if line.gaps else {}),
    }


def _no_formula(text: str) -> str:
    """A text that a spreadsheet shows as it is: ``@octocat`` gets the apostrophe that says so."""
    return f"'{text}" if text.startswith(tuple(FORMULA_STARTS)) else text


def _estimate(name: str, of: Estimate) -> dict[str, str]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), map(_number, of), strict=True))


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"


def _table(results: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    header = [*results, *_HEADER_ABOUT]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))
