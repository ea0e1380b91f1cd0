"""Public agents of Stable-Baselines3, saved by old versions of it, run from the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Symbench


@pytest.fixture
def zips() -> dict[str, Path]:
    """Algorithm -> file; not part of the project."""
    folder = os.environ.get("SYMBENCH_REFERENCE")
    if not folder:
        pytest.skip("the environment variable SYMBENCH_REFERENCE is not set")
    return {path.name.split("-")[0]: path for path in Path(folder, "sb3_zoo").resolve().glob("*-CartPole-v1.zip")}


@pytest.mark.reference
@pytest.mark.slow
def test_public_agents_keep_their_score_in_order(symbench: Symbench, tmp_path: Path, zips: dict[str, Path]) -> None:
    assert zips
    agents = [word for name, path in zips.items() for word in ("--agent", f"{name}={name}:{path}")]
    run = ("run", "--suite", "shuffle", "--task", "CartPole-v1", "--trust", "--episodes", 5, "--workers", 1)
    result = symbench(*run, *agents, "--out", "public")
    assert result.exit_code == 0, result.output
    rows = pd.read_csv(tmp_path / "public" / "leaderboard.csv").query("severity == 'in-order'").set_index("agent")
    assert {name: rows.loc[name, "mean"] for name in zips} == dict.fromkeys(zips, 500.0)
    assert rows.loc["random", "mean"] < 100
