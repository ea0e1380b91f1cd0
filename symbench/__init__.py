"""symbench: what happens to an agent when its sensors are shuffled, noised, occluded or transformed.

Importing this package is cheap: neither torch nor gymnasium is loaded. The environments are registered with
Gymnasium as soon as both are imported, ``symbench:symbench/CartPoleSwingUp-v0`` included; a program that imports
symbench before gymnasium calls ``import symbench.envs``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbench.evaluation import evaluate
    from symbench.loading import load

__all__ = ["__version__", "evaluate", "load"]

__version__ = "0.2.0.dev0"

if "gymnasium" in sys.modules:
    import symbench.envs  # noqa: F401


def __getattr__(name: str) -> Any:
    if name == "evaluate":
        from symbench.evaluation import evaluate

        return evaluate
    if name == "load":
        from symbench.loading import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
