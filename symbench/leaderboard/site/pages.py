"""Makes the pages of boards and writes them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from symbench.errors import SymbenchError
from symbench.extras import require
from symbench.files import write_atomically
from symbench.leaderboard.board_text import csv
from symbench.leaderboard.bootstrap import RANKED_FROM, UNDEFINED
from symbench.leaderboard.citation import citations
from symbench.leaderboard.gap_picture import gap_picture
from symbench.leaderboard.retention import LEAST_CLEAN_SCORE, STATISTICS
from symbench.leaderboard.site.cells import cell_summaries
from symbench.leaderboard.site.profiles import ProfileChart, profile_chart
from symbench.leaderboard.site.retention_curves import Chart, chart, whole_percent
from symbench.leaderboard.text import NOTHING, with_interval
from symbench.suites.suite import NEAR_THE_BEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jinja2 import Environment

    from symbench.leaderboard.board import Board, Line
    from symbench.leaderboard.gap_rows import GapRow
    from symbench.leaderboard.site.cells import CellSummary

_HERE: Final = Path(__file__).parent
_INDEX, _AGENTS, _TABLES = "index.html", "agents", "tables"
_MARK: Final = '<meta name="generator" content="symbench leaderboard">'  # in base.html


@dataclass(frozen=True)
class Entry:
    """One agent in one task, with everything that the pages show.

    Attributes:
        board: Where it stands.
        line: The agent.
        cells: What was measured under each condition.
        colour: Number of its colour in the chart of the board; ``None`` if it has no curve.
    """

    board: Board
    line: Line
    cells: Sequence[CellSummary]
    colour: int | None = None

    @property
    def group(self) -> str:
        """Title of the part of the table where it stands."""
        verified = "Verified" if self.line.verified else "Not verified"
        return verified if self.line.rank else f"{verified}, not ranked"

    @property
    def worst(self) -> CellSummary:
        """The condition of the lowest score or the largest gap."""
        return next(cell for cell in self.cells if cell.condition.id == self.line.worst)


@dataclass(frozen=True)
class Section:
    """One board: its charts and its table."""

    board: Board
    chart: Chart | None
    profiles: ProfileChart | None
    entries: Sequence[Entry]

    @property
    def anchor(self) -> str:
        """Where it stands in the page; the same however many other boards there are."""
        return f"board-{self.board.suite}-{self.board.task}"

    @property
    def table(self) -> str:
        """Path of its table in the site, to compute with."""
        return f"{_TABLES}/{self.board.suite}-{self.board.task}.csv"

    @property
    def groups(self) -> dict[str, list[Entry]]:
        """Title -> entries; each part of the table is sorted by itself."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.group, []).append(entry)
        return found


def pages(boards: Iterable[Board], gaps: Sequence[Sequence[GapRow]] = ()) -> dict[str, str]:
    """Path in the site -> content.

    Args:
        boards: Any number, e.g. those of :func:`~symbench.leaderboard.board.read_boards`.
        gaps: Tables of tours, of :func:`~symbench.leaderboard.gap_rows.read_tables`, drawn behind the boards.

    Raises:
        SymbenchError: Jinja2 is not installed.
    """
    sections, environment = sorted(map(_section, boards), key=_ranked_first), _environment()
    tables = {section.table: csv([section.board]) for section in sections}
    agents: dict[str, list[Entry]] = {}
    for section in sections:
        for entry in section.entries:
            agents.setdefault(entry.line.card.name, []).append(entry)
    index, agent = environment.get_template("index.html"), environment.get_template("agent.html")
    shown = {"sections": sections, "filters": _filters(sections), "agents": len(agents)}
    contents = {_INDEX: index.render(root="", gaps=gap_picture(gaps) if gaps else "", **shown)}
    for name, entries in agents.items():
        charts = [chart({name: entry.cells}, runs=True) for entry in entries]
        found = agent.render(root="../", card=entries[0].line.card, parts=list(zip(entries, charts, strict=True)))
        contents[f"{_AGENTS}/{name}.html"] = found
    static = sorted((_HERE / "static").iterdir())
    return contents | tables | {f"static/{file.name}": file.read_text(encoding="utf-8") for file in static}


def write_site(boards: Iterable[Board], folder: Path, gaps: Sequence[Sequence[GapRow]] = ()) -> None:
    """Write the site of boards; pages of agents that are not there any more are deleted.

    Args:
        boards: Any number.
        folder: A new or empty folder, or one that holds such a site.
        gaps: As of :func:`pages`.

    Raises:
        SymbenchError: Jinja2 is not installed, the folder holds something else, or a file cannot be written.
    """
    contents = pages(boards, gaps)
    if folder.exists() and not _is_ours(folder):
        raise SymbenchError(f"{str(folder)!r} holds other files; a new or empty folder is expected")
    for path, content in contents.items():
        try:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / path, content)
        except OSError as error:
            raise SymbenchError(f"cannot write {folder / path} ({error.strerror})") from error
    for path in _surplus(folder, contents):
        (folder / path).unlink()


def stale_pages(boards: Iterable[Board], folder: Path, gaps: Sequence[Sequence[GapRow]] = ()) -> list[str]:
    """Paths of the pages that are missing, superfluous, or not those of the boards.

    Raises:
        SymbenchError: Jinja2 is not installed.
    """
    contents = pages(boards, gaps)
    different = [path for path, content in contents.items() if _bytes(folder / path) != content.encode()]
    return [*different, *_surplus(folder, contents)]


def _section(board: Board) -> Section:
    cells = {line.card.name: cell_summaries(line, board.task) for line in board.lines}
    drawn = chart(cells)
    colours = {curve.name: curve.colour for curve in drawn.curves} if drawn else {}
    entries = [Entry(board, line, cells[line.card.name], colours.get(line.card.name)) for line in board.lines]
    return Section(board, drawn, profile_chart(cells, colours), entries)


def _ranked_first(section: Section) -> int:
    return -sum(entry.line.rank is not None for entry in section.entries)


def _filters(sections: Sequence[Section]) -> dict[str, Any]:
    """What there is to choose from."""
    severities: dict[str, dict[str, str]] = {}
    for section in sections:
        for cell in section.entries[0].cells:
            if not cell.condition.baseline:
                severities.setdefault(cell.condition.name, {})[cell.condition.id] = cell.condition.level
    lines = [entry.line for section in sections for entry in section.entries]
    return {
        "runs": {line.runs for line in lines},
        "verified": {line.verified for line in lines},
        "ranked": {line.rank is not None for line in lines},
        "suites": sorted({section.board.suite for section in sections}),
        "tasks": sorted({section.board.task for section in sections}),
        "severities": severities,
    }


def _environment() -> Environment:
    jinja2 = require("jinja2", "the pages of the site")
    environment: Environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        percent=partial(with_interval, percent=True),
        briefly=lambda value: with_interval(UNDEFINED._replace(value=value)),
        interval=with_interval,
        number=_number,
        sort_key=_sort_key,
    )
    environment.globals.update(
        citations=citations,
        nothing=NOTHING,
        ranked_from=RANKED_FROM,
        least_clean_score=LEAST_CLEAN_SCORE,
        near_the_best=whole_percent(NEAR_THE_BEST),
        below="†",
        statistics=STATISTICS,
    )
    environment.tests.update(known=lambda value: not math.isnan(value), web=_is_web)
    return environment


def _number(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:,.1f}"


def _sort_key(value: float | None) -> str:
    """As site.js reads it; what is not known comes after everything else."""
    return "" if value is None or math.isnan(value) else f"{value:.6f}"


def _is_web(link: str) -> bool:
    """Whether a browser may be sent there; ``javascript:`` and the like are shown as text."""
    return link.startswith(("https://", "http://"))


def _is_ours(folder: Path) -> bool:
    return folder.is_dir() and (not any(folder.iterdir()) or _MARK.encode() in _bytes(folder / _INDEX))


def _surplus(folder: Path, contents: dict[str, str]) -> list[str]:
    found = [*sorted((folder / _AGENTS).glob("*.html")), *sorted((folder / _TABLES).glob("*.csv"))]
    there = [file.relative_to(folder).as_posix() for file in found]
    return [path for path in there if path not in contents]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
