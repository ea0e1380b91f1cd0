"""Tables of tasks whose instances have references show how far above these an agent is."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.console import Console

from symbench.leaderboard import make_report, markdown, terminal
from symbench.runner import Manifest
from symbench.solvers.reference_sets import reference_set

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbench.runner import Record
    from symbench.suites import Suite

CLEAN = "none/in-order"


@pytest.fixture
def suite(suite: Suite) -> Suite:
    return suite.model_copy(update={"seed": 1_000_000, "compare_with": None, "tasks": ("TSP20",)})


@pytest.fixture
def manifest(manifest: Manifest) -> Manifest:
    manifest.tasks.clear()
    manifest.add_task("TSP20")
    return manifest


def shown(manifest: Manifest, records: list[Record]) -> tuple[str, str]:
    report, console = make_report(manifest, records), Console(width=200, record=True, file=io.StringIO())
    console.print(terminal.render(report, 200))
    return console.export_text(), markdown.render(report, records)


def test_a_gap_is_of_each_instance(manifest: Manifest, record: Callable[..., Record]) -> None:
    lengths = reference_set("TSP20").lengths[:4]
    records = [
        record("good", CLEAN, -lengths * [1.0, 1.02, 1.0, 1.02], task="TSP20"),
        record("bad", CLEAN, -lengths * 1.5, task="TSP20"),
    ]
    rows = {row.agent: row for row in make_report(manifest, records).rows if row.runs}
    assert rows["good"].excess == pytest.approx(1) and rows["good"].excess_std == pytest.approx(1)
    assert rows["bad"].excess == pytest.approx(50) and rows["bad"].excess_std == pytest.approx(0, abs=1e-9)
    for table in shown(manifest, records):
        assert "1.00 ± 1.00" in table and "50.00 ± 0.00" in table
        assert "how much longer a tour is than the stored one of the same instance" in table
    again = Manifest.model_validate(manifest.model_dump(mode="json"))
    assert again.tasks["TSP20"].metric == manifest.tasks["TSP20"].metric


def test_the_share_of_instances_with_other_tours(manifest: Manifest, record: Callable[..., Record]) -> None:
    lengths = reference_set("TSP20").lengths[:4]
    records = [
        record("good", CLEAN, -lengths, task="TSP20"),
        record("good", "shuffle-sensors/per-episode", -lengths * [1.0, 1.02, 1 + 1e-15, 1.0], task="TSP20"),
    ]
    rows = {row.condition.id: row for row in make_report(manifest, records).rows if row.runs}
    clean, shuffled = rows[CLEAN], rows["shuffle-sensors/per-episode"]
    assert np.isnan(clean.excess_changed) and shuffled.excess_changed == 0.25


def test_a_suite_with_other_seeds_has_no_gaps(manifest: Manifest, record: Callable[..., Record]) -> None:
    manifest.suite = manifest.suite.model_copy(update={"seed": 3})
    made = record("good", CLEAN, np.full(4, -4.0), task="TSP20")
    moved = made.episodes.seeds - 999_997
    object.__setattr__(made.episodes, "seeds", moved)
    rows = make_report(manifest, [made]).rows
    assert np.isnan(rows[0].excess)
    assert all("gap" not in table for table in shown(manifest, [made]))
