"""Intervals hold the truth as often as they say: a slice of the simulation, and the table in the docs."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from symbench.leaderboard import coverage
from symbench.leaderboard.coverage import RUNS, SHAPES, VARIATION, Coverage, simulate, to_csv

ROOT = Path(__file__).parents[2]
PUBLISHED = [
    Coverage(*row[:2], int(row[2]), row[3], *map(float, row[4:6]), int(row[6]))
    for row in list(csv.reader((ROOT / "docs" / "data" / "coverage.csv").read_text().splitlines()))[1:]
]


def published(*case: object) -> Coverage:
    (found,) = (row for row in PUBLISHED if row[:3] == case)
    return found


def test_the_published_table_is_complete_and_holds_94_to_96_percent() -> None:
    cases = [(shape, variation, runs) for shape in SHAPES for variation in VARIATION for runs in RUNS]
    assert [row[:3] for row in PUBLISHED] == cases and RUNS == (3, 5, 10, 20)
    assert all(row.trials >= 5000 for row in PUBLISHED)
    for row in PUBLISHED:
        assert row.of == ("these runs" if row.runs < 5 else "the method")
        if row.returns != "mixed":
            assert 0.94 <= row.coverage <= 0.96, row


@pytest.mark.parametrize("variation", VARIATION)
@pytest.mark.parametrize("returns", ["normal", "skewed"])
def test_a_slice_of_the_simulation(returns: str, variation: str) -> None:
    """Of 400 intervals 380 hold the truth, give or take 13 (three standard errors); those of version 1 are too few."""
    made = simulate(returns, variation, 5, 400)
    assert 0.917 < made.coverage < 0.983
    assert made.version_1 < 0.917


def test_a_simulation_is_the_same_every_time() -> None:
    assert simulate("mixed", "runs", 5, 20) == simulate("mixed", "runs", 5, 20)


def test_of_few_runs_only_these_are_held() -> None:
    made = simulate("normal", "runs", 3, 300)
    assert made.of == "these runs" and 0.91 < made.coverage < 0.99 and made.version_1 < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: "-".join(map(str, row[:3])))
def test_the_published_table_is_what_the_simulation_gives(row: Coverage) -> None:
    """With other random numbers, within four standard errors of both."""
    made = simulate(*row[:3], 1500, seed=1)
    error = 4 * (0.05 * 0.95 * (1 / 1500 + 1 / row.trials)) ** 0.5
    assert made.coverage == pytest.approx(row.coverage, abs=error)


def test_the_command_prints_the_table_and_writes_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "RUNS", (3, 5))
    monkeypatch.setattr(coverage, "SHAPES", {"normal": SHAPES["normal"]})
    import typer

    app = typer.Typer()
    app.command()(coverage.main)
    result = CliRunner().invoke(app, ["--trials", "4", "--out", str(tmp_path / "made.csv")])
    assert result.exit_code == 0, result.output
    assert result.stdout.count("| normal |") == 4
    lines = (tmp_path / "made.csv").read_text().splitlines()
    assert lines[0] == ",".join(Coverage._fields) and len(lines) == 5
    assert to_csv(PUBLISHED) == (ROOT / "docs" / "data" / "coverage.csv").read_text()
