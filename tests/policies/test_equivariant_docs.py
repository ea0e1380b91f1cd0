"""The examples of docs/equivariance.md run, with less training."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "equivariance.md"


def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    code = re.sub(r"learn\([\d_]+\)", "learn(16)", "\n".join(blocks))
    code = re.sub(r"\bseed=0\)\.learn", "seed=0, device='cpu').learn", code)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    config = names["agent"].network.config()
    assert config["observation"] == {"orders": [[0, 1, 2, 3]], "signs": [[-1, -1, -1, -1]]}
    assert names["features"].shape == (16, 8, 4) and names["arrow"].shape == (16, 1, 2)
    assert np.shape(names["actions"]) == (1,)
