"""Tables of the documentation are made from data."""

from __future__ import annotations

import csv
import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "tables"))
    return importlib.import_module("make_tables")


def test_tables_are_what_their_data_say(tables: ModuleType) -> None:
    assert list(tables.stale()) == []


def test_every_declared_table_is_shown(tables: ModuleType) -> None:
    shown = {name for page in tables.PAGES for name in re.findall("<!-- table: (.+) -->", page.read_text())}
    assert shown == set(tables.specs())


def test_a_changed_number_is_named_and_made_right_again(
    tables: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text("before\n\n<!-- table: results/traffic -->\n<!-- end -->\n\nafter\n")
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    page.write_text(whole := tables.made(page))
    assert "| equivariant | 29,522 |" in whole and not list(tables.stale([page]))
    page.write_text(whole.replace("29,522", "29,523"))
    assert list(tables.stale([page])) == [
        "docs/page.md: table results/traffic is not what traffic-summary.csv says: make tables"
    ]
    assert tables.made(page) == whole
    page.write_text(whole.replace("results/traffic", "results/none"))
    assert "table results/none is not declared" in next(tables.stale([page]))


def test_every_benchmark_is_in_a_table(tables: ModuleType) -> None:
    """But for the wrappers with severity 0 that cost what the others of their kind do."""
    names = {
        row["benchmark"] for row in csv.DictReader((ROOT / "docs" / "data" / "benchmarks.csv").read_text().splitlines())
    }
    shown = (ROOT / "docs" / "tables" / "results.toml").read_text()
    assert len(names) > 40
    assert [name for name in sorted(names) if name not in shown and "severity_zero" not in name] == []


def test_no_table_of_numbers_is_typed(tables: ModuleType) -> None:
    """A column that is aligned to the right is a column of numbers."""
    typed = [
        f"{page.name}: {before}"
        for page in tables.PAGES
        for before in re.findall(r"^(.*)\n\|.*\n(?=\|)[-|: ]*\|-+:\|", page.read_text(), flags=re.MULTILINE)
        if not before.startswith("<!-- table: ")
    ]
    assert typed == []
