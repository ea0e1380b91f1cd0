"""A small suite, an agent's honest submission to it, and what is needed to doctor that."""

from __future__ import annotations

import base64
import json
import zipfile
from typing import TYPE_CHECKING, Any

import cloudpickle
import torch
from gymnasium.spaces import Discrete

from symbench.leaderboard.submission import About, submit
from symbench.leaderboard.validate import Submission, read_submission
from symbench.policies import MLPNetwork
from symbench.runner import run
from symbench.suites import load_suite
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pytest

SUITE = """
name = "tiny"
version = 2
description = "three conditions"
tasks = ["CartPole-v1"]
seed = 100
episodes = 60

[[perturbations]]
name = "none"
level = "in-order"
baseline = true

[[perturbations]]
name = "shuffle-sensors"
level = "per-episode"
apply = [{ wrapper = "ShuffleSensors", resample = "episode" }]

[[perturbations]]
name = "add-noise-channels"
level = "+5"
apply = [{ wrapper = "AddNoiseChannels", n = 5 }]
"""
TASK, SHUFFLED, NOISY = "CartPole-v1", "shuffle-sensors/per-episode", "add-noise-channels/+5"

Row = list[str]  # task, perturbation, severity, run, seed, return, length, terminated


def small_suite(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the suite a bundled one, and its folder the current one, which nobody else writes into meanwhile."""
    (folder / "suites").mkdir()
    (folder / "suites" / "tiny.toml").write_text(SUITE)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", folder / "suites")
    monkeypatch.chdir(folder)


def networks(folder: Path, count: int = 2) -> list[str]:
    """Untrained networks, as they follow ``--agent``: they read four sensors, so they cannot act among noise."""
    for seed in range(count):
        torch.manual_seed(seed)
        save_agent(MLPNetwork(4, Discrete(2), hidden=(8,)), folder / "agents" / f"s{seed}", {"agent": "net"})
    return [f"{folder}/agents/s{seed}.json" for seed in range(count)]


def submitted(folder: Path, agents: Sequence[str], trust: bool = False) -> Path:
    """An honest submission of these training runs; the path of its table."""
    named = [f"mine={agent}" for agent in agents]
    run(load_suite("tiny"), folder / "run", tasks=[TASK], agents=named, trust=trust)
    about = About("a network", ["A. Name"], "MIT", "nothing", training_seeds=range(len(agents)), parameters=58)
    submit(folder / "run", "mine", folder / "out", about, agent="mine")
    return folder / "out" / "mine.csv"


def doctored(table: Path, rows: Callable[[list[Row]], list[Row]] = list, **metadata: Any) -> Submission:
    """The submission with other rows and other metadata, which still keeps all rules."""
    card = table.with_suffix(".json")
    data = {**json.loads(card.read_text()), **metadata}
    header, *lines = table.read_text().split()
    table.write_text("\n".join([header, *(",".join(row) for row in rows([line.split(",") for line in lines])), ""]))
    card.write_text(json.dumps(data))
    return read_submission(table)


def elsewhere(table: Path) -> list[dict[str, Any]]:
    """Its machines with another arithmetic, which anybody can claim."""
    machines = json.loads(table.with_suffix(".json").read_text())["machines"]
    return [{**machine, "arithmetic": {"torch": "NEON"}} for machine in machines]


def tasks(table: Path, **changes: Any) -> dict[str, Any]:
    """What the metadata say of the task, changed."""
    entry = json.loads(table.with_suffix(".json").read_text())["tasks"][TASK]
    return {TASK: {**entry, **changes}}


def longer(row: Row, steps: int) -> Row:
    """An episode of CartPole in which the pole stands for so many steps more."""
    length = min(500, max(1, int(row[6]) + steps))
    return [*row[:5], f"{float(length)}", f"{length}", "0" if length == 500 else "1"]


class Executes:
    """Executes code when it is unpickled."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, (self.code,)


def with_code(file: Path, code: str) -> None:
    """Puts code into a model of Stable-Baselines3, which runs when somebody trusts it."""
    with zipfile.ZipFile(file) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    pickled = base64.b64encode(cloudpickle.dumps(Executes(code))).decode()
    data = {**json.loads(files["data"]), "surprise": {":type:": "x", ":serialized:": pickled}}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in {**files, "data": json.dumps(data).encode()}.items():
            archive.writestr(name, content)
