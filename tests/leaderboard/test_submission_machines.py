"""Whose numbers were computed with what: a submission says it of its own cells, not of the last call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from gymnasium.spaces import Box
from submission_cases import SUITE, TASK, metadata

from symbench.errors import SymbenchError
from symbench.leaderboard.submission import About, submit
from symbench.leaderboard.submission_schema import Card, upgrade
from symbench.policies import MLPNetwork
from symbench.runner import Store, load_manifest, run
from symbench.runner.provenance import VARIABLES, machine
from symbench.runner.store import digest_of
from symbench.suites import load_suite
from symbench.zoo import save_agent

ABOUT = About("a small network", ["A. Name"], "MIT", "nothing", training_seeds=[7], parameters=57)


@pytest.fixture(autouse=True)
def _tiny_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "tiny.toml").write_text(SUITE)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", tmp_path / "suites")


class House:
    """A run directory that several machines write into, one after the other."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.directory, self._patch = folder, folder / "run", monkeypatch

    def play(self, agent: str, cpu: str, **changes: Any) -> None:
        """Evaluate an agent on a machine with this processor."""
        network = MLPNetwork(5, Box(-1, 1, (1,)), hidden=(8,))
        if not (self.folder / f"{agent}.json").exists():
            save_agent(network, self.folder / agent, {"agent": agent})
        facts = {**machine(), "cpu": cpu, **changes}
        with self._patch.context() as patch:
            patch.setattr("symbench.runner.executors.base.machine", lambda: facts)
            patch.setattr("symbench.runner.provenance.machine", lambda: facts)
            run(load_suite("tiny"), self.directory, tasks=[TASK], agents=[f"{agent}={self.folder}/{agent}.json"])

    def forget(self, agent: str) -> None:
        """Make the agent's cells ones of the version before, which did not say what computed them."""
        for path in self.directory.glob(f"cells/**/{agent}/*.json"):
            data = json.loads(path.read_text())
            data = {key: value for key, value in data.items() if key not in ("machine", "input_change", "checksum")}
            path.write_text(json.dumps(data | {"checksum": digest_of(data)}))

    def submit(self, agent: str, name: str = "mine") -> Card:
        return submit(self.directory, name, self.folder / "out", ABOUT, agent).card


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(tmp_path, monkeypatch)


def test_a_later_call_for_another_agent_changes_nothing(house: House) -> None:
    house.play("first", "an old processor", symbench="0.0.1", commit="a" * 40)
    house.play("second", "a new processor", commit="b" * 40)
    (computed,) = house.submit("first").machines
    assert (computed.cpu, computed.symbench, computed.commit) == ("an old processor", "0.0.1", "a" * 40)
    assert computed.cells == 2 and computed.arithmetic == machine()["arithmetic"]
    assert [each.cpu for each in house.submit("second", "other").machines] == ["a new processor"]


def test_cells_of_several_machines_name_all_of_them(house: House) -> None:
    """Random play took part in both calls and was computed by the first."""
    house.play("first", "an old processor")
    for path in house.directory.glob("cells/**/shuffle-sensors/per-episode/first/s0.json"):
        path.unlink()
    house.play("first", "a new processor")
    card = house.submit("first")
    assert [(each.cpu, each.cells) for each in card.machines] == [("an old processor", 1), ("a new processor", 1)]
    again = json.loads((house.folder / "out" / "mine.json").read_text())
    assert [each["cpu"] for each in again["machines"]] == ["an old processor", "a new processor"]
    assert [each.cpu for each in house.submit("random", "dice").machines] == ["an old processor"]


def test_cells_of_before_have_the_machine_of_the_calls_if_these_agree(house: House) -> None:
    house.play("first", "a processor")
    house.forget("first")
    assert [(each.cpu, each.cells) for each in house.submit("first").machines] == [("a processor", 2)]
    house.play("second", "another processor")
    with pytest.raises(SymbenchError, match=r"^tiny@2/.*/first/s0 does not say what it was computed with.*--no-resume"):
        house.submit("first", "other")


@pytest.mark.slow
def test_a_cell_knows_what_computed_it_in_every_process(tmp_path: Path, house: House) -> None:
    house.play("first", "x")
    for workers in (1, 2):
        directory = tmp_path / f"{workers}"
        run(load_suite("tiny"), directory, tasks=[TASK], agents=["random"], workers=workers)
        records = Store(directory).records(load_manifest(directory).cells)
        assert [record.machine for record in records] == [machine()] * 3
    assert not {"date", "workers", "threads_per_worker"} & machine().keys()  # equal cells are equal to the last byte


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "value", "name", "expected"),
    [
        ("ATEN_CPU_CAPABILITY", "default", "torch", "DEFAULT"),
        ("MKL_CBWR", "COMPATIBLE", "MKL_CBWR", "COMPATIBLE"),
        ("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-FMA", "GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-FMA"),
    ],
)
def test_what_changes_the_last_bits_is_recorded(variable: str, value: str, name: str, expected: str) -> None:
    assert variable in VARIABLES
    code = "import json; from symbench.runner.provenance import arithmetic; print(json.dumps(arithmetic()))"
    found = [
        json.loads(subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout)
        for env in ({**os.environ, variable: value}, {k: v for k, v in os.environ.items() if k != variable})
    ]
    assert found[0][variable] == value and variable not in found[1]
    assert found[0][name].startswith(expected)
    assert {"torch", "numpy", "numpy_blas"} <= found[1].keys()


def test_threads_are_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("THREADS" in name for name in VARIABLES)
    assert "OPENBLAS_CORETYPE" not in VARIABLES  # it changes nothing that is used here


OLD_MACHINE = {
    **{"date": "2026-01-02T03:04:05+00:00", "symbench": "0.1.0", "commit": None, "python": "3.11.2"},
    **{"packages": {"numpy": "2.4.6"}, "platform": "Linux", "cpu": "a processor", "cores": 2},
}


def old(**changes: Any) -> dict[str, Any]:
    """Metadata of format 1."""
    data = {key: value for key, value in metadata().items() if key not in ("date", "machines")}
    return {**data, "format": 1, "machine": OLD_MACHINE, **changes}


def test_the_one_machine_of_format_1_becomes_the_only_one() -> None:
    card = Card.model_validate(upgrade(old()))
    assert card.date == OLD_MACHINE["date"]
    assert [(each.cpu, each.cells, each.arithmetic) for each in card.machines] == [("a processor", None, {})]


@pytest.mark.parametrize(
    "data",
    [
        old(machine="a processor"),
        old(machine={**OLD_MACHINE, "cells": "many"}),
        old(date="2026-01-02"),
        old(machines=[]),
        {**metadata(), "format": 1},
        {key: value for key, value in old().items() if key != "machine"},
        {**metadata(), "machine": OLD_MACHINE},
    ],
    ids=["text", "wrong kind", "a date", "a list", "of the next format", "none", "both"],
)
def test_what_is_no_file_of_its_format_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Card.model_validate(upgrade(data))
