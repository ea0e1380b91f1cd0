from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def _torch() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def reference() -> Path:
    """Published weights and recordings, which are not part of the project."""
    folder = os.environ.get("SYMBENCH_REFERENCE")
    if not folder:
        pytest.skip("the environment variable SYMBENCH_REFERENCE is not set")
    return Path(folder)
