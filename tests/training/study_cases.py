"""What tests of studies share: a study that takes no time."""

from __future__ import annotations

from typing import Any

from symbench.training.study import Study, load_study


def small(name: str = "cartpole", **changes: Any) -> Study:
    """A study of two runs of 160 steps."""
    return load_study(
        name, {"steps": 160, "eval_every": 80, "eval_episodes": 2, "seeds": 2, "stack": 2, "threshold": 1e9, **changes}
    )
