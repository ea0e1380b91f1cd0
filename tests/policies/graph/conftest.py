from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from graph_recordings import Recording


@pytest.fixture
def recording() -> Callable[[str], Recording]:
    folder = os.environ.get("SYMBENCH_REFERENCE")
    if not folder:
        pytest.skip("the environment variable SYMBENCH_REFERENCE is not set")
    return lambda name: Recording(Path(folder) / "geometric" / f"{name}.npz")
