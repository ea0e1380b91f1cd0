"""Neither symbench nor its tests leave folders behind: SB3 makes one for logs when a model without a logger learns."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from stable_baselines3 import PPO

from symbench.training import train
from symbench.zoo import load_sb3

if TYPE_CHECKING:
    from tests.training.conftest import Tiny


def test_no_folder_is_left_in_the_temporary_directory(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SB3_LOGDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    train("mlp", tmp_path, overrides=tiny("mlp"))
    model = PPO("MlpPolicy", "CartPole-v1", n_steps=8, batch_size=8, device="cpu")
    model.save(tmp_path / "mine.zip")
    load_sb3(f"ppo:{tmp_path / 'mine.zip'}", trust=True)
    assert not list((tmp_path / "temporary").glob("SB3*"))  # torch keeps one cache there, always the same


def test_the_models_of_these_tests_leave_none_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    model = PPO("MlpPolicy", "CartPole-v1", n_steps=8, batch_size=8, device="cpu").learn(8)
    assert list(tmp_path.iterdir()) == [] and model.logger.dir == os.environ["SB3_LOGDIR"]
