"""``symbench check-symmetry`` lists, checks, skips what is not installed, and fails where a declaration is wrong."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import gymnasium as gym
import pandas as pd
import pytest

from symbench.symmetry import CATALOGUE, ActionPermutation, Declaration, cyclic, declarations_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Symbench


def test_without_ids_the_catalogue_is_listed(symbench: Symbench) -> None:
    result = symbench("check-symmetry")
    assert result.exit_code == 0
    assert all(env_id in result.output for env_id in CATALOGUE)


def test_a_table_for_each_symmetry_and_a_file_of_all_errors(symbench: Symbench, tmp_path: Path) -> None:
    result = symbench("check-symmetry", "CartPoleSwingUp", "Acrobot-v1", "--steps", 100, "--csv", "errors.csv")
    assert result.exit_code == 0, result.output
    assert "symbench/CartPoleSwingUp-v0  ·  mirror (C2)  ·  100 steps" in result.output
    assert "cos theta1" in result.output and "exact: initial, reward, transition" in result.output
    errors = pd.read_csv(tmp_path / "errors.csv")
    assert set(errors["environment"]) == {"symbench/CartPoleSwingUp-v0", "Acrobot-v1"}
    assert len(errors) == 5 + 6 + 2 * 3
    assert errors.loc[errors["part"] == "theta1_dot", "error"].item() == 0


def test_a_negative_control_is_no_failure(symbench: Symbench) -> None:
    result = symbench("check-symmetry", "MountainCar-v0")
    assert result.exit_code == 0
    assert "none: nothing" in result.output


@pytest.mark.parametrize("env_id", ["ParticleSpread", "symbench/Pursuit-v0", "NBodyControl"])
def test_wind_breaks_what_holds_without_it(symbench: Symbench, env_id: str) -> None:
    calm = symbench("check-symmetry", f"{env_id}?wind=0", "--steps", 100)
    assert calm.exit_code == 0, calm.output
    assert "NOT AS DECLARED" not in calm.output and "turns-in-wind" not in calm.output
    for wind in (1, 5):
        windy = symbench("check-symmetry", f"{env_id}?wind={wind}", "--steps", 100)
        assert windy.exit_code == 1
        assert f"?wind={wind}" in windy.output and "NOT AS DECLARED" in windy.output


def _declare(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    declared = declarations_of("CartPole-v1")[0]
    pair = dataclasses.replace(declared.pair, **changes)
    monkeypatch.setitem(CATALOGUE, "CartPole-v1", (dataclasses.replace(declared, pair=pair),))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "none", "holds": frozenset()},
        {"action": ActionPermutation(cyclic(2), [[0, 1]])},  # pushing to the same side in the mirrored state
    ],
)
def test_a_wrong_declaration_ends_with_1(
    symbench: Symbench, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    _declare(monkeypatch, **changes)
    result = symbench("check-symmetry", "CartPole-v1", "--steps", 50)
    assert result.exit_code == 1
    assert "NOT AS DECLARED" in result.output


def test_what_is_not_installed_is_skipped_with_the_reason(symbench: Symbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: Declaration) -> gym.Env[object, object]:
        raise gym.error.DependencyNotInstalled('MuJoCo is not installed, run `pip install "gymnasium[mujoco]"`')

    monkeypatch.setattr(Declaration, "make", missing)
    one, several = symbench("check-symmetry", "Swimmer-v5"), symbench("check-symmetry", "Ant-v5")
    assert one.exit_code == several.exit_code == 0
    assert 'skipped: MuJoCo is not installed, run `pip install "gymnasium[mujoco]"`' in one.output
    assert several.output.count("skipped: MuJoCo") == 4


def test_mistakes_are_one_line(symbench: Symbench) -> None:
    unknown = symbench("check-symmetry", "Ant-v4")
    assert unknown.exit_code == 2
    assert "unknown environment 'Ant-v4' in the catalogue of symmetries; did you mean 'Ant-v5'" in unknown.output
    assert symbench("check-symmetry", "CartPole-v1", "--steps", 0).exit_code == 2
    assert "wind must be a severity from 0 to 5" in symbench("check-symmetry", "ParticleSpread?wind=6").output
    assert "'wind' is no argument" in symbench("check-symmetry", "ParticleSpread?wind").output


def test_help_has_examples(symbench: Symbench) -> None:
    output = symbench("check-symmetry", "--help").output
    assert "symbench check-symmetry --all" in output.split("Examples")[1]


def test_a_rom_that_cannot_be_read_is_skipped_too(symbench: Symbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(self: Declaration) -> gym.Env[object, object]:
        raise OSError("ROM directory nowhere doesn't exist")

    monkeypatch.setattr(Declaration, "make", unreadable)
    result = symbench("check-symmetry", "ALE/Pong-v5")
    assert result.exit_code == 0 and result.output.count("skipped: ROM directory nowhere") == 1


def test_all_takes_no_ids(symbench: Symbench) -> None:
    result = symbench("check-symmetry", "--all", "CartPole-v1")
    assert result.exit_code == 2 and "received both: --all CartPole-v1" in result.output
