"""Packages that ``pip install symbench`` leaves out; imported when they are needed."""

from __future__ import annotations

import importlib
import warnings
from typing import Any, Final

from symbench.errors import SymbenchError

EXTRAS: Final = {
    "stable_baselines3": "sb3",
    "sb3_contrib": "sb3",
    "yaml": "sb3",  # rl_zoo3's settings
    "cma": "train",
    "tensorboard": "log",
    "wandb": "wandb",
    "matplotlib": "pictures",
    "sklearn": "pictures",
    "threadpoolctl": "pictures",
    "imageio": "pictures",
    "imageio_ffmpeg": "pictures",
    "PIL": "pictures",
    "jinja2": "site",
    "e3nn": "geometric",
    "onnxruntime": "onnx",
    "huggingface_hub": "hub",
    "fastapi": "demo",
    "uvicorn": "demo",
    "websockets": "demo",
    "ray": "ray",
    "elkai": "routing",
    "numba": "routing",
    "pyvrp": "routing",
}
"""Module to the extra that brings it."""
_PACKAGES: Final = {"yaml": "PyYAML", "sklearn": "scikit-learn", "PIL": "Pillow", "pyvrp": "PyVRP"}


def require(module: str, what: str) -> Any:
    """Import a module of an extra.

    Args:
        module: For example ``"matplotlib.figure"``.
        what: What needs it, a plural that begins the message: ``"pictures"``.

    Raises:
        SymbenchError: Its package is not installed; the message says what to install.
    """
    top = module.partition(".")[0]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cma warns where matplotlib is missing, which is not needed
            return importlib.import_module(module)
    except ImportError as error:
        package = _PACKAGES.get(top, top).replace("_", "-")
        raise SymbenchError(f"{what} need {package}: pip install 'symbench[{EXTRAS[top]}]'") from error
