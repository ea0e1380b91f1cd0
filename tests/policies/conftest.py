from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def _torch() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """SB3 makes float32 of observations, whatever the weights are; here they stay as precise as they are."""
    monkeypatch.setattr("stable_baselines3.common.policies.preprocess_obs", lambda observations, *_, **__: observations)
