"""Makes the tables of the documentation from their data: ``make tables``, or with ``--check`` compares only.

A page shows a table between two comments, ``<!-- table: results/noise -->`` and ``<!-- end -->``: ``noise`` is declared
in ``docs/tables/results.toml``. CONTRIBUTING.md says how to add one.
"""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import summaries
from table_cells import cell
from table_data import CARDS, QUOTED, ROOT, TASKS, path_of, read_all

from symbench.reading import parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    Spec = dict[str, Any]
    Table = tuple[list[str], list[list[str]]]

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_SHOWN = re.compile(r"<!-- table: (\S+) -->\n(.*?)<!-- end -->", flags=re.DOTALL)


@cache
def specs() -> dict[str, Spec]:
    """All tables that are declared, by name."""
    files = sorted(Path(__file__).parent.glob("*.toml"))
    return {
        f"{file.stem}/{name}": spec for file in files for name, spec in parse_toml(file.read_bytes(), file.name).items()
    }


def markdown(name: str, page: Path) -> str:
    """A table and the line below it: its data, and the command that made them."""
    spec = specs()[name]
    header, lines = table(spec)
    left = [name in spec.get("text", header[:1]) for name in header]
    rule = ["---" if is_left else "---:" for is_left in left]
    rows = [f"| {' | '.join(row)} |" for row in (header, *lines)]
    return "\n".join([rows[0], f"|{'|'.join(rule)}|", *rows[1:], "", _origin(spec, page)]) + "\n"


def table(spec: Spec) -> Table:
    """Header and lines, in one of the three ways to declare them."""
    if "lines" in spec:
        return _listed(spec)
    rows = _rows(spec)
    return _crossed(spec, rows) if "rows" in spec else _flat(spec, rows)


def _rows(spec: Spec) -> list[dict[str, Any]]:
    """The rows of data that a table or a cell is made of, in order, and whether they are bold."""
    frame = _frame(spec)
    strong = set(frame.query(spec["bold"], engine="python").index) if "bold" in spec else set()
    frame = frame.assign(bold=[index in strong for index in frame.index])
    if "order" in spec:
        frame = frame.sort_values(spec["order"], key=lambda of: of.map(_distinct(of, spec).index), kind="stable")
    if frame.empty:
        raise SystemExit(f"no rows in {spec['data']} where {spec.get('where')}")
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _frame(spec: Spec) -> pd.DataFrame:
    """Data, summarised, beside the other data that they are joined with, and of that what is asked for."""
    frame = read_all(spec["data"], quoted=spec.get("quoted", False))
    if "summary" in spec:
        name, *values = [spec["summary"]] if isinstance(spec["summary"], str) else spec["summary"]
        frame = getattr(summaries, name)(frame, *values)
    for other in spec.get("join", []):
        on, added = other["on"], _frame(other).rename(columns=other.get("rename", {}))
        frame = frame.merge(added, on=on, how="left", suffixes=("", other.get("suffix", "_joined")))
    return frame.query(spec["where"], engine="python") if "where" in spec else frame


def _distinct(values: Iterable[Any], spec: Spec) -> list[Any]:
    """Each value once: those with a label first, in the labels' order, then as they appear."""
    labels, distinct = list(spec.get("labels", {})), list(dict.fromkeys(values))
    return sorted(distinct, key=lambda value: labels.index(str(value)) if str(value) in labels else len(labels))


def _crossed(spec: Spec, rows: list[dict[str, Any]]) -> Table:
    """A line for each value of one column, a column for each value of another."""
    down, across = spec["rows"], spec["columns"]
    found = {(row[down], row[across]): _shown(spec["cell"], row) for row in rows}
    if len(found) < len(rows):
        raise SystemExit(f"{spec['data']} has several rows for one {down} and {across}; say which with where")
    lines, columns = (_distinct((row[key] for row in rows), spec) for key in (down, across))
    header = [spec.get("corner", ""), *(_heading(spec, rows, across, column) for column in columns)]
    return header, [
        [_heading(spec, rows, down, line), *(found.get((line, column), "") for column in columns)] for line in lines
    ]


def _heading(spec: Spec, rows: list[dict[str, Any]], column: str, value: Any) -> str:
    """Of a line or a column of a crossed table; in italics if all in it is quoted."""
    quoted = all(row.get("quoted") is True for row in rows if row[column] == value)
    return f"*{_label(spec, value)}*" if quoted else _label(spec, value)


def _flat(spec: Spec, rows: list[dict[str, Any]]) -> Table:
    """A line for each row of data; of the first column repeated values are shown once with ``merge``."""
    columns, bold = spec["columns"], spec.get("bold_columns", list(spec["columns"]))
    lines = [
        [_shown(form, row, name in bold) for name, form in columns.items()]
        for row in ({**row, "label": _label(spec, row.get(spec.get("order", "")))} for row in rows)
    ]
    if spec.get("merge"):
        lines = [["" if i and line[0] == lines[i - 1][0] else line[0], *line[1:]] for i, line in enumerate(lines)]
    return list(columns), lines


def _listed(spec: Spec) -> Table:
    """Lines one by one: each cell is a text, or looks up rows of data and shows all of them, joined."""
    header = spec["header"]
    return header, [[_looked_up(entry, spec) for entry in line] for line in spec["lines"]]


def _looked_up(entry: str | Spec, spec: Spec) -> str:
    if isinstance(entry, str):
        return entry
    entry = {**{key: spec[key] for key in ("data", "summary") if key in spec}, **entry}
    return " / ".join(_shown(entry["cell"], row) for row in _rows(entry))


def _shown(form: str, row: dict[str, Any], may_be_bold: bool = True) -> str:
    text = cell(form, row)
    return f"**{text}**" if row["bold"] and may_be_bold and text else text


def _label(spec: Spec, value: Any) -> str:
    return str(spec.get("labels", {}).get(str(value), value))


def _origin(spec: Spec, page: Path) -> str:
    """``Data: [noise.csv](data/noise.csv), by `symbench run --suite noise`.``."""
    links = [f"[{_name(each)}]({os.path.relpath(path_of(each), page.parent)})" for each in sources(spec)]
    commands = spec.get("command", [])
    by = " and ".join(f"`{command}`" for command in ([commands] if isinstance(commands, str) else commands))
    return f"Data: {', '.join(links)}{', by ' + by if by else ''}."


def _name(source: str) -> str:
    return {CARDS: "cards of the agents", QUOTED: "published", TASKS: "tasks"}.get(source, Path(source).name)


def sources(spec: Any) -> list[str]:
    """Every data source that is named anywhere in a declaration, once."""
    found: list[str] = []
    if isinstance(spec, list):
        found = [source for each in spec for source in sources(each)]
    elif isinstance(spec, dict):
        own = spec.get("data", [])
        found = [*([own] if isinstance(own, str) else own), *([QUOTED] if spec.get("quoted") else [])]
        found += sources(list(spec.values()))
    return list(dict.fromkeys(found))


def made(page: Path) -> str:
    """A page with all its tables made anew."""
    text = page.read_text(encoding="utf-8")
    return _SHOWN.sub(lambda shown: f"<!-- table: {shown[1]} -->\n{markdown(shown[1], page)}<!-- end -->", text)


def stale(pages: Iterable[Path] = PAGES) -> Iterator[str]:
    """A line for each table that is not what its data say."""
    for page in pages:
        for name, shown in _SHOWN.findall(page.read_text(encoding="utf-8")):
            if name not in specs():
                yield f"{page.relative_to(ROOT)}: table {name} is not declared in docs/tables"
            elif shown != markdown(name, page):
                data = ", ".join(sources(specs()[name]))
                yield f"{page.relative_to(ROOT)}: table {name} is not what {data} says: make tables"


def main(arguments: list[str]) -> None:
    """Write all tables, or with ``--check`` only say which differ."""
    if "--check" in arguments:
        found = list(stale())
        sys.exit("\n".join(found) if found else 0)
    for page in PAGES:
        if (text := made(page)) != page.read_text(encoding="utf-8"):
            page.write_text(text, encoding="utf-8")
            print(page.relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
