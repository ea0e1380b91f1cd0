from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Protocol

import pytest
import torch
from gymnasium.spaces import Discrete
from typer.testing import CliRunner

from symbench.cli import app
from symbench.policies import MLPNetwork
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

SUITE = """
name = "tiny"
version = 1
description = "two conditions"
tasks = ["CartPole-v1"]
seed = 100
episodes = 4

[[perturbations]]
name = "none"
level = "in-order"
label = "in order"
baseline = true

[[perturbations]]
name = "shuffle-sensors"
level = "per-episode"
label = "shuffled"
apply = [{ wrapper = "ShuffleSensors", resample = "episode" }]
"""


@pytest.fixture(scope="session", autouse=True)
def _no_nohup() -> Iterator[None]:
    """Tests that were started with nohup ignore SIGHUP, and so would what they start."""
    if not hasattr(signal, "SIGHUP"):  # Windows
        yield
        return
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


class Symbench(Protocol):
    """Calls the command line in this process."""

    def __call__(self, *arguments: object) -> Result: ...


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs in a directory of its own that holds a suite, one agent and a wide terminal."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    (tmp_path / "tiny.toml").write_text(SUITE)
    save_agent(MLPNetwork(4, Discrete(2), hidden=(8,)), tmp_path / "mlp", {"agent": "mlp"})


@pytest.fixture
def symbench() -> Symbench:
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(argument) for argument in arguments])
