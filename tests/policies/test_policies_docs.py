"""The examples of docs/policies.md run, with less training."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from symbench.policies import NetworkAgent

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[2] / "docs" / "policies.md"


def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    code = re.sub(r"learn\(\s*[\d_]+\s*\)", "learn(16)", "\n".join(blocks))
    code = code.replace("seed=0)", "seed=0, device='cpu')")
    names: dict[str, object] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    assert isinstance(names["agent"], NetworkAgent)
    assert names["larger"].observation_space["sensors"].shape == (10, 8)
