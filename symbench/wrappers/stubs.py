"""Writes what type checkers and editors read of the generated adapters: ``python -m symbench.wrappers.stubs``.

The files lie in ``symbench/wrappers/generated/``; a test says when they must be written again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from symbench.wrappers.registry import TRANSFORMS, is_bundled

if TYPE_CHECKING:
    from symbench.wrappers.core import Transform

FOLDER: Final = Path(__file__).parent / "generated"
_KINDS: Final = {
    "single": ("GymAdapter", "env: gym.Env[Any, Any]", "import gymnasium as gym"),
    "vector": ("VectorAdapter", "envs: VectorEnv[Any, Any, Any]", "from gymnasium.vector import VectorEnv"),
    "sb3": ("VecEnvAdapter", "venv: VecEnv", "from stable_baselines3.common.vec_env import VecEnv"),
}


def stub(module: str) -> str:
    """The stub of the adapters of ``"single"``, ``"vector"`` or ``"sb3"``."""
    base, wrapped, needed = _KINDS[module]
    bundled = sorted((name, transform) for name, transform in TRANSFORMS.items() if is_bundled(transform))
    classes = (_class(name, transform, base, wrapped) for name, transform in bundled)
    names = "".join(f'    "{name}",\n' for name, _ in bundled)
    head = [
        "# Written by symbench.wrappers.stubs; do not edit.",
        "from collections.abc import Sequence",
        "from typing import Any",
        needed,
        f"from symbench.wrappers.{module} import {base}",
        "from symbench.wrappers.checks import Resample",
        f"__all__ = [\n{names}]",
    ]
    return "\n".join([*head, *classes]) + "\n"


def _class(name: str, transform: type[Transform], base: str, wrapped: str) -> str:
    parameters = "".join(
        f"{each.name}: {each.annotation}{'' if each.default is each.empty else ' = ...'}, "
        for each in transform.signature().parameters.values()
    )
    keywords = f", *, {parameters[:-2]}" if parameters else ""
    return f"class {name}({base}):\n    def __init__(self, {wrapped}{keywords}) -> None: ..."


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for kind in _KINDS:
        (FOLDER / f"{kind}.pyi").write_text(stub(kind), encoding="utf-8")
